/*
 * TaskActor: one A2A task and its turns.
 *
 * Job: takes messages, runs the agent's turns one after the other, and writes what happens into record and log.
 * Owns: the record, the log, the abort controller of the running turn.
 * Does not own: the session (history, order within a context), or who reads.
 *
 * I1  Turns are serial; a message that arrives while one runs waits and is not lost.
 * I2  Nobody who reads, or stops reading, changes what happens.
 * I3  Once terminal, a task never changes.
 * I4  Each turn ends by the agent, by cancel, or by its deadline.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Message, StreamResponse, Task } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { conversationOf, injectCarrier, traceIdOf } from "@weft/tracing/internal";
import type { Context } from "@weft/tracing/internal";
import type { Agent, AgentContext } from "../agent/agent.ts";
import { projectMessage } from "../agent/history.ts";
import { runTurn } from "../agent/run-turn.ts";
import { carrierOf, withHop } from "../a2a/hop.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { unpackMessages, textPart } from "../a2a/message-mapping.ts";
import { publicMessage } from "../a2a/wire-errors.ts";
import type { ContextSession } from "./context-session.ts";
import { TaskLog } from "./task-log.ts";
import { createStatus, isInterrupted, isTerminal, TaskRecord } from "./task-record.ts";
import { questionMessage, TaskReply } from "./task-reply.ts";

/** A message that waits for its turn, with the context it arrived in. */
export interface PendingTurn {
  readonly message: Message;
  readonly hop: HopMetadata;
  /** Taken where the request arrived. */
  readonly parent: Context;
}

export interface TaskActorOptions {
  readonly id: string;
  readonly contextId: string;
  readonly owner: string;
  readonly agent: Agent;
  readonly session: ContextSession<TaskActor>;
  /** Milliseconds a turn may take. */
  readonly turnMs: number;
  readonly maxLogEntries: number;
  readonly onRest: (actor: TaskActor) => void;
}

export class TaskActor {
  readonly record: TaskRecord;
  readonly log: TaskLog;
  readonly owner: string;
  readonly #options: TaskActorOptions;
  readonly #controller = new AbortController();
  readonly #pending: PendingTurn[] = [];
  #isRunning = false;
  #rest = Promise.withResolvers<void>();

  constructor(options: TaskActorOptions) {
    this.#options = options;
    this.owner = options.owner;
    this.record = new TaskRecord(options.id, options.contextId);
    this.log = new TaskLog(options.maxLogEntries);
  }

  get isTerminal(): boolean {
    return isTerminal(this.record.state);
  }

  /** No turn runs or waits: the task is over, or waits for its caller. */
  get isAtRest(): boolean {
    return !this.#isRunning && this.#pending.length === 0;
  }

  /** Takes a message. Its turn runs after those before it, of this task and of its context. */
  enqueue(turn: PendingTurn): void {
    if (this.isAtRest) this.#rest = Promise.withResolvers();
    this.#pending.push(turn);
    this.record.addMessage(turn.message);
    this.#options.session.enqueue(() => this.#runNext());
  }

  /** Resolves when the task is over or waits for its caller, or when `signal` fires. */
  async settled(signal?: AbortSignal): Promise<void> {
    if (this.isAtRest || signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([this.#rest.promise, promise]);
  }

  /** Stops the running turn and drops those that wait; resolves when the task is canceled. */
  async cancel(): Promise<void> {
    if (this.isTerminal) return;
    this.#controller.abort(new WeftError("aborted", "The task was canceled."));
    if (!this.#isRunning) this.#finish(TaskState.TASK_STATE_CANCELED);
    await this.settled();
  }

  /** Ends the task as failed, as a shutdown does when its time is over. */
  abandon(reason: WeftError): void {
    this.#controller.abort(reason);
  }

  snapshot(historyLength?: number): Task {
    return this.record.snapshot({ historyLength });
  }

  /** The task as it stands, then its events until it is at rest. `signal` ends the reading, never the task. */
  async *follow(options: {
    withAgentEvents: boolean;
    signal?: AbortSignal | undefined;
  }): AsyncGenerator<StreamResponse, void> {
    const from = this.log.next;
    const isAtRest = this.isAtRest;
    yield taskResponse(this.snapshot());
    if (isAtRest) return;
    for await (const entry of this.log.read(from, options.signal)) {
      if (entry === "behind") yield taskResponse(this.snapshot());
      else if (!entry.isAgentEvent || options.withAgentEvents) yield entry.response;
      if (entry !== "behind" && endsReading(entry.response) && this.isAtRest) return;
    }
  }

  async #runNext(): Promise<void> {
    const turn = this.#pending.shift();
    if (!turn || this.isTerminal) return;
    this.#isRunning = true;
    this.#setState(TaskState.TASK_STATE_WORKING);
    const reply = new TaskReply({
      artifact: (artifact, flags) => this.#putArtifact(artifact, flags),
      agentEvent: (metadata) => this.#agentEvent(metadata),
    });
    const timer = this.#startDeadline(turn.hop.deadline);
    const variables = { ...turn.hop.variables };
    try {
      for await (const event of this.#runAgent(turn, variables)) reply.accept(event);
      this.#isRunning = false;
      this.#finishTurn(turn, reply, variables);
    } catch (error) {
      this.#isRunning = false;
      this.#failTurn(turn, reply, WeftError.from(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #runAgent(turn: PendingTurn, contextVariables: Record<string, unknown>): ReturnType<typeof runTurn> {
    const { agent, session } = this.#options;
    const { history } = session;
    const newFrom = history.length;
    const appends: string[] = [];
    for (const message of unpackMessages(turn.message)) {
      if (history.has(message.id)) continue;
      appends.push(`${history.id}:${history.append(projectMessage(message, agent.name))}=${message.id}`);
    }
    const request = { messages: history.messages, newFrom, contextVariables };
    const options = { turn: ++session.turns, parent: turn.parent, appends };
    return runTurn(agent, request, this.#contextOf(turn), options);
  }

  #contextOf(turn: PendingTurn): AgentContext {
    const { session } = this.#options;
    const { hop, parent } = turn;
    const carrier = injectCarrier(parent);
    return {
      signal: this.#controller.signal,
      contextId: this.record.contextId,
      taskId: this.record.id,
      conversationId: conversationOf(parent) ?? this.record.contextId,
      history: session.history,
      session: session.session,
      hop: {
        carrier: carrier["traceparent"] === undefined ? carrierOf(hop) : carrier,
        hops: hop.hops ?? 0,
        ...(hop.deadline === undefined ? {} : { deadline: hop.deadline }),
      },
      ...(hop.budget === undefined ? {} : { budget: hop.budget }),
    };
  }

  #finishTurn(turn: PendingTurn, reply: TaskReply, variables: Record<string, unknown>): void {
    const metadata = replyMetadata(turn, reply, variables);
    if (this.#pending.length > 0) return;
    const request = reply.inputRequest;
    if (!request) {
      this.#finish(TaskState.TASK_STATE_COMPLETED, undefined, metadata);
      return;
    }
    const ids = { taskId: this.record.id, contextId: this.record.contextId };
    this.#setState(TaskState.TASK_STATE_INPUT_REQUIRED, questionMessage(request, ids), metadata);
    this.#settle();
  }

  #failTurn(turn: PendingTurn, reply: TaskReply, error: WeftError): void {
    if (error.code === "aborted" && this.#controller.signal.aborted) {
      this.#finish(TaskState.TASK_STATE_CANCELED, undefined, replyMetadata(turn, reply));
      return;
    }
    const text = publicMessage(error);
    const metadata = replyMetadata(turn, reply, undefined, { code: error.code, message: text });
    const ids = { taskId: this.record.id, contextId: this.record.contextId };
    const message = {
      ...questionMessage(failureNotice(text), ids),
      parts: [textPart(text)],
      metadata: undefined,
    };
    this.#finish(TaskState.TASK_STATE_FAILED, message, metadata);
  }

  #finish(state: TaskState, message?: Message, metadata?: Record<string, unknown>): void {
    this.#pending.length = 0;
    this.#setState(state, message, metadata);
    this.log.close();
    this.#settle();
  }

  #settle(): void {
    this.#rest.resolve();
    this.#options.onRest(this);
  }

  #setState(state: TaskState, message?: Message, metadata?: Record<string, unknown>): void {
    const status = createStatus(state, message);
    this.record.setStatus(status, metadata);
    const ids = { taskId: this.record.id, contextId: this.record.contextId };
    this.log.append({ payload: { $case: "statusUpdate", value: { ...ids, status, metadata } } });
  }

  #putArtifact(
    artifact: Parameters<TaskRecord["putArtifact"]>[0],
    flags: { append: boolean; lastChunk: boolean },
  ): void {
    this.record.putArtifact(artifact, flags.append);
    const ids = { taskId: this.record.id, contextId: this.record.contextId };
    this.log.append({
      payload: { $case: "artifactUpdate", value: { ...ids, artifact, ...flags, metadata: undefined } },
    });
  }

  #agentEvent(metadata: Record<string, unknown>): void {
    const ids = { taskId: this.record.id, contextId: this.record.contextId };
    const status = createStatus(TaskState.TASK_STATE_WORKING);
    this.log.append({ payload: { $case: "statusUpdate", value: { ...ids, status, metadata } } }, true);
  }

  #startDeadline(callerDeadline: number | undefined): NodeJS.Timeout {
    const { turnMs, agent } = this.#options;
    const ms = Math.min(turnMs, callerDeadline === undefined ? turnMs : callerDeadline - Date.now());
    const late = (): void => {
      const message = `Agent "${agent.name}" did not answer within ${Math.max(0, Math.round(ms))} ms.`;
      this.#controller.abort(new WeftError("deadline_exceeded", message));
    };
    return setTimeout(late, Math.max(0, ms));
  }
}

function replyMetadata(
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

function failureNotice(prompt: string): Parameters<typeof questionMessage>[0] {
  return { id: crypto.randomUUID(), kind: "reply", agent: "", prompt };
}

function taskResponse(task: Task): StreamResponse {
  return { payload: { $case: "task", value: task } };
}

function endsReading(response: StreamResponse): boolean {
  if (response.payload?.$case !== "statusUpdate") return false;
  const state = response.payload.value.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  return isTerminal(state) || isInterrupted(state);
}
