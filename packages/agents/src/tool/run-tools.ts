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
import type { AgentEventBody, AgentMessage, ToolCall, ToolResponse } from "@weft/runtime/agent";
import { createMessage } from "@weft/runtime/agent";
import { newMessageId } from "@weft/tracing/internal";
import type { Target } from "../handoff/target.ts";
import type { Approvals } from "./approvals.ts";
import { askApprovals } from "./approvals.ts";
import type { CallOutcome, RunningRound, ToolRun } from "./run-call.ts";
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

/** Tells each call and each result, in the order of the calls; undefined when a question stays open. */
export async function runTools(
  run: ToolRun,
  { isTakenUp = false }: { readonly isTakenUp?: boolean } = {},
): Promise<ToolAnswer | undefined> {
  const calls = run.message.toolCalls ?? [];
  if (!isTakenUp) for (const call of calls) await run.emit(tellCall(call));
  const approvals = await askApprovals(run);
  if (!approvals) return undefined;
  const toolResponses: ToolResponse[] = [];
  let redirect: Pick<ToolAnswer, "target" | "redirectedBy"> = {};
  const answerId = newMessageId();
  const round = { ...run, answerId };
  const outcomeOf = calls.length === 1 ? only(round, approvals) : startCalls(round, calls, approvals);
  for (const [index, call] of calls.entries()) {
    const outcome = await outcomeOf(index);
    if (outcome.redirects) redirecting.add(run.tools.get(normaliseToolName(call.name))!);
    if (outcome.target !== undefined) redirect = { target: outcome.target, redirectedBy: call.id };
    await run.emit(tellResult(call, outcome));
    const response = { toolCallId: call.id, name: call.name, content: outcome.text };
    toolResponses.push(outcome.error === undefined ? response : { ...response, isError: true });
  }
  const message = createMessage({
    id: answerId,
    role: "tool",
    name: run.agent,
    content: null,
    toolResponses,
  });
  return { message, ...redirect };
}

function tellCall({ id, name, arguments: text }: ToolCall): AgentEventBody {
  return { type: "tool-call", toolCallId: id, toolName: name, input: readInput(text) };
}

function tellResult({ id }: ToolCall, { output, error }: CallOutcome): AgentEventBody {
  if (error !== undefined) return { type: "tool-result", toolCallId: id, error };
  return { type: "tool-result", toolCallId: id, output };
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

/** What came of a call, by its place. Asked in order. */
type OutcomeOf = (index: number) => Promise<CallOutcome>;

function only(run: RunningRound, approvals: Approvals): OutcomeOf {
  const call = run.message.toolCalls![0]!;
  return () => runCall(run, call, approvals.get(call.id));
}

/**
 * Starts a call when the one before it did not end within the same turn of the event loop; so quick calls follow
 * one another, slow ones overlap, and a redirect that is at hand holds back what follows it.
 */
function startCalls(run: RunningRound, calls: readonly ToolCall[], approvals: Approvals): OutcomeOf {
  const started: Promise<CallOutcome>[] = [];
  const tools = calls.map(({ name }) => run.tools.get(normaliseToolName(name)));
  let isOneByOne =
    run.isOneByOne === true || tools.some((tool) => tool !== undefined && redirecting.has(tool));
  const start = (index: number): Promise<CallOutcome> => {
    const call = calls[index]!;
    const outcome = runCall(run, call, approvals.get(call.id)).then((ended) => {
      isOneByOne ||= ended.redirects === true;
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
  return async (index) => {
    // The calls are read in order, so the one before has ended and at most one turn of the loop is missing.
    while (!started[index]) await new Promise((resolve) => setImmediate(resolve));
    return started[index];
  };
}
