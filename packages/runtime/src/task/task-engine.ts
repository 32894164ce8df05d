/*
 * TaskEngine: the operations of A2A for one agent.
 *
 * Job: implements the SDK's request handler on actors, sessions and a bounded memory of ended tasks.
 * Owns: the tasks and contexts of its agent. Does not own: bindings, authentication, tracing (a decorator's).
 *
 * I1  A task is seen by who made it and by nobody else; to others it does not exist.
 * I2  The same message id twice on a context is one turn, unless that turn failed.
 * I3  Running tasks are never forgotten; ended ones are, oldest first, past the bound.
 */
import { randomUUID } from "node:crypto";
import type {
  AgentCard,
  CancelTaskRequest,
  GetTaskRequest,
  ListTasksRequest,
  ListTasksResponse,
  Message,
  SendMessageRequest,
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
} from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import {
  ExtendedAgentCardNotConfiguredError,
  PushNotificationNotSupportedError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import type { Agent } from "../agent/agent.ts";
import { checkHop, readHop } from "../a2a/hop.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import { callStateOf, ownerOf } from "./call-state.ts";
import { ContextSessions } from "./context-session.ts";
import { listTasks } from "./list-tasks.ts";
import { TaskActor } from "./task-actor.ts";

export interface TaskLimits {
  /** Tasks that run at once. Default 1,000. */
  readonly runningTasks: number;
  /** Ended tasks that can still be read. Default 1,000. */
  readonly endedTasks: number;
  /** Contexts that are remembered. Default 10,000. */
  readonly contexts: number;
  /** Events of one task that a late reader can still get one by one. Default 10,000. */
  readonly events: number;
  /** Milliseconds a turn may take. Default 600,000. */
  readonly turnMs: number;
  /** A2A hops a request may have behind it. Default 16. */
  readonly hops: number;
}

export const defaultTaskLimits: TaskLimits = {
  runningTasks: 1_000,
  endedTasks: 1_000,
  contexts: 10_000,
  events: 10_000,
  turnMs: 600_000,
  hops: 16,
};

export class TaskEngine implements A2ARequestHandler {
  readonly #agent: Agent;
  readonly #card: () => AgentCard;
  readonly #limits: TaskLimits;
  readonly #tasks = new Map<string, TaskActor>();
  readonly #running = new Set<TaskActor>();
  readonly #sessions: ContextSessions<TaskActor>;
  #isDraining = false;

  constructor(agent: Agent, card: () => AgentCard, limits: Partial<TaskLimits> = {}) {
    this.#agent = agent;
    this.#card = card;
    this.#limits = { ...defaultTaskLimits, ...limits };
    this.#sessions = new ContextSessions(this.#limits.contexts);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  async getAgentCard(): Promise<AgentCard> {
    return this.#card();
  }

  async getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    throw new ExtendedAgentCardNotConfiguredError();
  }

  async sendMessage(params: SendMessageRequest, context: ServerCallContext): Promise<Task> {
    const actor = this.#accept(params, context);
    const { signal } = callStateOf(context);
    if (!params.configuration?.returnImmediately) await actor.settled(signal);
    return actor.snapshot(params.configuration?.historyLength);
  }

  async *sendMessageStream(
    params: SendMessageRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const actor = this.#accept(params, context);
    yield* actor.follow(this.#reading(context));
  }

  async *resubscribe(
    params: SubscribeToTaskRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const actor = this.#find(params.id, context);
    if (actor.isTerminal) {
      throw new UnsupportedOperationError(`Task ${params.id} is over; GetTask has its result.`);
    }
    yield* actor.follow(this.#reading(context));
  }

  async getTask(params: GetTaskRequest, context: ServerCallContext): Promise<Task> {
    return this.#find(params.id, context).snapshot(params.historyLength);
  }

  async cancelTask(params: CancelTaskRequest, context: ServerCallContext): Promise<Task> {
    const actor = this.#find(params.id, context);
    if (actor.isTerminal) throw new TaskNotCancelableError(`Task ${params.id} is over.`);
    await actor.cancel();
    return actor.snapshot();
  }

  async listTasks(params: ListTasksRequest, context: ServerCallContext): Promise<ListTasksResponse> {
    const owner = ownerOf(context);
    return listTasks(
      [...this.#tasks.values()].filter((actor) => actor.owner === owner),
      params,
    );
  }

  async createTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }

  async getTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }

  async listTaskPushNotificationConfigs(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }

  async deleteTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }

  /** Takes no new messages and waits for the running tasks; those left when `signal` fires fail. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#running].map((actor) => actor.settled(signal)));
    const reason = new WeftError("unavailable", "The service shut down before the task was done.");
    const left = [...this.#running];
    for (const actor of left) actor.abandon(reason);
    await Promise.all(left.map((actor) => actor.settled()));
  }

  #accept(params: SendMessageRequest, context: ServerCallContext): TaskActor {
    const message = checkMessage(params.message);
    const owner = ownerOf(context);
    const known = message.taskId === "" ? undefined : this.#find(message.taskId, context);
    if (known && message.contextId !== "" && message.contextId !== known.record.contextId) {
      throw new RequestMalformedError(`Task ${message.taskId} belongs to another context.`);
    }
    const contextId = known?.record.contextId ?? (message.contextId || randomUUID());
    const session = this.#sessions.open(owner, contextId);
    const earlier = session.taken(message.messageId);
    if (earlier && !isFailed(earlier)) return earlier;
    this.#checkRoom(known);
    const hop = readHop(message.metadata);
    checkHop(hop, this.#limits.hops);
    const actor = known ?? this.#create(contextId, owner, session);
    session.take(message.messageId, actor);
    this.#running.add(actor);
    actor.enqueue({ message, hop, parent: activeContext() });
    return actor;
  }

  #checkRoom(known: TaskActor | undefined): void {
    if (known?.isTerminal) {
      throw new UnsupportedOperationError(
        "The task is over; send the message without a task id to start a new one.",
      );
    }
    if (this.#isDraining) throw new WeftError("unavailable", "The service is shutting down.");
    if (!known && this.#running.size >= this.#limits.runningTasks) {
      throw new WeftError("unavailable", `The service runs ${this.#limits.runningTasks} tasks, its limit.`);
    }
  }

  #create(
    contextId: string,
    owner: string,
    session: ReturnType<ContextSessions<TaskActor>["open"]>,
  ): TaskActor {
    const actor = new TaskActor({
      id: randomUUID(),
      contextId,
      owner,
      agent: this.#agent,
      session,
      turnMs: this.#limits.turnMs,
      maxLogEntries: this.#limits.events,
      onRest: (rested) => this.#rested(rested),
    });
    this.#tasks.set(actor.record.id, actor);
    return actor;
  }

  #rested(actor: TaskActor): void {
    this.#running.delete(actor);
    const { endedTasks } = this.#limits;
    let excess = this.#tasks.size - this.#running.size - endedTasks;
    for (const [id, candidate] of this.#tasks) {
      if (excess-- <= 0) return;
      if (!this.#running.has(candidate)) this.#tasks.delete(id);
    }
  }

  #find(id: string, context: ServerCallContext): TaskActor {
    const actor = this.#tasks.get(id);
    if (!actor || actor.owner !== ownerOf(context)) throw new TaskNotFoundError(`Task ${id} does not exist.`);
    return actor;
  }

  #reading(context: ServerCallContext): { withAgentEvents: boolean; signal: AbortSignal | undefined } {
    const requested = context.requestedExtensions ?? [];
    for (const uri of [eventsExtensionUri, hopExtensionUri]) {
      if (requested.includes(uri)) context.addActivatedExtension(uri);
    }
    return { withAgentEvents: requested.includes(eventsExtensionUri), signal: callStateOf(context).signal };
  }
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
