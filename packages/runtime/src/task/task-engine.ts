/*
 * TaskEngine: the operations of A2A for one agent.
 *
 * Job: implements the SDK's request handler on actors, sessions and a store.
 * Owns: the tasks that run here, and which of them are here. Does not own: bindings, authentication, tracing (a
 *   decorator's), what is stored.
 *
 * I1  A task is seen by who made it and by nobody else; to others it does not exist.
 * I2  The same message id twice on a context is one turn, unless that turn failed.
 * I3  Running tasks are never forgotten; ended ones are, oldest first, past the bound.
 * I4  A task is run by one process at a time: who was taken over is refused at its next write.
 * I5  What a process that is gone left open goes on here by itself.
 */
import { randomUUID } from "node:crypto";
import type {
  AgentCard,
  CancelTaskRequest,
  DeleteTaskPushNotificationConfigRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  ListTasksRequest,
  ListTasksResponse,
  Message,
  SendMessageRequest,
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import {
  ExtendedAgentCardNotConfiguredError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import type { Agent } from "../agent/agent.ts";
import { carrierOf, checkHop, readHop } from "../a2a/hop.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import { homeOf, readPending } from "../journal/message-in.ts";
import { PushConfigs } from "../push/push-configs.ts";
import type { PushOptions } from "../push/push-configs.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { TaskKey, TaskRow, TaskStore } from "../store/task-store.ts";
import { callStateOf, ownerOf } from "./call-state.ts";
import { ContextSession, ContextSessions } from "./context-session.ts";
import { resumeHeader } from "../a2a/event-number.ts";
import { parseEventNumber } from "./event-number.ts";
import type { EventNumber } from "./event-number.ts";
import { listTasks } from "./list-tasks.ts";
import { followStored, readStored } from "./stored-task.ts";
import { Takeover } from "./takeover.ts";
import { TaskActor } from "./task-actor.ts";
import type { Reading } from "./task-actor.ts";
import { createStatus, isTerminal, steadyNow } from "./task-record.ts";

export interface TaskLimits {
  /** Tasks that run at once. Default 1,000. */
  readonly runningTasks: number;
  /** Ended tasks that can still be read. Default 1,000; in a store that outlives the process 100,000. */
  readonly endedTasks: number;
  /** Milliseconds that an ended task can still be read. Default 7 days. */
  readonly endedTaskMs: number;
  /** Contexts that are remembered. Default 10,000. */
  readonly contexts: number;
  /** Events of one task that a late reader can still get one by one. Default 10,000. */
  readonly events: number;
  /** Milliseconds a turn may take. Default 600,000. */
  readonly turnMs: number;
  /** Milliseconds of silence after which another process's tasks are taken over; its death is noticed at once. Default 10,000. */
  readonly leaseMs: number;
  /** A2A hops a request may have behind it. Default 16. */
  readonly hops: number;
}

export const defaultTaskLimits: TaskLimits = {
  runningTasks: 1_000,
  endedTasks: 1_000,
  endedTaskMs: 7 * 24 * 3_600_000,
  contexts: 10_000,
  events: 10_000,
  turnMs: 600_000,
  leaseMs: 10_000,
  hops: 16,
};

const durableEndedTasks = 100_000;
/** Ended tasks are forgotten once in so many ends, not at each. */
const pruneEvery = 50;

export interface TaskEngineOptions {
  readonly limits?: Partial<TaskLimits>;
  /** Default: memory. The engine does not close it. */
  readonly store?: TaskStore;
  /** Which agent's tasks these are, in a store that several share. Default "". */
  readonly scope?: string;
  readonly push?: PushOptions;
}

type Session = ContextSession<Promise<TaskActor>>;

export class TaskEngine implements A2ARequestHandler {
  readonly #agent: Agent;
  readonly #card: () => AgentCard;
  readonly #limits: TaskLimits;
  readonly #store: TaskStore;
  readonly #scope: string;
  /** Those that run here or wait for their caller. */
  readonly #actors = new Map<string, TaskActor>();
  readonly #running = new Set<TaskActor>();
  readonly #opening = new Map<string, Promise<TaskActor>>();
  readonly #sessions: ContextSessions<Promise<TaskActor>>;
  readonly #takeover: Takeover;
  readonly #push: PushConfigs;
  #isDraining = false;
  #ends = 0;

  constructor(agent: Agent, card: () => AgentCard, options: TaskEngineOptions = {}) {
    this.#agent = agent;
    this.#card = card;
    this.#limits = { ...defaultTaskLimits, ...options.limits };
    this.#store = options.store ?? memoryStore({ events: this.#limits.events });
    this.#scope = options.scope ?? "";
    this.#sessions = new ContextSessions(this.#limits.contexts, this.#store);
    this.#push = new PushConfigs(this.#store, options.push);
    this.#takeover = new Takeover({
      store: this.#store,
      scope: this.#scope,
      leaseMs: this.#limits.leaseMs,
      take: (row) => this.#takeOver(row),
      cancel: async (id) => this.#actors.get(id)?.cancel(),
    });
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Goes on with what processes that are gone left open, from now on and by itself. */
  start(): void {
    if (this.#store.isDurable) this.#takeover.start();
  }

  async getAgentCard(): Promise<AgentCard> {
    return this.#card();
  }

  async getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    throw new ExtendedAgentCardNotConfiguredError();
  }

  async sendMessage(params: SendMessageRequest, context: ServerCallContext): Promise<Task> {
    const actor = await this.#accept(params, context);
    const { signal } = callStateOf(context);
    if (!params.configuration?.returnImmediately) await actor.settled(signal);
    return actor.snapshot(params.configuration?.historyLength);
  }

  async *sendMessageStream(
    params: SendMessageRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const actor = await this.#accept(params, context);
    yield* actor.follow(this.#reading(context));
  }

  /** With the header `last-event-id` only what follows that event: also of a task that is over. */
  async *resubscribe(
    params: SubscribeToTaskRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const reading = { ...this.#reading(context), after: resumeFrom(context) };
    const found = await this.#find(params.id, context);
    if (found instanceof TaskActor && !(found.isTerminal && !reading.after)) {
      yield* found.follow(reading);
      return;
    }
    const row = found instanceof TaskActor ? await this.#store.get(this.#key(params.id)) : found;
    if (!row || (isTerminal(row.state) && !reading.after)) {
      throw new UnsupportedOperationError(`Task ${params.id} is over; GetTask has its result.`);
    }
    yield* followStored(this.#store, row, reading);
  }

  async getTask(params: GetTaskRequest, context: ServerCallContext): Promise<Task> {
    const found = await this.#find(params.id, context);
    if (found instanceof TaskActor) return found.snapshot(params.historyLength);
    return (await readStored(this.#store, found)).record.snapshot({ historyLength: params.historyLength });
  }

  async cancelTask(params: CancelTaskRequest, context: ServerCallContext): Promise<Task> {
    const found = await this.#find(params.id, context);
    const isOver = found instanceof TaskActor ? found.isTerminal : isTerminal(found.state);
    if (isOver) throw new TaskNotCancelableError(`Task ${params.id} is over.`);
    if (!(found instanceof TaskActor) && found.isOpen) return this.#cancelElsewhere(found, context);
    const actor = found instanceof TaskActor ? found : await this.#openStored(found);
    await actor.cancel();
    return actor.snapshot();
  }

  async listTasks(params: ListTasksRequest, context: ServerCallContext): Promise<ListTasksResponse> {
    const owner = { scope: this.#scope, owner: ownerOf(context) };
    return listTasks(
      this.#store,
      owner,
      params,
      (row) => this.#actors.get(row.id)?.snapshot() ?? row.body.task,
    );
  }

  async createTaskPushNotificationConfig(
    params: TaskPushNotificationConfig,
    context: ServerCallContext,
  ): Promise<TaskPushNotificationConfig> {
    await this.#find(params.taskId, context);
    return this.#push.put(this.#key(params.taskId), params);
  }

  async getTaskPushNotificationConfig(
    params: GetTaskPushNotificationConfigRequest,
    context: ServerCallContext,
  ): Promise<TaskPushNotificationConfig> {
    await this.#find(params.taskId, context);
    return this.#push.get(this.#key(params.taskId), params.id);
  }

  async listTaskPushNotificationConfigs(
    params: ListTaskPushNotificationConfigsRequest,
    context: ServerCallContext,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    await this.#find(params.taskId, context);
    return this.#push.list(this.#key(params.taskId), params);
  }

  async deleteTaskPushNotificationConfig(
    params: DeleteTaskPushNotificationConfigRequest,
    context: ServerCallContext,
  ): Promise<void> {
    await this.#find(params.taskId, context);
    await this.#push.delete(this.#key(params.taskId), params.id);
  }

  /**
   * Takes no new messages and waits for the running tasks. Those left when `signal` fires go on in another process, or
   * where the store does not outlive this one they fail.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    await this.#takeover.stop();
    await Promise.all([...this.#running].map((actor) => actor.settled(signal)));
    const reason = new WeftError("unavailable", "The service shut down before the task was done.");
    const left = [...this.#running];
    if (this.#store.isDurable) await Promise.all(left.map((actor) => actor.handOver()));
    else for (const actor of left) actor.abandon(reason);
    await Promise.all(left.map((actor) => actor.settled()));
    await this.#push.close(signal);
  }

  #key(id: string): TaskKey {
    return { scope: this.#scope, id };
  }

  async #accept(params: SendMessageRequest, context: ServerCallContext): Promise<TaskActor> {
    const message = checkMessage(params.message);
    const owner = ownerOf(context);
    const known = message.taskId === "" ? undefined : await this.#find(message.taskId, context);
    const knownContext = known instanceof TaskActor ? known.record.contextId : known?.contextId;
    if (knownContext !== undefined && message.contextId !== "" && message.contextId !== knownContext) {
      throw new RequestMalformedError(`Task ${message.taskId} belongs to another context.`);
    }
    const contextId = knownContext ?? (message.contextId || randomUUID());
    return this.#sessions.use({ scope: this.#scope, owner, contextId }, (session) =>
      this.#take(message, session, known, params, context),
    );
  }

  /** Once for each message id: a repeat gets the task of the first, unless its turn failed. */
  #take(
    message: Message,
    session: Session,
    known: TaskActor | TaskRow | undefined,
    params: SendMessageRequest,
    context: ServerCallContext,
  ): Promise<TaskActor> {
    const { messageId } = message;
    const earlier = session.taken(messageId) ?? this.#takenBefore(session, messageId);
    const taking = Promise.resolve(earlier)
      .catch(() => undefined)
      .then((actor) => {
        if (actor && !isFailed(actor)) return actor;
        return this.#enqueue(message, session, known, { params, context, isNewId: !actor });
      });
    session.take(messageId, taking);
    taking.catch(() => session.forget(messageId));
    return taking;
  }

  /** By a process that is gone, or another. */
  async #takenBefore(session: Session, messageId: string): Promise<TaskActor | undefined> {
    if (!this.#store.isDurable) return undefined;
    const id = await this.#store.findMessage(session.key, messageId);
    const row = id === undefined ? undefined : await this.#store.get(this.#key(id));
    return row && this.#openAny(row, session);
  }

  async #enqueue(
    message: Message,
    session: Session,
    known: TaskActor | TaskRow | undefined,
    call: {
      readonly params: SendMessageRequest;
      readonly context: ServerCallContext;
      readonly isNewId: boolean;
    },
  ): Promise<TaskActor> {
    const { params, context, isNewId } = call;
    this.#checkRoom(known);
    const hop = readHop(message.metadata);
    checkHop(hop, this.#limits.hops);
    const parent = activeContext();
    const home = homeOf({ ...carrierOf(hop), ...traceHeaders(callStateOf(context).headers) }, parent);
    const push = params.configuration?.taskPushNotificationConfig;
    if (push) this.#push.check(push);
    const actor = await this.#actorFor(known, session);
    this.#running.add(actor);
    await actor.enqueue({ message, hop, parent, home }, isNewId);
    if (push) await this.#push.put(this.#key(actor.id), { ...push, taskId: actor.id });
    return actor;
  }

  async #actorFor(known: TaskActor | TaskRow | undefined, session: Session): Promise<TaskActor> {
    if (known instanceof TaskActor && !known.isLost) return known;
    const row = known instanceof TaskActor ? await this.#store.get(this.#key(known.id)) : known;
    if (row?.isOpen)
      throw new WeftError(
        "unavailable",
        "The task runs in another process; send the message there, or later.",
      );
    return row ? this.#openStored(row, session) : this.#create(session);
  }

  #checkRoom(known: TaskActor | TaskRow | undefined): void {
    if (known && (known instanceof TaskActor ? known.isTerminal : isTerminal(known.state))) {
      throw new UnsupportedOperationError(
        "The task is over; send the message without a task id to start a new one.",
      );
    }
    if (this.#isDraining) throw new WeftError("unavailable", "The service is shutting down.");
    if (!known && this.#running.size >= this.#limits.runningTasks) {
      throw new WeftError("unavailable", `The service runs ${this.#limits.runningTasks} tasks, its limit.`);
    }
  }

  #create(session: Session): TaskActor {
    const { contextId } = session.key;
    const id = randomUUID();
    const status = createStatus(TaskState.TASK_STATE_SUBMITTED);
    const task: Task = { id, contextId, status, artifacts: [], history: [], metadata: undefined };
    const body = { task, place: 0, epochs: [[1, 0]] as const, partial: [] };
    const state = TaskState.TASK_STATE_SUBMITTED;
    const fresh = {
      version: 0,
      epoch: 0,
      instance: this.#store.instance,
      state,
      isOpen: true,
      changedAt: 0,
      body,
    };
    return this.#install({ ...session.key, id, ...fresh }, session);
  }

  #install(
    row: TaskRow,
    session: Session,
    loaded?: ConstructorParameters<typeof TaskActor>[0]["loaded"],
  ): TaskActor {
    const actor = new TaskActor({
      agent: this.#agent,
      session,
      store: this.#store,
      row,
      ...(loaded ? { loaded } : {}),
      turnMs: this.#limits.turnMs,
      maxLogEntries: this.#limits.events,
      onRest: (rested) => this.#rested(rested),
      onState: (changed, event, number, context) =>
        this.#push.notify(this.#key(changed.id), event, number, context),
    });
    this.#actors.set(actor.id, actor);
    return actor;
  }

  /** The task's actor here; one that rests in the store is claimed, in a new epoch. */
  async #openAny(row: TaskRow, session: Session): Promise<TaskActor> {
    const known = this.#actors.get(row.id);
    if (known && !known.isLost) return known;
    if (!row.isOpen && isTerminal(row.state)) {
      return new TaskActor({
        agent: this.#agent,
        session: new ContextSession(row),
        store: this.#store,
        row,
        loaded: { place: row.body.place, steps: [] },
        turnMs: 0,
        maxLogEntries: 1,
        onRest: () => undefined,
        onState: () => undefined,
      });
    }
    return this.#openStored(row, session);
  }

  #openStored(row: TaskRow, session?: Session): Promise<TaskActor> {
    const known = this.#opening.get(row.id);
    if (known) return known;
    const claim = (held: Session): Promise<TaskActor> => this.#claim(row, held);
    const opening = session ? claim(session) : this.#sessions.use(row, claim);
    this.#opening.set(row.id, opening);
    return opening.finally(() => this.#opening.delete(row.id));
  }

  /** From here on whoever had the task is refused. What it stored until now is what goes on. */
  async #claim(row: TaskRow, session: Session): Promise<TaskActor> {
    const { version, epoch } = row;
    const claimed = { ...row, version: version + 1, epoch: epoch + 1, instance: this.#store.instance };
    const result = await this.#store.commit({ key: row, epoch, version, row: claimed });
    if (result !== "committed") throw new WeftError("unavailable", `Task ${row.id} is claimed elsewhere.`);
    const { record, place } = await readStored(this.#store, claimed);
    const steps = await this.#store.steps(row);
    const body = { ...claimed.body, task: record.snapshot(), partial: record.partialArtifacts };
    const actor = this.#install({ ...claimed, body }, session, { place, steps });
    const turns = readPending(steps);
    if (turns.length === 0) return actor;
    this.#running.add(actor);
    for (const { message } of turns) session.take(message.messageId, Promise.resolve(actor));
    await actor.resume(turns);
    return actor;
  }

  async #takeOver(row: TaskRow): Promise<void> {
    if (this.#isDraining || this.#actors.has(row.id)) return;
    // Somebody else was faster: then it is theirs.
    await this.#openStored(row).catch(() => undefined);
  }

  /** The holder hears of it at its next beat. */
  async #cancelElsewhere(row: TaskRow, context: ServerCallContext): Promise<Task> {
    await this.#store.requestCancel(row);
    const reading = { withAgentEvents: false, signal: callStateOf(context).signal };
    for await (const _ of followStored(this.#store, row, reading));
    return (await readStored(this.#store, (await this.#store.get(row)) ?? row)).record.snapshot();
  }

  #rested(actor: TaskActor): void {
    this.#running.delete(actor);
    if (!actor.isTerminal && !actor.isLost) return;
    if (this.#actors.get(actor.id) === actor) this.#actors.delete(actor.id);
    if (actor.isLost)
      this.#sessions.forget({ scope: this.#scope, owner: actor.owner, contextId: actor.record.contextId });
    const { endedTasks, endedTaskMs } = this.#limits;
    const isDefault = endedTasks === defaultTaskLimits.endedTasks;
    const keep = this.#store.isDurable && isDefault ? durableEndedTasks : endedTasks;
    if (this.#ends++ % Math.max(1, Math.min(pruneEvery, keep)) !== 0) return;
    const before = steadyNow() - endedTaskMs;
    this.#store.prune(this.#scope, { before, keep }).catch(() => undefined);
  }

  async #find(id: string, context: ServerCallContext): Promise<TaskActor | TaskRow> {
    const owner = ownerOf(context);
    const actor = this.#actors.get(id);
    const found = actor && !actor.isLost ? actor : await this.#store.get(this.#key(id));
    if (!found || found.owner !== owner) throw new TaskNotFoundError(`Task ${id} does not exist.`);
    return found;
  }

  #reading(context: ServerCallContext): Reading {
    const requested = context.requestedExtensions ?? [];
    for (const uri of [eventsExtensionUri, hopExtensionUri]) {
      if (requested.includes(uri)) context.addActivatedExtension(uri);
    }
    return {
      withAgentEvents: requested.includes(eventsExtensionUri),
      withNumbers: requested.includes(hopExtensionUri),
      signal: callStateOf(context).signal,
    };
  }
}

function resumeFrom(context: ServerCallContext): EventNumber | undefined {
  const given = callStateOf(context).headers[resumeHeader];
  return typeof given === "string" && given !== "" ? parseEventNumber(given) : undefined;
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
