import { injectCarrier, conversationOf, readRemote } from "@weft/tracing/internal";
import type { Carrier, Context, Link, WeftSpan } from "@weft/tracing/internal";
import { Attr, EventNames, LinkKinds } from "@weft/tracing/vocabulary";
import type { Agent, AgentContext } from "../agent/agent.ts";
import type { AgentEvent } from "../agent/event.ts";
import type { AgentMessage } from "../agent/message.ts";
import { projectMessage } from "../agent/history.ts";
import type { Emit } from "../agent/pushing-agent.ts";
import { pushTurn } from "../agent/run-turn.ts";
import { carrierOf } from "../a2a/hop.ts";
import { unpackMessages } from "../a2a/message-mapping.ts";
import { attemptKey, readAttempt } from "../journal/attempt.ts";
import type { Attempt } from "../journal/attempt.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { TurnJournal } from "../journal/turn-journal.ts";
import type { StepRow } from "../store/task-store.ts";
import { checkMessageJson } from "./check-json.ts";
import type { ContextSession } from "./context-session.ts";

export interface TurnRunOptions {
  readonly agent: Agent;
  readonly session: ContextSession<unknown>;
  readonly turn: PendingTurn;
  readonly signal: AbortSignal;
  /** The task that the turn is of. Default: none. */
  readonly task?: TurnTask;
}

export interface TurnTask {
  readonly id: string;
  /** With the context of the turn's span. */
  readonly onOpen: (context: Context) => void;
  /** Undefined where nothing outlives the process. */
  readonly journal: TaskJournal | undefined;
}

/** A task's journal so far, and how it goes on. */
export interface TaskJournal {
  readonly steps: ReadonlyMap<string, StepRow>;
  readonly nextPlace: () => number;
  readonly write: (step: StepRow) => Promise<void>;
}

/** One turn: the agent asked with what the message brought, and with what an earlier attempt left. */
export class TurnRun {
  /** The chat's variables; the agent changes them. */
  readonly variables: Record<string, unknown>;
  readonly #options: TurnRunOptions;
  readonly #journal: TurnJournal | undefined;
  readonly #earlier: Attempt | undefined;
  readonly #attemptKey: string;

  constructor(options: TurnRunOptions) {
    const { turn, task, signal } = options;
    const { messageId } = turn.message;
    this.#options = options;
    this.variables = { ...turn.hop.variables };
    this.#attemptKey = attemptKey(messageId);
    if (!task?.journal) return;
    const { steps, write, nextPlace } = task.journal;
    const earlier = steps.get(this.#attemptKey);
    this.#earlier = earlier && readAttempt(earlier);
    const known = new Map(steps);
    this.#journal = new TurnJournal({ turn: messageId, taskId: task.id, known, signal, write, nextPlace });
  }

  /** Asks the agent; `emit` takes its events as they come. Resolves with its reply, if any, when its turn is over. */
  play(emit: Emit<AgentEvent>): Promise<AgentMessage | undefined> {
    const { agent, session, turn } = this.#options;
    const { history } = session;
    const length = history.length;
    const appends: string[] = [];
    const brought = turn.unpacked ?? unpackMessages(turn.message);
    for (const message of brought) {
      if (history.has(message.id)) continue;
      appends.push(`${history.id}:${history.append(projectMessage(message, agent.name))}=${message.id}`);
    }
    // A message that comes again, its turn having failed or been given up, is still what the agent is asked.
    const isAgain = appends.length === 0 && brought.length > 0;
    const newFrom = isAgain ? history.messages.findIndex(({ id }) => id === brought[0]!.id) : length;
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
    const { session, turn, task, signal } = this.#options;
    const { hop, parent } = turn;
    const { contextId } = session;
    return {
      signal,
      contextId,
      ...(task ? { taskId: task.id } : {}),
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
    const { task } = this.#options;
    if (!task) return {};
    const number = (this.#earlier?.number ?? 0) + 1;
    const onOpen = (span: WeftSpan): void => this.#opened(span, number, task);
    if (!this.#earlier) return { onOpen };
    const before = readRemote(this.#earlier.carrier);
    return {
      onOpen,
      attributes: { [Attr.runId]: task.id, [Attr.stretch]: number, [Attr.attempt]: number },
      links: before ? [{ context: before, attributes: { [Attr.linkKind]: LinkKinds.previousAttempt } }] : [],
    };
  }

  /** The attempt is stored with the first intent at the latest: before it has done anything. */
  #opened(span: WeftSpan, number: number, { onOpen, journal }: TurnTask): void {
    onOpen(span.context);
    if (!journal) return;
    const { steps, write, nextPlace } = journal;
    const place = steps.get(this.#attemptKey)?.place ?? nextPlace();
    const attempt: Attempt = { number, carrier: injectCarrier(span.context) };
    write({ key: this.#attemptKey, place, intent: JSON.stringify(attempt), result: undefined }).catch(
      () => undefined,
    );
    if (this.#earlier)
      span.addEvent(EventNames.resumed, { [Attr.skippedSteps]: [...(this.#journal?.skipped ?? [])] });
  }
}
