/*
 * One tool call.
 *
 * Job: runs it in its span, within its time, and says in a text what came of it.
 * Owns: the `execute_tool` span, linked to the model call that asked; the clock.
 *
 * I1  It gives an outcome whatever the tool does; only an abort of the turn rejects.
 * I2  A tool that ignores its signal holds the turn no longer than its time.
 */
import type { AgentContext, AgentMessage, AgentYield, Emit, ToolCall } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { SpanContext, WeftSpan } from "@weft/tracing/internal";
import { instrument, recordToolCall } from "@weft/tracing/internal";
import { Attr, LinkKinds, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { ReplyResult } from "../handoff/reply-result.ts";
import type { Target } from "../handoff/target.ts";
import type { HumanInput } from "../agent/human-answer.ts";
import type { Asker } from "../chat/scope.ts";
import { CallClock } from "../agent/call-clock.ts";
import { describeIssues } from "./schema.ts";
import { normaliseToolName } from "./tool-name.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** Whom to ask for an approval. */
export interface Approver {
  readonly humanInput: HumanInput | undefined;
  readonly asker: Asker | undefined;
}

export interface ToolRun {
  /** The message whose calls are run. */
  readonly message: AgentMessage;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly agent: string;
  readonly context: AgentContext;
  readonly contextVariables: Record<string, unknown>;
  readonly approver: Approver;
  /** Never two calls at once. */
  readonly isOneByOne?: boolean | undefined;
  /** The span of the model call that asked, where it is known. */
  readonly askedBy?: SpanContext | undefined;
  /** Takes the calls, the questions and the results. */
  readonly emit: Emit<AgentYield>;
}

/** A round whose calls are being run. */
export interface RunningRound extends ToolRun {
  /** Id of the message that will answer the calls. */
  readonly answerId: string;
}

export interface CallOutcome {
  readonly text: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly target?: Target | undefined;
  /** It set variables or a target. */
  readonly redirects?: boolean;
}

type Decision = { readonly approved: boolean; readonly reason?: string } | undefined;

/** A call with a result in the turn's journal is not made again, and opens no span. */
export async function runCall(run: RunningRound, call: ToolCall, decision: Decision): Promise<CallOutcome> {
  const { journal, signal } = run.context;
  if (!journal) return makeCall(run, call, decision);
  const onUnknown = run.tools.get(normaliseToolName(call.name))?.onUnknown ?? "retry";
  try {
    const begun = await journal.begin(`tool/${run.message.id}/${call.id}`, { onUnknown });
    if (begun.isDone) return begun.result as CallOutcome;
    const outcome = await makeCall(run, call, decision);
    // A redirect is no JSON, and its variables are set by making the call: another attempt makes it again, by its key.
    if (!outcome.redirects) await begun.step.finish(outcome);
    return outcome;
  } catch (thrown) {
    const error = WeftError.from(thrown);
    if (signal.aborted || error.code !== "tool_failed") throw error;
    const text = "The call was interrupted and its outcome is unknown. It was not made again.";
    return { text: `Error: ${text}`, error: text };
  }
}

async function makeCall(run: RunningRound, call: ToolCall, decision: Decision): Promise<CallOutcome> {
  const tool = run.tools.get(normaliseToolName(call.name));
  const { signal } = run.context;
  try {
    return await instrument(definitionOf(run, call, tool), (span) => {
      recordToolCall(span, { arguments: call.arguments, askedIn: run.message.id });
      if (decision?.approved === false) throw refused(call, decision.reason);
      return perform(run, call, tool, span);
    });
  } catch (thrown) {
    if (signal.aborted) {
      throw new WeftError("aborted", "The tool call was aborted.", { cause: signal.reason });
    }
    const error = WeftError.from(thrown, "tool_failed").message;
    return { text: `Error: ${error}`, error };
  }
}

function definitionOf(run: ToolRun, call: ToolCall, tool: Tool | undefined) {
  return {
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
}

async function perform(
  run: RunningRound,
  call: ToolCall,
  tool: Tool | undefined,
  span: WeftSpan,
): Promise<CallOutcome> {
  if (!tool) throw unknownTool(call.name, run.tools);
  const { input } = await parseArguments(tool, call.arguments);
  const output = await withinTime(tool, input, run, call);
  const isRedirect = output instanceof ReplyResult;
  const text = toText(tool.name, isRedirect ? output.message : output);
  recordToolCall(span, { result: text, answeredIn: placeOf(run, call) });
  return isRedirect ? redirect(run, text, output) : { text, output };
}

/** The result's text is the response's: it is recorded here, and named where the message stands. */
function placeOf({ message: { toolCalls = [] }, answerId }: RunningRound, call: ToolCall) {
  return { messageId: answerId, place: toolCalls.indexOf(call), count: toolCalls.length };
}

function redirect(run: ToolRun, text: string, result: ReplyResult): CallOutcome {
  for (const [name, value] of Object.entries(result.contextVariables ?? {})) {
    if (name !== "__proto__") run.contextVariables[name] = value;
  }
  return { text, output: result.message, target: result.target, redirects: true };
}

function refused(call: ToolCall, reason: string | undefined): WeftError {
  const why = reason ? `: ${reason}` : "";
  return new WeftError("permission_denied", `The call of "${call.name}" was not approved${why}.`);
}

function unknownTool(name: string, tools: ReadonlyMap<string, Tool>): WeftError {
  const known = [...tools.keys()].join(", ");
  return new WeftError(
    "not_found",
    `There is no tool "${name}". ${known ? `There are: ${known}.` : "There is none."}`,
  );
}

/** Raises `invalid_argument` with what the model can mend. */
export async function parseArguments(tool: Tool, text: string): Promise<{ readonly input: unknown }> {
  let input: unknown;
  try {
    input = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new WeftError("invalid_argument", `The arguments of "${tool.name}" are not valid JSON.`, { cause });
  }
  const given = tool.schema.parse(input);
  const parsed = given instanceof Promise ? await given : given;
  if (parsed.ok) return { input: parsed.value };
  throw new WeftError(
    "invalid_argument",
    `The arguments of "${tool.name}" do not fit its parameters: ${describeIssues(parsed.issues)}.`,
  );
}

export function createToolContext(
  { contextVariables, context, message, agent }: ToolRun,
  call: ToolCall,
  signal = context.signal,
): ToolContext {
  return {
    contextVariables,
    signal,
    toolCallId: call.id,
    idempotencyKey: `${message.id}/${call.id}`,
    agent,
  };
}

async function withinTime(tool: Tool, input: unknown, run: ToolRun, call: ToolCall): Promise<unknown> {
  const { timeoutMs } = tool;
  const what = `Tool "${tool.name}"`;
  const clock = new CallClock({ caller: run.context.signal, timeoutMs, what, late: "did not finish" });
  try {
    return await clock.wait(() => tool.execute(input, createToolContext(run, call, clock.signal)));
  } finally {
    clock.release();
  }
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
