/*
 * One agent's turn, from its request to its reply.
 *
 * Job: the ONE place that opens a turn's span, asks an agent, and closes the span however the turn ends: a reply, none,
 *   a throw, an abort, a reader that leaves.
 * Owns: the order of events. Does not own: the request's messages (the caller put them into `context.history`), or the
 *   chat.
 *
 * I1  At most one `message` event has this turn's origin (an empty `path` beyond the caller's); a second message is
 *     an error of the agent. If the agent only gave text deltas, they joined are the message.
 * I2  The reply stands in `context.history` when its event is seen.
 * I3  The span ends exactly once; an abort is answered at once, also by an agent that ignores its signal.
 * I4  The agent runs in the span's context, whoever takes its events.
 */
import { activeContext, conversationOf, openSpan, setConversation, SpanKind } from "@weft/tracing/internal";
import type { Attributes, Context, Link, OpenSpan, WeftSpan } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { abortable, abortError } from "./abortable.ts";
import type { Agent, AgentContext, AgentRequest } from "./agent.ts";
import { withTurn } from "./ambient-turn.ts";
import type { AgentEvent, AgentYield } from "./event.ts";
import { iteratePushed } from "./iterate-pushed.ts";
import type { AgentMessage } from "./message.ts";
import type { Emit } from "./pushing-agent.ts";
import { isPushing, pushReply } from "./pushing-agent.ts";
import { Turn } from "./turn.ts";

export interface RunTurnOptions {
  /** The turn's number in its chat; the first is 1. */
  readonly turn: number;
  /** The chats this one runs in, outermost first. Default []. */
  readonly path?: readonly string[];
  /** Default: the active context. */
  readonly parent?: Context;
  /** Added to the turn's span. */
  readonly attributes?: Attributes;
  /** Runs of what the caller appended for this turn (`History.mirror` returns them), said on the turn's span. */
  readonly appends?: readonly string[];
  /** Of the turn's span: an earlier attempt. */
  readonly links?: readonly Link[];
  /** Called once, with the span open and before the agent is asked. */
  readonly onOpen?: (span: WeftSpan) => void;
  /** Called with the reply before it stands in the history; what it throws fails the turn. */
  readonly checkMessage?: (message: AgentMessage) => void;
  /** Called with the reply before its event is seen; the span is still open. */
  readonly onMessage?: (message: AgentMessage, span: WeftSpan) => void;
}

/**
 * Runs one turn and yields its events; returns the reply, or undefined when the agent gave none. The caller must have
 * put the request's messages into `context.history` before. A reader that leaves aborts the turn.
 *
 * @throws WeftError what the agent threw; after an abort the signal's reason if that is a WeftError, `deadline_exceeded`
 *   for a timeout, else `aborted` (name `AbortError`, cause: the signal's reason)
 */
export function runTurn(
  agent: Agent,
  request: AgentRequest,
  context: AgentContext,
  options: RunTurnOptions,
): AsyncGenerator<AgentEvent, AgentMessage | undefined> {
  return iteratePushed(context.signal, (emit, signal) =>
    pushTurn(agent, request, { ...context, signal }, options, emit),
  );
}

/** {@link runTurn} for a caller that takes each event at once: `emit` is called with it. */
export async function pushTurn(
  agent: Agent,
  request: AgentRequest,
  context: AgentContext,
  options: RunTurnOptions,
  emit: Emit<AgentEvent>,
): Promise<AgentMessage | undefined> {
  const { signal } = context;
  const opened = openTurnSpan(agent, context, options);
  const turn = new Turn(agent, context, options, opened, emit);
  try {
    if (signal.aborted) throw abortError(signal);
    let close: (() => void) | undefined;
    const asked = { agent, request, context, onPull: (end: () => void) => (close = end) };
    await abortable(
      signal,
      opened.run(() => ask(asked, turn.take)),
      () => close?.(),
    );
    const told = turn.closeDraft();
    if (told) await told;
    return turn.finish();
  } catch (error) {
    throw turn.fail(error);
  }
}

interface Asked {
  readonly agent: Agent;
  readonly request: AgentRequest;
  readonly context: AgentContext;
  /** Given what tells an agent that is pulled that nobody reads on. */
  readonly onPull: (end: () => void) => void;
}

function ask({ agent, request, context, onPull }: Asked, emit: Emit<AgentYield>): Promise<void> {
  if (isPushing(agent)) return agent[pushReply](request, context, emit);
  const iterator = agent.respond(request, context)[Symbol.asyncIterator]();
  // One that does not look at its signal is at least told.
  onPull(() => void Promise.resolve(iterator.return?.()).catch(() => undefined));
  return pull(iterator, emit);
}

/** Agents that only have `respond`: the one place where their iterables are read. */
async function pull(iterator: AsyncIterator<AgentYield>, emit: Emit<AgentYield>): Promise<void> {
  for await (const step of { [Symbol.asyncIterator]: () => iterator }) {
    const told = emit(step);
    if (told) await told;
  }
}

function openTurnSpan(agent: Agent, context: AgentContext, options: RunTurnOptions): OpenSpan {
  const { operation = Operations.invokeAgent, kind = SpanKind.INTERNAL, type, attributes } = agent.turn ?? {};
  const isWorkflow = operation === Operations.invokeWorkflow;
  const { conversationId } = context;
  const given = options.parent ?? activeContext();
  const parent = conversationOf(given) === conversationId ? given : setConversation(given, conversationId);
  const described: Attributes = {
    [Attr.operationName]: operation,
    [isWorkflow ? Attr.workflowName : Attr.agentName]: agent.name,
    [Attr.turnNumber]: options.turn,
    [Attr.a2aContextId]: context.contextId,
  };
  if (agent.description !== undefined) described[Attr.agentDescription] = agent.description;
  if (attributes || options.attributes) Object.assign(described, attributes, options.attributes);
  const opened = openSpan({
    name: `${operation} ${agent.name}`,
    type: type ?? (isWorkflow ? SpanTypes.workflow : SpanTypes.agent),
    kind,
    parent: withTurn(parent, context),
    links: options.links,
    attributes: described,
  });
  options.onOpen?.(opened.span);
  return opened;
}
