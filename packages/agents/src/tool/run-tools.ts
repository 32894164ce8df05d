/*
 * Runs the tool calls of one message.
 *
 * Job: asks for the approvals that are needed, runs the calls, answers them in order, in one message.
 * Owns: the order and the answer. Does not own: one call (`run-call.ts`), or what happens with the answer.
 *
 * I1  Every call gets exactly one response. Unknown tool, bad JSON, schema failure, a refusal, throw and timeout are
 *     each an error text for the model; only an abort of the turn, or a question that stays open, ends it.
 * I2  Calls run concurrently, until one of them redirects the conversation: then the rest run one at a time, each
 *     seeing the variables the one before set, and the last target counts (SEMANTICS O3).
 */
import type { AgentEventBody, AgentMessage, AgentYield, ToolCall, ToolResponse } from "@weft/runtime/agent";
import { createMessage } from "@weft/runtime/agent";
import type { Target } from "../handoff/target.ts";
import type { Approvals } from "./approvals.ts";
import { askApprovals } from "./approvals.ts";
import type { CallOutcome, ToolRun } from "./run-call.ts";
import { runCall } from "./run-call.ts";
import { normaliseToolName } from "./tool-name.ts";
import type { Tool } from "./tool.ts";

export type { ToolRun } from "./run-call.ts";

export interface ToolAnswer {
  /** Answers all calls, in their order. */
  readonly message: AgentMessage;
  /** Where the calls sent the conversation. */
  readonly target?: Target;
  /** The call that said so last. */
  readonly redirectedBy?: string;
}

/** Yields each call and each result, in the order of the calls; undefined when a question stays open. */
export async function* runTools(
  run: ToolRun,
  { isTakenUp = false }: { readonly isTakenUp?: boolean } = {},
): AsyncGenerator<AgentYield, ToolAnswer | undefined> {
  const calls = run.message.toolCalls ?? [];
  if (!isTakenUp) yield* tellCalls(calls);
  const approvals = yield* askApprovals(run);
  if (!approvals) return undefined;
  const toolResponses: ToolResponse[] = [];
  let redirect: Pick<ToolAnswer, "target" | "redirectedBy"> = {};
  const running = startCalls(run, calls, approvals);
  for (const [index, call] of calls.entries()) {
    const outcome = await running.outcome(index);
    if (outcome.target !== undefined) redirect = { target: outcome.target, redirectedBy: call.id };
    yield tellResult(call, outcome);
    const isError = outcome.error === undefined ? {} : { isError: true };
    toolResponses.push({ toolCallId: call.id, name: call.name, content: outcome.text, ...isError });
  }
  const message = createMessage({ role: "tool", name: run.agent, content: null, toolResponses });
  return { message, ...redirect };
}

function* tellCalls(calls: readonly ToolCall[]): Generator<AgentEventBody> {
  for (const call of calls) {
    yield { type: "tool-call", toolCallId: call.id, toolName: call.name, input: readInput(call.arguments) };
  }
}

function tellResult(call: ToolCall, { output, error }: CallOutcome): AgentEventBody {
  return { type: "tool-result", toolCallId: call.id, ...(error === undefined ? { output } : { error }) };
}

/** What a reader is shown: the parsed arguments, or the text when it is not JSON. */
function readInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Tools that redirected once: their calls are run one at a time from the start. */
const redirecting = new WeakSet<Tool>();

interface RunningCalls {
  outcome(index: number): Promise<CallOutcome>;
}

/**
 * Starts a call when the one before it did not end within the same turn of the event loop; so quick calls follow
 * one another, slow ones overlap, and a redirect that is at hand holds back what follows it.
 */
function startCalls(run: ToolRun, calls: readonly ToolCall[], approvals: Approvals): RunningCalls {
  const started: Promise<CallOutcome>[] = [];
  const tools = calls.map(({ name }) => run.tools.get(normaliseToolName(name)));
  let isOneByOne =
    run.isOneByOne === true || tools.some((tool) => tool !== undefined && redirecting.has(tool));
  const start = (index: number): Promise<CallOutcome> => {
    const call = calls[index]!;
    const outcome = runCall(run, call, approvals.get(call.id)).then((ended) => {
      if (ended.redirects) {
        isOneByOne = true;
        redirecting.add(tools[index]!);
      }
      return ended;
    });
    // Settled together, so that one abort leaves no rejection behind that nobody awaits.
    outcome.catch(() => undefined);
    return outcome;
  };
  const startAll = async (): Promise<void> => {
    for (let index = 0; index < calls.length; index++) {
      const outcome = (started[index] = start(index));
      const ended = outcome.then(() => undefined);
      ended.catch(() => undefined);
      if (index + 1 === calls.length) break;
      await (isOneByOne ? ended : Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]));
      if (isOneByOne) await ended;
    }
  };
  const all = startAll();
  all.catch(() => undefined);
  return {
    async outcome(index) {
      // The calls are read in order, so the one before has ended and at most one turn of the loop is missing.
      while (!started[index]) await new Promise((resolve) => setImmediate(resolve));
      return started[index];
    },
  };
}
