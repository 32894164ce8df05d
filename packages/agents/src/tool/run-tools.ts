/*
 * Runs the tool calls of one message.
 *
 * Job: runs them concurrently and answers them in order, in one message.
 * Owns: the `execute_tool` spans, each linked to the model call that asked; the clock of each call.
 * Does not own: what happens with the answer.
 *
 * I1  Every call gets exactly one response. Unknown tool, bad JSON, schema failure, throw and timeout are each an
 *     error text for the model; only an abort of the turn ends it.
 * I2  A tool that ignores its signal holds the turn no longer than its time.
 */
import type { AgentEventBody, AgentMessage, ToolCall, ToolResponse } from "@weft/runtime/agent";
import { createMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { SpanContext, WeftSpan } from "@weft/tracing/internal";
import { instrument, recordToolCall } from "@weft/tracing/internal";
import { Attr, LinkKinds, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { describeIssues } from "./schema.ts";
import { normaliseToolName } from "./tool-name.ts";
import type { Tool, ToolContext } from "./tool.ts";

export interface ToolRun {
  /** The message whose calls are run. */
  readonly message: AgentMessage;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly agent: string;
  readonly contextVariables: Record<string, unknown>;
  readonly signal: AbortSignal;
  /** The span of the model call that asked, where it is known. */
  readonly askedBy?: SpanContext;
}

type ToolEvent = Extract<AgentEventBody, { readonly type: "tool-call" | "tool-result" }>;

interface Outcome {
  readonly text: string;
  readonly output?: unknown;
  readonly error?: string;
}

/** Yields each call and each result, both in the order of the calls; returns the message that answers them all. */
export async function* runTools(run: ToolRun): AsyncGenerator<ToolEvent, AgentMessage> {
  const calls = run.message.toolCalls ?? [];
  for (const call of calls) {
    yield { type: "tool-call", toolCallId: call.id, toolName: call.name, input: readInput(call.arguments) };
  }
  const running = calls.map((call) => runCall(run, call));
  // Settled together, so that one abort leaves no rejection behind that nobody awaits.
  for (const each of running) each.catch(() => undefined);
  const toolResponses: ToolResponse[] = [];
  for (const [index, call] of calls.entries()) {
    const { text, output, error } = await running[index]!;
    const isError = error !== undefined;
    yield { type: "tool-result", toolCallId: call.id, ...(isError ? { error } : { output }) };
    toolResponses.push({
      toolCallId: call.id,
      name: call.name,
      content: text,
      ...(isError ? { isError } : {}),
    });
  }
  return createMessage({ role: "tool", name: run.agent, content: null, toolResponses });
}

/** What a reader is shown: the parsed arguments, or the text when it is not JSON. */
function readInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function runCall(run: ToolRun, call: ToolCall): Promise<Outcome> {
  const tool = run.tools.get(normaliseToolName(call.name));
  const definition = {
    name: `${Operations.executeTool} ${call.name}`,
    type: SpanTypes.tool,
    attributes: {
      [Attr.operationName]: Operations.executeTool,
      [Attr.toolName]: call.name,
      [Attr.toolType]: "function",
      [Attr.toolCallId]: call.id,
      [Attr.agentName]: run.agent,
      ...(tool ? { [Attr.toolDescription]: tool.description } : {}),
    },
    ...(run.askedBy
      ? { links: [{ context: run.askedBy, attributes: { [Attr.linkKind]: LinkKinds.askedBy } }] }
      : {}),
  };
  try {
    return await instrument(definition, (span) => perform(run, call, tool, span));
  } catch (thrown) {
    if (run.signal.aborted) {
      throw new WeftError("aborted", "The tool call was aborted.", { cause: run.signal.reason });
    }
    const error = WeftError.from(thrown, "tool_failed").message;
    return { text: `Error: ${error}`, error };
  }
}

async function perform(
  run: ToolRun,
  call: ToolCall,
  tool: Tool | undefined,
  span: WeftSpan,
): Promise<Outcome> {
  recordToolCall(span, { arguments: call.arguments });
  if (!tool) throw unknownTool(call.name, run.tools);
  const input = await parseArguments(tool, call.arguments);
  const output = await withinTime(tool, input, run, call);
  const text = toText(tool.name, output);
  recordToolCall(span, { result: text });
  return { text, output };
}

function unknownTool(name: string, tools: ReadonlyMap<string, Tool>): WeftError {
  const known = [...tools.keys()].join(", ");
  return new WeftError(
    "not_found",
    `There is no tool "${name}". ${known ? `There are: ${known}.` : "There is none."}`,
  );
}

async function parseArguments(tool: Tool, text: string): Promise<unknown> {
  let input: unknown;
  try {
    input = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new WeftError("invalid_argument", `The arguments of "${tool.name}" are not valid JSON.`, { cause });
  }
  const parsed = await tool.schema.parse(input);
  if (parsed.ok) return parsed.value;
  throw new WeftError(
    "invalid_argument",
    `The arguments of "${tool.name}" do not fit its parameters: ${describeIssues(parsed.issues)}.`,
  );
}

async function withinTime(tool: Tool, input: unknown, run: ToolRun, call: ToolCall): Promise<unknown> {
  const deadline = new AbortController();
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new WeftError(
      "deadline_exceeded",
      `Tool "${tool.name}" did not finish within ${tool.timeoutMs} ms.`,
    );
    deadline.abort(error);
    reject(error);
  }, tool.timeoutMs);
  const abort = (): void => {
    deadline.abort(run.signal.reason);
    reject(new WeftError("aborted", "The tool call was aborted.", { cause: run.signal.reason }));
  };
  run.signal.addEventListener("abort", abort, { once: true });
  if (run.signal.aborted) abort();
  const context: ToolContext = {
    contextVariables: run.contextVariables,
    signal: deadline.signal,
    toolCallId: call.id,
    idempotencyKey: `${run.message.id}/${call.id}`,
    agent: run.agent,
  };
  try {
    return await Promise.race([interrupted, start(tool, input, context)]);
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener("abort", abort);
  }
}

/** A tool that throws before its first await rejects like any other. */
async function start(tool: Tool, input: unknown, context: ToolContext): Promise<unknown> {
  return tool.execute(input, context);
}

function toText(name: string, output: unknown): string {
  if (typeof output === "string") return output;
  if (output === undefined) return "";
  try {
    // A function or a symbol has no JSON text; nothing is said of it.
    return JSON.stringify(output) ?? "";
  } catch (cause) {
    throw new WeftError("tool_failed", `Tool "${name}" gave a result that JSON cannot say.`, { cause });
  }
}
