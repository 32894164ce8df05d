/*
 * MessageIntake: how a message becomes a turn.
 *
 * Job: finds the task and context that a message is for, and hands it to the task's actor.
 * Owns: nothing that lasts. Does not own: which tasks run (RunningTasks), what a turn does.
 *
 * I1  The same message id twice on a context is one turn, unless that turn failed.
 * I2  What is refused here has cost no turn.
 */
import type { Message, SendMessageRequest } from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import { carrierOf, checkHop, readHop, withoutCarrier } from "../a2a/hop.ts";
import { homeOf } from "../journal/message-in.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import type { PushConfigs } from "../push/push-configs.ts";
import type { TaskRow, TaskStore } from "../store/task-store.ts";
import { callStateOf, ownerOf } from "./call-state.ts";
import type { ContextSessions } from "./context-session.ts";
import { DirectTurn } from "./direct-turn.ts";
import type { RunningTasks, Session, Taken } from "./running-tasks.ts";
import { newUuid } from "./new-uuid.ts";
import { whenAtRest } from "./stored-task.ts";
import { TaskActor } from "./task-actor.ts";
import type { TaskLimits } from "./task-limits.ts";
import { isTerminal } from "./task-record.ts";

export interface MessageIntakeOptions {
  readonly limits: TaskLimits;
  readonly store: TaskStore;
  readonly scope: string;
  readonly tasks: RunningTasks;
  readonly sessions: ContextSessions<Taken | Promise<Taken>>;
  readonly push: PushConfigs;
}

type Known = TaskActor | TaskRow | undefined;

export interface Intake {
  /** Called before the message's turn begins; not for a message that was taken before, or that makes no task. */
  readonly onStored?: (actor: TaskActor) => void;
  /** The answer is a message: no task is made of it where none is needed to outlive the process. */
  readonly isDirect?: boolean;
}

/** One message with the call that brought it. */
interface Incoming extends Intake {
  readonly message: Message;
  readonly params: SendMessageRequest;
  readonly context: ServerCallContext;
  /** What failed once the message was taken: it fails the call that brought it, and no other. */
  failure?: Error;
}

export class MessageIntake {
  readonly #options: MessageIntakeOptions;

  constructor(options: MessageIntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the message is stored, with the task whose turn it is or was, or with the turn itself where it makes no
   * task: with what it came to, when it is over.
   */
  accept(
    params: SendMessageRequest,
    context: ServerCallContext,
    intake: Intake = {},
  ): Taken | Promise<Taken> {
    const message = checkMessage(params.message);
    const incoming: Incoming = { ...intake, message, params, context };
    const taken =
      message.taskId === ""
        ? this.#acceptIn(message.contextId || newUuid(), incoming, undefined)
        : this.#acceptOnTask(incoming);
    return params.configuration?.taskPushNotificationConfig ? unlessFailed(taken, incoming) : taken;
  }

  async #acceptOnTask(incoming: Incoming): Promise<Taken> {
    const { message, context } = incoming;
    const found = await this.#options.tasks.find(message.taskId, ownerOf(context));
    // Before the session is read: what the turn elsewhere says belongs to it.
    const known = await this.#atRest(found, context);
    if (message.contextId !== "" && message.contextId !== known.contextId) {
      throw new RequestMalformedError(`Task ${message.taskId} belongs to another context.`);
    }
    return this.#acceptIn(known.contextId, incoming, known);
  }

  #acceptIn(contextId: string, incoming: Incoming, known: Known): Taken | Promise<Taken> {
    const { sessions, scope } = this.#options;
    const key = { scope, owner: ownerOf(incoming.context), contextId };
    return sessions.use(key, (session) => this.#take(incoming, session, known));
  }

  /** Once for each message id: a repeat gets the task of the first, unless its turn failed. */
  #take(incoming: Incoming, session: Session, known: Known): Taken | Promise<Taken> {
    const { messageId } = incoming.message;
    const isStored = this.#options.store.isDurable;
    const earlier = session.taken(messageId) ?? (isStored ? this.#takenBefore(session, incoming) : undefined);
    const taking: Taken | Promise<Taken> = earlier
      ? this.#takeAgain(earlier, incoming, session, known)
      : this.#enqueue(incoming, session, known);
    session.take(messageId, taking);
    if (taking instanceof Promise) taking.catch(() => session.forget(messageId, taking));
    return taking;
  }

  async #takeAgain(
    earlier: Taken | Promise<Taken | undefined>,
    incoming: Incoming,
    session: Session,
    known: Known,
  ): Promise<Taken> {
    const taken = await Promise.resolve(earlier).catch(ignoreFailedTaking);
    if (taken instanceof TaskActor && taken.isStopped)
      await taken.settled(callStateOf(incoming.context).signal);
    if (taken && !isFailed(taken)) return taken;
    return this.#enqueue(incoming, session, known, taken);
  }

  /** By a process that is gone, or another. */
  async #takenBefore(
    session: Session,
    { message: { messageId }, context }: Incoming,
  ): Promise<Taken | undefined> {
    const { store, tasks } = this.#options;
    const id = await store.findMessage(session.key, messageId);
    const row = id === undefined ? undefined : await store.get(tasks.key(id));
    if (!row) return undefined;
    const rested = await this.#atRest(row, context);
    const taken = await tasks.openAny(rested, session);
    if (!row.isOpen || !isFailed(taken)) return taken;
    // This session was read before that turn ended; the next one will know.
    this.#options.sessions.forget(session.key);
    throw new WeftError("unavailable", "The turn failed in another process; send the message again.", {
      retryable: true,
    });
  }

  /** A task that another process runs, once its turn is over. */
  async #atRest<K extends TaskActor | TaskRow>(known: K, context: ServerCallContext): Promise<K | TaskRow> {
    const { tasks, store, limits } = this.#options;
    if (known instanceof TaskActor ? !known.isLost : !known.isOpen || tasks.get(known.id)) return known;
    const { signal } = callStateOf(context);
    return whenAtRest(store, tasks.key(known.id), { signal, timeoutMs: limits.turnMs });
  }

  /** `failed`: what the same message came to before. */
  #enqueue(incoming: Incoming, session: Session, known: Known, failed?: Taken): Taken | Promise<Taken> {
    const { message, params, context } = incoming;
    const { tasks, limits, push, store } = this.#options;
    this.#checkRoom(known);
    const { hop = readHop(message.metadata), headers, unpacked, callerKey } = callStateOf(context);
    checkHop(hop, limits.hops);
    const parent = activeContext();
    const home = store.isDurable
      ? homeOf({ ...carrierOf(hop), ...traceHeaders(headers) }, parent)
      : undefined;
    const config = params.configuration?.taskPushNotificationConfig;
    if (config) push.check(config);
    const turn = { message: withoutCarrier(message), unpacked, hop, parent, home };
    if (incoming.isDirect && !store.isDurable) return tasks.answer(turn, session, callerKey);
    if (!known) return this.#hand(tasks.create(session), turn, incoming, failed);
    if (known instanceof TaskActor && !known.isLost) {
      if (store.isDurable) known.session = session;
      return this.#hand(known, turn, incoming, failed);
    }
    return this.#reopen(known, session).then((actor) => this.#hand(actor, turn, incoming, failed));
  }

  #hand(
    actor: TaskActor,
    turn: Omit<PendingTurn, "place">,
    incoming: Incoming,
    failed: Taken | undefined,
  ): TaskActor | Promise<TaskActor> {
    const { tasks, push } = this.#options;
    const { params, context, onStored } = incoming;
    const config = params.configuration?.taskPushNotificationConfig;
    tasks.begin(actor, callStateOf(context).callerKey);
    const stored = (): Promise<void> | undefined => {
      if (config) {
        const putting = push.put(tasks.key(actor.id), config, context.requestedVersion);
        return putting.then(
          () => onStored?.(actor),
          (error: unknown) =>
            void (incoming.failure = error instanceof Error ? error : WeftError.from(error)),
        );
      }
      onStored?.(actor);
      return undefined;
    };
    const enqueued = actor.enqueue(turn, { messageFrom: failed && idOf(failed), onStored: stored });
    return enqueued ? enqueued.then(() => actor) : actor;
  }

  /** A task that rests in the store. */
  async #reopen(known: TaskActor | TaskRow, session: Session): Promise<TaskActor> {
    const { tasks, store } = this.#options;
    const row = known instanceof TaskActor ? await store.get(tasks.key(known.id)) : known;
    if (row && !row.isOpen) return tasks.open(row, session);
    throw new WeftError("unavailable", "The task runs in another process; send the message again.", {
      retryable: true,
    });
  }

  #checkRoom(known: Known): void {
    if (known && (known instanceof TaskActor ? known.isTerminal : isTerminal(known.state))) {
      throw new UnsupportedOperationError(
        "The task is over; send the message without a task id to start a new one.",
      );
    }
    const { tasks, limits } = this.#options;
    if (tasks.isDraining) throw new WeftError("unavailable", "The service is shutting down.");
    if (!known && tasks.count >= limits.runningTasks) {
      throw new WeftError(
        "unavailable",
        `The service reached the limit runningTasks of ${limits.runningTasks}.`,
      );
    }
  }
}

async function unlessFailed(taking: Taken | Promise<Taken>, incoming: Incoming): Promise<Taken> {
  const taken = await taking;
  if (incoming.failure) throw incoming.failure;
  return taken;
}

function traceHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string") return {};
  return { traceparent, ...(typeof tracestate === "string" ? { tracestate } : {}) };
}

/** @throws RequestMalformedError for what is no message to anybody */
export function checkMessage(message: Message | undefined): Message {
  if (!message) throw new RequestMalformedError("The request has no message.");
  if (message.messageId === "") throw new RequestMalformedError("The message has no messageId.");
  if (message.parts.length === 0) throw new RequestMalformedError("The message has no parts.");
  return message;
}

/** Of the task that it is, or was. */
function idOf(taken: Taken): string | undefined {
  return "id" in taken ? taken.id : undefined;
}

function isFailed(taken: Taken): boolean {
  if (taken instanceof DirectTurn) return taken.isGivenUp || (taken.result ? isFailed(taken.result) : false);
  if (taken instanceof TaskActor) return taken.isTerminal && isFailed(taken.snapshot());
  return "status" in taken && taken.status?.state !== TaskState.TASK_STATE_COMPLETED;
}

/** A first sending that failed was never taken; what says to send again is for who sends now. */
function ignoreFailedTaking(error: unknown): undefined {
  if (error instanceof WeftError && error.retryable) throw error;
}
