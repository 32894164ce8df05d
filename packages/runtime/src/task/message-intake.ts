/*
 * MessageIntake: how a message becomes a turn.
 *
 * Job: finds the task and context that a message is for, and hands it to the task's actor.
 * Owns: nothing that lasts. Does not own: which tasks run (RunningTasks), what a turn does.
 *
 * I1  The same message id twice on a context is one turn, unless that turn failed.
 * I2  What is refused here has cost no turn.
 */
import { randomUUID } from "node:crypto";
import type { Message, SendMessageRequest } from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import { RequestMalformedError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import { carrierOf, checkHop, readHop } from "../a2a/hop.ts";
import { homeOf } from "../journal/message-in.ts";
import type { PushConfigs } from "../push/push-configs.ts";
import type { TaskRow, TaskStore } from "../store/task-store.ts";
import { callStateOf, ownerOf } from "./call-state.ts";
import type { ContextSessions } from "./context-session.ts";
import type { RunningTasks, Session } from "./running-tasks.ts";
import { whenAtRest } from "./stored-task.ts";
import { TaskActor } from "./task-actor.ts";
import type { TaskLimits } from "./task-limits.ts";
import { isTerminal } from "./task-record.ts";

export interface MessageIntakeOptions {
  readonly limits: TaskLimits;
  readonly store: TaskStore;
  readonly scope: string;
  readonly tasks: RunningTasks;
  readonly sessions: ContextSessions<Promise<TaskActor>>;
  readonly push: PushConfigs;
}

type Known = TaskActor | TaskRow | undefined;

/** One message with the call that brought it. */
interface Incoming {
  readonly message: Message;
  readonly params: SendMessageRequest;
  readonly context: ServerCallContext;
  readonly onStored: ((actor: TaskActor) => void) | undefined;
}

export class MessageIntake {
  readonly #options: MessageIntakeOptions;

  constructor(options: MessageIntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the message is stored, with the task whose turn it is or was. `onStored` is called before that turn
   * begins; not for a message that was taken before.
   */
  async accept(
    params: SendMessageRequest,
    context: ServerCallContext,
    onStored?: (actor: TaskActor) => void,
  ): Promise<TaskActor> {
    const { tasks, sessions, scope } = this.#options;
    const message = checkMessage(params.message);
    const owner = ownerOf(context);
    const found = message.taskId === "" ? undefined : await tasks.find(message.taskId, owner);
    // Before the session is read: what the turn elsewhere says belongs to it.
    const known = await this.#atRest(found, context);
    const knownContext = known instanceof TaskActor ? known.record.contextId : known?.contextId;
    if (knownContext !== undefined && message.contextId !== "" && message.contextId !== knownContext) {
      throw new RequestMalformedError(`Task ${message.taskId} belongs to another context.`);
    }
    const contextId = knownContext ?? (message.contextId || randomUUID());
    return sessions.use({ scope, owner, contextId }, (session) =>
      this.#take({ message, params, context, onStored }, session, known),
    );
  }

  /** Once for each message id: a repeat gets the task of the first, unless its turn failed. */
  #take(incoming: Incoming, session: Session, known: Known): Promise<TaskActor> {
    const { messageId } = incoming.message;
    const earlier = session.taken(messageId) ?? this.#takenBefore(session, incoming);
    const taking = Promise.resolve(earlier)
      .catch(ignoreFailedTaking)
      .then((actor) => {
        if (actor && !isFailed(actor)) return actor;
        return this.#enqueue(incoming, session, known, !actor);
      });
    session.take(messageId, taking);
    taking.catch(() => session.forget(messageId));
    return taking;
  }

  /** By a process that is gone, or another. */
  async #takenBefore(
    session: Session,
    { message: { messageId }, context }: Incoming,
  ): Promise<TaskActor | undefined> {
    const { store, tasks } = this.#options;
    if (!store.isDurable) return undefined;
    const id = await store.findMessage(session.key, messageId);
    const row = id === undefined ? undefined : await store.get(tasks.key(id));
    if (!row) return undefined;
    const rested = await this.#atRest(row, context);
    const actor = await tasks.openAny(rested, session);
    if (!row.isOpen || !isFailed(actor)) return actor;
    // This session was read before that turn ended; the next one will know.
    this.#options.sessions.forget(session.key);
    throw new WeftError("unavailable", "The turn failed in another process; send the message again.", {
      retryable: true,
    });
  }

  /** A task that another process runs, once its turn is over. */
  async #atRest<K extends Known>(known: K, context: ServerCallContext): Promise<K | TaskRow> {
    const { tasks, store, limits } = this.#options;
    if (!known || (known instanceof TaskActor ? !known.isLost : !known.isOpen || tasks.get(known.id)))
      return known;
    const { signal } = callStateOf(context);
    return whenAtRest(store, tasks.key(known.id), { signal, timeoutMs: limits.turnMs });
  }

  async #enqueue(incoming: Incoming, session: Session, known: Known, isNewId: boolean): Promise<TaskActor> {
    const { message, params, context } = incoming;
    const { tasks, limits, push } = this.#options;
    this.#checkRoom(known);
    const hop = readHop(message.metadata);
    checkHop(hop, limits.hops);
    const { headers, callerKey } = callStateOf(context);
    const parent = activeContext();
    const home = homeOf({ ...carrierOf(hop), ...traceHeaders(headers) }, parent);
    const config = params.configuration?.taskPushNotificationConfig;
    if (config) push.check(config);
    const actor = await this.#actorFor(known, session);
    tasks.begin(actor, callerKey);
    const onStored = async (): Promise<void> => {
      if (config) await push.put(tasks.key(actor.id), { ...config, taskId: actor.id });
      incoming.onStored?.(actor);
    };
    await actor.enqueue({ message, hop, parent, home }, { isNewId, onStored });
    return actor;
  }

  async #actorFor(known: Known, session: Session): Promise<TaskActor> {
    const { tasks, store } = this.#options;
    if (!known) return tasks.create(session);
    if (known instanceof TaskActor && !known.isLost) return known;
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

function traceHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string") return {};
  return { traceparent, ...(typeof tracestate === "string" ? { tracestate } : {}) };
}

function checkMessage(message: Message | undefined): Message {
  if (!message) throw new RequestMalformedError("The request has no message.");
  if (message.messageId === "") throw new RequestMalformedError("The message has no messageId.");
  if (message.parts.length === 0) throw new RequestMalformedError("The message has no parts.");
  return message;
}

function isFailed(actor: TaskActor): boolean {
  return actor.isTerminal && actor.record.state !== TaskState.TASK_STATE_COMPLETED;
}

/** A first sending that failed was never taken; what says to send again is for who sends now. */
function ignoreFailedTaking(error: unknown): undefined {
  if (error instanceof WeftError && error.retryable) throw error;
}
