/*
 * TaskEngine: the operations of A2A for one agent.
 *
 * Job: implements the SDK's request handler on actors, sessions and a store.
 * Owns: what an operation answers. Does not own: which tasks are here (RunningTasks), how a message becomes a turn
 *   (MessageIntake), bindings, authentication, tracing (a decorator's), what is stored.
 */
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
import {
  ExtendedAgentCardNotConfiguredError,
  TaskNotCancelableError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { activeContext, bindGenerator } from "@weft/tracing/internal";
import type { Agent } from "../agent/agent.ts";
import { isFenced } from "../agent/fenced.ts";
import { resumeHeader } from "../a2a/event-number.ts";
import { LazyStream } from "../a2a/pull-stream.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import { PushConfigs } from "../push/push-configs.ts";
import type { PushOptions } from "../push/push-configs.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { TaskRow, TaskStore } from "../store/task-store.ts";
import { callStateOf, ownerOf } from "./call-state.ts";
import { CallerTasks } from "./caller-tasks.ts";
import { ContextSessions } from "./context-session.ts";
import { DirectTurn } from "./direct-turn.ts";
import { parseEventNumber } from "./event-number.ts";
import type { EventNumber } from "./event-number.ts";
import { listTasks } from "./list-tasks.ts";
import { MessageIntake } from "./message-intake.ts";
import { startReading, taskResponse, TaskStream } from "./task-stream.ts";
import type { Reading, ReadingStart } from "./task-stream.ts";
import { checkRespondWith, choosesMessage } from "./respond-with.ts";
import type { RespondWith } from "./respond-with.ts";
import { RunningTasks } from "./running-tasks.ts";
import type { Taken } from "./running-tasks.ts";
import { followStored, readStored } from "./stored-task.ts";
import { TaskActor } from "./task-actor.ts";
import { defaultTaskLimits } from "./task-limits.ts";
import type { TaskLimits } from "./task-limits.ts";
import { isTerminal, withHistory } from "./task-record.ts";
import { messageOf } from "./turn-outcome.ts";

export interface TaskEngineOptions {
  /** Default `task`. */
  readonly respondWith?: RespondWith;
  readonly limits?: Partial<TaskLimits>;
  /** Default: memory. The engine does not close it. */
  readonly store?: TaskStore;
  /** Which agent's tasks these are, in a store that several share. Default "". */
  readonly scope?: string;
  readonly push?: PushOptions;
  /** Counts the callers' tasks together with other engines'. Default: its own alone. */
  readonly callers?: CallerTasks;
}

export class TaskEngine implements A2ARequestHandler {
  readonly #card: () => AgentCard;
  readonly #store: TaskStore;
  readonly #scope: string;
  readonly #tasks: RunningTasks;
  readonly #intake: MessageIntake;
  readonly #push: PushConfigs;
  readonly #respondWith: RespondWith;

  constructor(agent: Agent, card: () => AgentCard, options: TaskEngineOptions = {}) {
    const limits = { ...defaultTaskLimits, ...options.limits };
    const store = options.store ?? memoryStore({ events: limits.events });
    const scope = options.scope ?? "";
    const push = new PushConfigs(store, options.push);
    const sessions = new ContextSessions<Taken | Promise<Taken>>(limits.contexts, store);
    const callers = options.callers ?? new CallerTasks(limits.tasksPerCaller);
    const shared = { limits, store, scope, push, sessions };
    this.#card = card;
    this.#store = store;
    this.#scope = scope;
    this.#push = push;
    this.#respondWith = checkRespondWith(options.respondWith ?? "task");
    this.#tasks = new RunningTasks({ ...shared, agent, callers });
    this.#intake = new MessageIntake({ ...shared, tasks: this.#tasks });
  }

  get runningCount(): number {
    return this.#tasks.count;
  }

  /** Goes on with what processes that are gone left open, from now on and by itself. */
  start(): void {
    this.#tasks.start();
  }

  async getAgentCard(): Promise<AgentCard> {
    return this.#card();
  }

  async getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    throw new ExtendedAgentCardNotConfiguredError();
  }

  async sendMessage(params: SendMessageRequest, context: ServerCallContext): Promise<Message | Task> {
    return this.#answer(params, context, choosesMessage(this.#respondWith, params));
  }

  async #answer(
    params: SendMessageRequest,
    context: ServerCallContext,
    isDirect: boolean,
  ): Promise<Message | Task> {
    const { returnImmediately = false, historyLength } = params.configuration ?? {};
    const { signal } = callStateOf(context);
    const accepted = this.#intake.accept(params, context, { isDirect });
    const taken = accepted instanceof Promise ? await accepted : accepted;
    const answer = taken instanceof DirectTurn ? await taken.answer(signal) : taken;
    if (!(answer instanceof TaskActor)) return shape(answer, isDirect, historyLength);
    if (isDirect) await answer.answered(signal);
    else {
      answer.keep();
      if (!returnImmediately) await answer.settled(signal);
    }
    const failure = answer.log.end?.failure;
    // What goes on in another process is there to be read; what went down with its store is not.
    if (failure && !isFenced(failure)) throw failure;
    return shape(answer.snapshot(), isDirect, historyLength);
  }

  sendMessageStream(
    params: SendMessageRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    return new LazyStream(async () => {
      if (choosesMessage(this.#respondWith, params))
        return onlyAnswer(await this.#answer(params, context, true));
      const reading = this.#reading(context);
      let start: ReadingStart | undefined;
      const onStored = (actor: TaskActor): void => void (start = startReading(actor));
      const accepted = await this.#intake.accept(params, context, { onStored });
      // Sent before by somebody who was answered with a message.
      const taken = accepted instanceof DirectTurn ? await accepted.answer(reading.signal) : accepted;
      if (!(taken instanceof TaskActor)) return onlyAnswer(taken);
      taken.keep();
      return new TaskStream(taken, { ...reading, start });
    });
  }

  /**
   * Until the task is over, through all its questions. With the header `last-event-id` only what follows that event:
   * also of a task that is over.
   */
  resubscribe(
    params: SubscribeToTaskRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    return bindGenerator(activeContext(), this.#subscribe(params, context));
  }

  async *#subscribe(
    params: SubscribeToTaskRequest,
    context: ServerCallContext,
  ): AsyncGenerator<StreamResponse, void, undefined> {
    const reading = { ...this.#reading(context), after: resumeFrom(context), isToEnd: true };
    const found = await this.#find(params.id, context);
    if (found instanceof TaskActor && !(found.isTerminal && !reading.after)) {
      yield* this.#followHere(found, reading);
      return;
    }
    const row = found instanceof TaskActor ? await this.#store.get(this.#tasks.key(params.id)) : found;
    if (!row || (isTerminal(row.state) && !reading.after)) {
      throw new UnsupportedOperationError(`Task ${params.id} is over; GetTask has its result.`);
    }
    yield* followStored(this.#store, row, reading);
  }

  async getTask(params: GetTaskRequest, context: ServerCallContext): Promise<Task> {
    const found = await this.#find(params.id, context);
    if (found instanceof TaskActor) return found.snapshot(params.historyLength);
    return (await readStored(this.#store, found)).record.snapshot(params.historyLength);
  }

  async cancelTask(params: CancelTaskRequest, context: ServerCallContext): Promise<Task> {
    const found = await this.#find(params.id, context);
    const isOver = found instanceof TaskActor ? found.isTerminal : isTerminal(found.state);
    if (isOver) throw new TaskNotCancelableError(`Task ${params.id} is over.`);
    if (!(found instanceof TaskActor) && found.isOpen) return this.#cancelElsewhere(found, context);
    const actor = found instanceof TaskActor ? found : await this.#tasks.open(found);
    await actor.cancel();
    return actor.snapshot();
  }

  async listTasks(params: ListTasksRequest, context: ServerCallContext): Promise<ListTasksResponse> {
    const owner = { scope: this.#scope, owner: ownerOf(context) };
    return listTasks(
      this.#store,
      owner,
      params,
      (row) => this.#tasks.get(row.id)?.snapshot() ?? row.body.task,
    );
  }

  async createTaskPushNotificationConfig(
    params: TaskPushNotificationConfig,
    context: ServerCallContext,
  ): Promise<TaskPushNotificationConfig> {
    await this.#find(params.taskId, context);
    return this.#push.put(this.#tasks.key(params.taskId), params, context.requestedVersion);
  }

  async getTaskPushNotificationConfig(
    params: GetTaskPushNotificationConfigRequest,
    context: ServerCallContext,
  ): Promise<TaskPushNotificationConfig> {
    await this.#find(params.taskId, context);
    return this.#push.get(this.#tasks.key(params.taskId), params.id);
  }

  async listTaskPushNotificationConfigs(
    params: ListTaskPushNotificationConfigsRequest,
    context: ServerCallContext,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    await this.#find(params.taskId, context);
    return this.#push.list(this.#tasks.key(params.taskId), params);
  }

  async deleteTaskPushNotificationConfig(
    params: DeleteTaskPushNotificationConfigRequest,
    context: ServerCallContext,
  ): Promise<void> {
    await this.#find(params.taskId, context);
    await this.#push.delete(this.#tasks.key(params.taskId), params.id);
  }

  /**
   * Takes no new messages and waits for the running tasks. Those left when `signal` fires go on in another process, or
   * where the store does not outlive this one they fail.
   */
  async drain(signal: AbortSignal): Promise<void> {
    await this.#tasks.drain(signal);
    await this.#push.close(signal);
  }

  /** A task that waits for its caller may go on in another process, where there can be one: then the store tells. */
  async *#followHere(actor: TaskActor, reading: Reading): AsyncGenerator<StreamResponse, void> {
    actor.keep();
    yield* new TaskStream(actor, { ...reading, isToEnd: !this.#store.isDurable });
    if (actor.isTerminal || reading.signal?.aborted) return;
    const row = await this.#store.get(this.#tasks.key(actor.id));
    if (row) yield* followStored(this.#store, row, { ...reading, from: actor.log.shown });
  }

  /** The holder hears of it at its next beat. */
  async #cancelElsewhere(row: TaskRow, context: ServerCallContext): Promise<Task> {
    await this.#store.requestCancel(row);
    const reading = { withAgentEvents: false, signal: callStateOf(context).signal };
    for await (const _ of followStored(this.#store, row, reading));
    return (await readStored(this.#store, (await this.#store.get(row)) ?? row)).record.snapshot();
  }

  #find(id: string, context: ServerCallContext): Promise<TaskActor | TaskRow> {
    return this.#tasks.find(id, ownerOf(context));
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

/** A stream that is over with its first word: a message, or a task that was over before it was asked for again. */
async function* onlyAnswer(answer: Message | Task): AsyncGenerator<StreamResponse, void, undefined> {
  yield isMessage(answer) ? { payload: { $case: "message", value: answer } } : taskResponse(answer);
}

function shape(answer: Message | Task, isDirect: boolean, historyLength: number | undefined): Message | Task {
  if (isMessage(answer)) return answer;
  return (isDirect ? messageOf(answer) : undefined) ?? withHistory(answer, historyLength);
}

function isMessage(answer: Message | Task): answer is Message {
  return "parts" in answer;
}

function resumeFrom(context: ServerCallContext): EventNumber | undefined {
  const given = callStateOf(context).headers[resumeHeader];
  return typeof given === "string" && given !== "" ? parseEventNumber(given) : undefined;
}
