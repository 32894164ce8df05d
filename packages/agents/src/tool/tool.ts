import { WeftError } from "@weft/tracing";
import type { CompiledSchema, Parsed, Schema } from "./schema.ts";
import { compileSchema } from "./schema.ts";
import { normaliseToolName } from "./tool-name.ts";

/** What a tool is told besides its arguments. */
export interface ToolContext {
  /** The chat's variables: shared by its members, never shown to a model. */
  readonly contextVariables: Record<string, unknown>;
  /** Fires when the chat is cancelled or the tool's time is up. */
  readonly signal: AbortSignal;
  readonly toolCallId: string;
  /** The same for every attempt at one call: a far side that honours it does the work once. */
  readonly idempotencyKey: string;
  /** The name of the agent that runs the tool. */
  readonly agent: string;
}

export interface ToolOptions<S extends Schema = Schema> {
  /** What the model calls it; made `[A-Za-z0-9_-]{1,64}` if it is not. */
  readonly name: string;
  /** What it does, in words for the model. Mandatory: a tool without one is used wrongly. */
  readonly description: string;
  /** Any Standard Schema or a JSON Schema; default: no parameters. */
  readonly parameters?: S;
  /** Milliseconds before the call is given up with an error text for the model; default 30,000. */
  readonly timeoutMs?: number;
  /** Another name for `parameters`, as the AI SDK writes it. */
  readonly inputSchema?: S;
  /** Whether a human must agree to each call (SEMANTICS O5); default false. */
  readonly needsApproval?: boolean | ((input: Parsed<S>, context: ToolContext) => boolean | Promise<boolean>);
  /**
   * Under `serve` with a store that outlives the process: what is done with a call that a crash interrupted. `retry`
   * (default) makes it again under the same `idempotencyKey`; `fail` never does, the model is told that its outcome is unknown.
   */
  readonly onUnknown?: "retry" | "fail";
  /** Returns text, or anything JSON can say, or a `ReplyResult`. What it throws becomes an error text for the model. */
  readonly execute: (input: Parsed<S>, context: ToolContext) => unknown;
}

/** A function that a model may call. Made by `tool`. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly schema: CompiledSchema;
  readonly timeoutMs: number;
  readonly onUnknown: "retry" | "fail";
  /** Whether this call waits for a human's agreement. */
  needsApproval(input: unknown, context: ToolContext): boolean | Promise<boolean>;
  execute(input: unknown, context: ToolContext): unknown;
}

/** What `needsApproval` is of a tool that never needs any. */
export const noApproval = (): boolean => false;

const noParameters = { type: "object", properties: {}, additionalProperties: false } as const;

/** Raises `invalid_argument` for a tool without name, description or `execute`, or whose schema has no JSON form. */
export function tool<S extends Schema>(options: ToolOptions<S>): Tool {
  const { name, description, parameters = options.inputSchema, timeoutMs = 30_000, execute } = options;
  const { needsApproval = false, onUnknown = "retry" } = options;
  if (typeof name !== "string" || name === "")
    throw new WeftError("invalid_argument", "A tool needs a name.");
  if (typeof description !== "string" || description.trim() === "") {
    throw new WeftError(
      "invalid_argument",
      `Tool "${name}" needs a description: it is what the model goes by.`,
    );
  }
  if (typeof execute !== "function") {
    throw new WeftError("invalid_argument", `Tool "${name}" needs an execute function.`);
  }
  if (!(timeoutMs > 0))
    throw new WeftError("invalid_argument", `Tool "${name}": timeoutMs must be more than 0.`);
  const schema = compileSchema(parameters ?? noParameters, `Tool "${name}": parameters`);
  if (schema.unchecked.length > 0) {
    const keywords = schema.unchecked.join(", ");
    process.emitWarning(`Tool "${name}": its parameters are not checked for ${keywords}.`, {
      code: "WEFT_UNCHECKED_SCHEMA",
    });
  }
  return {
    name: normaliseToolName(name),
    description,
    schema,
    timeoutMs,
    onUnknown,
    needsApproval: toApproval(needsApproval),
    execute,
  };
}

function toApproval<S extends Schema>(
  given: NonNullable<ToolOptions<S>["needsApproval"]>,
): Tool["needsApproval"] {
  if (typeof given === "function") return given;
  return given ? () => true : noApproval;
}

export function isTool(value: unknown): value is Tool {
  const candidate = value as Partial<Tool> | null;
  return typeof candidate?.execute === "function" && typeof candidate.schema?.parse === "function";
}
