/*
 * runTurn: one agent's turn, from its request to its reply.
 *
 * Job: the ONE place that opens a turn's span, turns what an agent yields into events, and closes the span however
 *   the turn ends: a reply, none, a throw, an abort, a reader that leaves.
 * Owns: the span and the order of events. Does not own: the request's messages (the caller put them into
 *   `context.history`), or the chat.
 *
 * I1  At most one `message` event has this turn's origin (an empty `path` beyond the caller's); a second message is
 *     an error of the agent. If the agent only gave text deltas, they joined are the message.
 * I2  The reply stands in `context.history` when its event is seen.
 * I3  The span ends exactly once; an abort is answered at once, also by an agent that ignores its signal.
 * I4  Every step of the agent runs in the span's context, whoever drives the generator.
 */
import { WeftError } from "@weft/tracing";
import {
  activeContext,
  bindGenerator,
  describeAppends,
  newMessageId,
  openSpan,
  recordOutput,
  setConversation,
  SpanKind,
} from "@weft/tracing/internal";
import type { Attributes, Context, Link, OpenSpan, WeftSpan } from "@weft/tracing/internal";
import { Attr, Operations, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { abortError, abortable } from "./abortable.ts";
import { isFenced } from "./fenced.ts";
import type { Agent, AgentContext, AgentRequest } from "./agent.ts";
import type { AgentEvent, AgentEventBody, AgentYield, EventOrigin } from "./event.ts";
import { withTurn } from "./ambient-turn.ts";
import { isNestedEvent } from "./event.ts";
import type { AgentMessage, MessageInput } from "./message.ts";
import { createMessage, messageText } from "./message.ts";

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
  /** Called with the reply before its event is seen; the span is still open. */
  readonly onMessage?: (message: AgentMessage, span: WeftSpan) => void;
}

/**
 * Runs one turn and yields its events; returns the reply, or undefined when the agent gave none. The caller must have
 * put the request's messages into `context.history` before.
 *
 * @throws WeftError what the agent threw; after an abort the signal's reason if that is a WeftError, `deadline_exceeded`
 *   for a timeout, else `aborted` (name `AbortError`, cause: the signal's reason)
 */
export async function* runTurn(
  agent: Agent,
  request: AgentRequest,
  context: AgentContext,
  options: RunTurnOptions,
): AsyncGenerator<AgentEvent, AgentMessage | undefined> {
  const turn = openTurn(agent, context, options);
  try {
    const source = turn.opened.run(() => agent.respond(request, context));
    const steps = bindGenerator(turn.opened.span.context, source);
    for await (const step of abortable(steps, context.signal)) {
      const event = turn.accept(step);
      if (event) yield event;
    }
    const event = turn.closeDeltas();
    if (event) yield event;
    turn.finish();
    return turn.reply;
  } catch (error) {
    throw turn.fail(error);
  } finally {
    turn.leave();
  }
}

function openTurn(agent: Agent, context: AgentContext, options: RunTurnOptions): Turn {
  const { operation = Operations.invokeAgent, kind = SpanKind.INTERNAL, type, attributes } = agent.turn ?? {};
  const isWorkflow = operation === Operations.invokeWorkflow;
  const opened = openSpan({
    name: `${operation} ${agent.name}`,
    type: type ?? (isWorkflow ? SpanTypes.workflow : SpanTypes.agent),
    kind,
    parent: withTurn(setConversation(options.parent ?? activeContext(), context.conversationId), context),
    links: options.links,
    attributes: {
      [Attr.operationName]: operation,
      [isWorkflow ? Attr.workflowName : Attr.agentName]: agent.name,
      ...(agent.description === undefined ? {} : { [Attr.agentDescription]: agent.description }),
      [Attr.turnNumber]: options.turn,
      [Attr.a2aContextId]: context.contextId,
      ...attributes,
      ...options.attributes,
    },
  });
  options.onOpen?.(opened.span);
  return new Turn(agent, context, options, opened);
}

type GivenMessage = Exclude<MessageInput, string>;

class Turn {
  readonly opened: OpenSpan;
  reply: AgentMessage | undefined;
  readonly #agent: Agent;
  readonly #context: AgentContext;
  readonly #options: RunTurnOptions;
  readonly #origin: EventOrigin;
  readonly #firstPlace: number;
  #draftId: string | undefined;
  #deltas: string[] = [];
  #suspended = false;
  #ended = false;

  constructor(agent: Agent, context: AgentContext, options: RunTurnOptions, opened: OpenSpan) {
    this.opened = opened;
    this.#agent = agent;
    this.#context = context;
    this.#options = options;
    this.#firstPlace = context.history.length;
    const { turn, path = [] } = options;
    this.#origin = { from: agent.name, turn, spanId: opened.span.spanId, path };
  }

  accept(step: AgentYield): AgentEvent | undefined {
    if (typeof step === "string") return step === "" ? undefined : this.#delta(step, undefined);
    if (!("type" in step)) return this.#message(step);
    if (isNestedEvent(step)) {
      return { ...step, path: [...this.#origin.path, this.#agent.name, ...step.path] };
    }
    return this.#own(step);
  }

  /** The deltas joined, when the agent gave no message of its own. */
  closeDeltas(): AgentEvent | undefined {
    if (this.reply || this.#deltas.length === 0) return undefined;
    const content = this.#deltas.join("");
    return this.#message({ id: this.#draftId ?? newMessageId(), role: "assistant", content });
  }

  finish(): void {
    this.#end(this.#suspended && !this.reply ? Outcomes.suspended : undefined);
  }

  fail(error: unknown): WeftError {
    const failure = this.#context.signal.aborted ? abortError(this.#context.signal) : WeftError.from(error);
    this.#ended = true;
    if (isFenced(failure)) {
      // What a former owner appended stands in no history.
      this.opened.end(Outcomes.fenced);
      return failure;
    }
    this.#sayAppends();
    this.opened.fail(failure);
    return failure;
  }

  /** The reader left before the end (a generator's `return`). */
  leave(): void {
    this.#end(Outcomes.cancelled);
  }

  #own(event: AgentEventBody): AgentEvent {
    switch (event.type) {
      case "text-delta":
        return this.#delta(event.text, event.messageId);
      case "message":
        return this.#message(event.message);
      case "reset":
        if (event.messageId === this.#draftId) this.#deltas = [];
        return { ...event, ...this.#origin };
      case "input-required":
        this.#suspended = true;
        return { ...event, ...this.#origin };
      case "end":
        // A question that was answered within the turn suspends nothing.
        this.#suspended = event.endedBy === "suspended";
        return { ...event, ...this.#origin };
      case "reasoning-delta":
      case "tool-call":
      case "tool-result":
      case "speaker-selected":
      case "handoff":
      case "usage":
        return { ...event, ...this.#origin };
    }
  }

  #delta(text: string, messageId: string | undefined): AgentEvent {
    if (this.reply) throw this.#secondMessage();
    this.#draftId = messageId ?? this.#draftId ?? newMessageId();
    this.#deltas.push(text);
    return { type: "text-delta", text, messageId: this.#draftId, ...this.#origin };
  }

  #message(given: GivenMessage): AgentEvent {
    if (this.reply) throw this.#secondMessage();
    const message = this.#complete(given);
    this.reply = message;
    this.#deltas = [];
    if (!this.#context.history.has(message.id)) this.#context.history.append(message);
    recordOutput(this.opened.span, [message]);
    this.#options.onMessage?.(message, this.opened.span);
    return { type: "message", text: messageText(message), message, ...this.#origin };
  }

  #complete(given: GivenMessage): AgentMessage {
    const { id = newMessageId(), name = this.#agent.name, role } = given;
    if (given.id === id && given.name === name && role === "assistant" && Object.isFrozen(given)) {
      return given as AgentMessage;
    }
    return createMessage({ ...given, id, name, role: role === "tool" ? role : "assistant" });
  }

  #secondMessage(): WeftError {
    return new WeftError(
      "failed_precondition",
      `Agent "${this.#agent.name}" gave more than one message in a turn: yield its text as strings, or one message.`,
    );
  }

  #end(outcome: (typeof Outcomes)[keyof typeof Outcomes] | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sayAppends();
    this.opened.end(outcome);
  }

  #sayAppends(): void {
    const { history } = this.#context;
    const appends = [...(this.#options.appends ?? [])];
    for (let place = this.#firstPlace; place < history.length; place++) {
      appends.push(`${history.id}:${place}=${history.messages[place]!.id}`);
    }
    if (appends.length > 0) describeAppends(this.opened.span, appends);
  }
}
