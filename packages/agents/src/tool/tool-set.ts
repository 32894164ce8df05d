import { WeftError } from "@weft/tracing";
import type { Schema } from "./schema.ts";
import type { Tool } from "./tool.ts";
import { isTool, tool } from "./tool.ts";

/** A tool as the AI SDK makes it with its own `tool()`: what we use of it. */
export interface AiSdkTool {
  /** A text; one that is made anew for every call is not asked for here, the tool's name stands for it. */
  readonly description?: unknown;
  readonly inputSchema: unknown;
  // Method syntax on purpose: its parameters are compared bivariantly, so that the real, narrower types fit.
  execute?(input: never, options: never): unknown;
  readonly needsApproval?: unknown;
}

/** Our tools as a list, or a record of AI SDK tools by name (ours may be among them). */
export type ToolSet = readonly Tool[] | Readonly<Record<string, Tool | AiSdkTool>>;

/** Raises `invalid_argument` for a tool that cannot be run here, naming it. */
export function readTools(given: ToolSet | undefined): readonly Tool[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) return given as readonly Tool[];
  return Object.entries(given).map(([name, each]) => (isTool(each) ? each : fromAiSdkTool(name, each)));
}

function fromAiSdkTool(name: string, given: AiSdkTool): Tool {
  const { description, inputSchema, needsApproval } = given;
  if (typeof given.execute !== "function") {
    throw new WeftError(
      "invalid_argument",
      `The AI SDK tool "${name}" has no execute function: who runs it? Give it one, or make it with Weft's tool().`,
    );
  }
  const run = given.execute.bind(given) as (input: unknown, options: unknown) => unknown;
  const asks =
    typeof needsApproval === "function"
      ? (needsApproval as (input: unknown, options: unknown) => boolean)
      : undefined;
  return tool({
    name,
    description: typeof description === "string" ? description : name,
    parameters: resolveSchema(inputSchema),
    ...(needsApproval === undefined
      ? {}
      : {
          needsApproval: asks
            ? (input, context) => asks(input, { toolCallId: context.toolCallId, messages: [] })
            : needsApproval === true,
        }),
    execute: (input, { toolCallId, signal, contextVariables }) =>
      drain(
        run(input, {
          toolCallId,
          messages: [],
          abortSignal: signal,
          experimental_context: contextVariables,
          context: contextVariables,
        }),
      ),
  });
}

/** The AI SDK's schemas may be lazy: functions that give the schema. */
function resolveSchema(schema: unknown): Schema {
  const isLazy = typeof schema === "function" && !("~standard" in schema);
  return (isLazy ? (schema as () => unknown)() : schema) as Schema;
}

/** A tool that yields preliminary results is asked for its last. */
async function drain(output: unknown): Promise<unknown> {
  const awaited: unknown = await output;
  if (typeof awaited !== "object" || awaited === null || !(Symbol.asyncIterator in awaited)) return awaited;
  let last: unknown;
  for await (const value of awaited as AsyncIterable<unknown>) last = value;
  return last;
}
