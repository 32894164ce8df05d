import { injectCarrier, conversationOf, readRemote, traceIdOf } from "@weft/tracing/internal";
import type { Carrier, Context, Link, WeftSpan } from "@weft/tracing/internal";
import { Attr, EventNames, LinkKinds } from "@weft/tracing/vocabulary";
import type { Agent, AgentContext } from "../agent/agent.ts";
import type { AgentEvent } from "../agent/event.ts";
import { projectMessage } from "../agent/history.ts";
import type { Emit } from "../agent/pushing-agent.ts";
import { pushTurn } from "../agent/run-turn.ts";
import { carrierOf, withHop } from "../a2a/hop.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { unpackMessages } from "../a2a/message-mapping.ts";
import { attemptKey, readAttempt } from "../journal/attempt.ts";
import type { Attempt } from "../journal/attempt.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { TurnJournal } from "../journal/turn-journal.ts";
import type { StepRow } from "../store/task-store.ts";
import { checkMessageJson } from "./check-json.ts";
import type { ContextSession } from "./context-session.ts";
import type { TaskReply } from "./task-reply.ts";

export interface TurnRunOptions {
  readonly agent: Agent;
  readonly session: ContextSession<unknown>;
  readonly turn: PendingTurn;
  readonly taskId: string;
  readonly epoch: number;
  readonly signal: AbortSignal;
  /** The task's journal so far; undefined where there is none. */
  readonly steps: ReadonlyMap<string, StepRow> | undefined;
  readonly nextPlace: () => number;
  /** With the context of the turn's span. */
  readonly onOpen: (context: Context) => void;
  readonly write: (step: StepRow) => Promise<void>;
}

/** One turn of a task: the agent asked with what the message brought, and with what an earlier attempt left. */
export class TurnRun {
  /** The chat's variables; the agent changes them. */
  readonly variables: Record<string, unknown>;
  readonly #options: TurnRunOptions;
  readonly #journal: TurnJournal | undefined;
  readonly #earlier: Attempt | undefined;
  readonly #attemptKey: string;

  constructor(options: TurnRunOptions) {
    const { turn, steps, taskId, signal, write, nextPlace } = options;
    const { messageId } = turn.message;
    this.#options = options;
    this.variables = { ...turn.hop.variables };
    this.#attemptKey = attemptKey(messageId);
    if (!steps) return;
    const earlier = steps.get(this.#attemptKey);
    this.#earlier = earlier && readAttempt(earlier);
    const known = new Map(steps);
    this.#journal = new TurnJournal({ turn: messageId, taskId, known, signal, write, nextPlace });
  }

  /** Asks the agent; `emit` takes its events as they come. Resolves when its turn is over. */
  play(emit: Emit<AgentEvent>): Promise<unknown> {
    const { agent, session, turn } = this.#options;
    const { history } = session;
    const newFrom = history.length;
    const appends: string[] = [];
    for (const message of turn.unpacked ?? unpackMessages(turn.message)) {
      if (history.has(message.id)) continue;
      appends.push(`${history.id}:${history.append(projectMessage(message, agent.name))}=${message.id}`);
    }
    const request = { messages: history.messages, newFrom, contextVariables: this.variables };
    const options = {
      turn: ++session.turns,
      parent: turn.parent,
      appends,
      checkMessage: checkMessageJson,
      ...this.#stretch(),
    };
    return pushTurn(agent, request, this.#context(), options, emit);
  }

  #context(): AgentContext {
    const { session, turn, taskId, signal } = this.#options;
    const { hop, parent } = turn;
    const { contextId } = session;
    return {
      signal,
      contextId,
      taskId,
      conversationId: conversationOf(parent) ?? contextId,
      history: session.history,
      session: session.session,
      hop: {
        // Asked for by what calls on without a trace of its own.
        get carrier(): Carrier {
          const carrier = injectCarrier(parent);
          return carrier["traceparent"] === undefined ? carrierOf(hop) : carrier;
        },
        hops: hop.hops ?? 0,
        ...(hop.deadline === undefined ? {} : { deadline: hop.deadline }),
      },
      ...(hop.budget === undefined ? {} : { budget: hop.budget }),
      ...(this.#journal ? { journal: this.#journal } : {}),
    };
  }

  /** What the turn's span says of its attempt (SPANS, "Parents and links"). */
  #stretch(): {
    attributes?: Record<string, string | number>;
    links?: Link[];
    onOpen?: (span: WeftSpan) => void;
  } {
    const number = (this.#earlier?.number ?? 0) + 1;
    const onOpen = (span: WeftSpan): void => this.#opened(span, number);
    if (!this.#earlier) return { onOpen };
    const before = readRemote(this.#earlier.carrier);
    return {
      onOpen,
      attributes: { [Attr.runId]: this.#options.taskId, [Attr.stretch]: number, [Attr.attempt]: number },
      links: before ? [{ context: before, attributes: { [Attr.linkKind]: LinkKinds.previousAttempt } }] : [],
    };
  }

  /** The attempt is stored with the first intent at the latest: before it has done anything. */
  #opened(span: WeftSpan, number: number): void {
    const { write, nextPlace, steps, onOpen } = this.#options;
    onOpen(span.context);
    if (!steps) return;
    const place = steps.get(this.#attemptKey)?.place ?? nextPlace();
    const attempt: Attempt = { number, carrier: injectCarrier(span.context) };
    write({ key: this.#attemptKey, place, intent: JSON.stringify(attempt), result: undefined }).catch(
      () => undefined,
    );
    if (this.#earlier)
      span.addEvent(EventNames.resumed, { [Attr.skippedSteps]: [...(this.#journal?.skipped ?? [])] });
  }
}

/** What a turn's end says on the wire. */
export function replyMetadata(
  turn: PendingTurn,
  reply: TaskReply,
  variables?: Record<string, unknown>,
  error?: HopMetadata["error"],
): Record<string, unknown> | undefined {
  const traceId = traceIdOf(turn.parent);
  const usage = reply.usage.total;
  const hop: HopMetadata = {
    ...(traceId === undefined ? {} : { traceId }),
    ...(usage === undefined ? {} : { usage }),
    ...(variables && Object.keys(variables).length > 0 ? { variables } : {}),
    ...(error === undefined ? {} : { error }),
  };
  return Object.keys(hop).length === 0 ? undefined : withHop(undefined, hop);
}
