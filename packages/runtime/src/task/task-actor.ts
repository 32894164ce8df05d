/*
 * TaskActor: one A2A task and its turns.
 *
 * Job: takes messages, runs the agent's turns one after the other, and writes what happens into record, log and store.
 * Owns: the record, the log, the journal's places, the abort controller of the running turn.
 * Does not own: the session (history, order within a context), who reads, or which tasks there are.
 *
 * I1  Turns are serial; a message that arrives while one runs waits and is not lost.
 * I2  Nobody who reads, or stops reading, changes what happens.
 * I3  Once terminal, a task never changes.
 * I4  Each turn ends by the agent, by cancel, by its deadline, or because the task is another's.
 * I5  A message is taken, and a state or whole message shown, only once it is stored. Text deltas may be seen before.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Artifact, Message, StreamResponse, Task } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { activeContext, ROOT_CONTEXT } from "@weft/tracing/internal";
import type { Context } from "@weft/tracing/internal";
import { fencedError, isFenced } from "../agent/fenced.ts";
import type { Agent } from "../agent/agent.ts";
import { publicMessage } from "../a2a/wire-errors.ts";
import { textPart } from "../a2a/message-mapping.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { writeMessageIn } from "../journal/message-in.ts";
import type { StepRow, StoredEvent, TaskRow, TaskStore } from "../store/task-store.ts";
import type { ContextSession } from "./context-session.ts";
import { numbered, placeAfter } from "./event-number.ts";
import type { EventNumber } from "./event-number.ts";
import { TaskLog } from "./task-log.ts";
import { createStatus, isInterrupted, isTerminal, steadyNow, TaskRecord } from "./task-record.ts";
import type { ArtifactFlags } from "./task-record.ts";
import { questionMessage, TaskReply, withdrawnArtifact } from "./task-reply.ts";
import { TaskWriter } from "./task-writer.ts";
import { replyMetadata, TurnRun } from "./turn-run.ts";

export interface TaskActorOptions {
  readonly agent: Agent;
  readonly session: ContextSession<unknown>;
  readonly store: TaskStore;
  /** As stored, or with version 0 for a new task. */
  readonly row: TaskRow;
  /** Events since the row was written, and the journal so far. */
  readonly loaded?: { readonly place: number; readonly steps: readonly StepRow[] };
  /** Milliseconds a turn may take. */
  readonly turnMs: number;
  readonly maxLogEntries: number;
  readonly onRest: (actor: TaskActor) => void;
  /** After a state was stored; with its event, and the context of the turn that changed it. */
  readonly onState: (actor: TaskActor, event: StoredEvent, context: Context) => void;
}

export interface Reading {
  readonly withAgentEvents: boolean;
  /** The caller knows the hop extension: events carry their numbers. */
  readonly withNumbers?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** The last event the caller has: no snapshot, only what follows. */
  readonly after?: EventNumber | undefined;
  /** Until the task is over; else until it is at rest: over, or waiting for its caller. */
  readonly isToEnd?: boolean;
  /** Default: where the task stands when the reading begins. */
  readonly start?: ReadingStart | undefined;
}

/** Where a reading begins: the task as it stood, and the place of the event that follows. */
export interface ReadingStart {
  readonly task: Task;
  readonly place: number;
}

export class TaskActor {
  readonly record: TaskRecord;
  readonly log: TaskLog;
  readonly owner: string;
  readonly steps = new Map<string, StepRow>();
  readonly #options: TaskActorOptions;
  readonly #writer: TaskWriter;
  readonly #controller = new AbortController();
  readonly #pending: PendingTurn[] = [];
  #places: number;
  #isRunning = false;
  /** Of the last turn's span. */
  #turnContext: Context = activeContext();
  #rest = Promise.withResolvers<void>();

  constructor(options: TaskActorOptions) {
    const { row, store, loaded } = options;
    this.#options = options;
    this.owner = row.owner;
    this.record = new TaskRecord(row.body.task, row.body.partial);
    this.#writer = new TaskWriter(store, row, (error) => this.#lost(error));
    for (const step of loaded?.steps ?? []) this.steps.set(step.key, step);
    this.#places = loaded?.steps.reduce((next, { place }) => Math.max(next, place + 1), 0) ?? 0;
    this.log = new TaskLog({
      maxEntries: options.maxLogEntries,
      // What is gone from here may wait to be stored: a reader that is behind would be given the whole task instead.
      load: async (from, limit) => {
        this.#writer.flush();
        await this.#writer.settled();
        return store.events(row, from, limit);
      },
      first: loaded?.place ?? 0,
      epochs: loaded ? [...row.body.epochs, [row.epoch, loaded.place]] : [[1, 0]],
    });
  }

  get id(): string {
    return this.record.id;
  }

  get isTerminal(): boolean {
    return isTerminal(this.record.state);
  }

  /** Under which it is run here. */
  get epoch(): number {
    return this.#writer.row.epoch;
  }

  /** Another runs the task, or the store is gone: what this actor does counts for nothing. */
  get isLost(): boolean {
    return this.#writer.isLost;
  }

  /** No turn runs or waits: the task is over, or waits for its caller. */
  get isAtRest(): boolean {
    return !this.#isRunning && this.#pending.length === 0;
  }

  /**
   * Takes a message; resolves when it is stored. Its turn runs after `onStored`, and after the turns before it, of this
   * task and of its context.
   *
   * @throws WeftError `already_exists` for a message id that the context has; the store's own
   */
  async enqueue(
    given: Omit<PendingTurn, "place">,
    { isNewId, onStored }: { readonly isNewId: boolean; readonly onStored: () => Promise<void> },
  ): Promise<void> {
    const turn: PendingTurn = { ...given, place: this.#places++ };
    if (this.isAtRest) this.#rest = Promise.withResolvers();
    this.#pending.push(turn);
    this.record.addMessage(turn.message);
    const steps = this.#options.store.isDurable ? { steps: [writeMessageIn(turn, false)] } : {};
    try {
      await this.#write({ ...steps, ...(isNewId ? { messageId: turn.message.messageId } : {}) });
    } catch (error) {
      this.#dropped(turn);
      throw error;
    }
    // What fails here fails the call; the turn is taken, and runs.
    await onStored().finally(() => this.#options.session.enqueue(() => this.#runNext()));
  }

  /** Goes on with what an earlier owner left: its partial text is taken back first, in a new epoch. */
  async resume(turns: readonly PendingTurn[]): Promise<void> {
    this.#pending.push(...turns);
    for (const artifactId of this.record.withdrawPartial()) {
      this.#append({
        $case: "artifactUpdate",
        value: {
          ...this.#ids,
          artifact: withdrawnArtifact(artifactId),
          append: false,
          lastChunk: true,
          metadata: undefined,
        },
      });
    }
    await this.#write({});
    for (const _ of turns) this.#options.session.enqueue(() => this.#runNext());
  }

  /** Resolves when the task is over or waits for its caller, or when `signal` fires. */
  async settled(signal?: AbortSignal): Promise<void> {
    if (this.isAtRest || signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = (): void => resolve();
    signal?.addEventListener("abort", leave, { once: true });
    await Promise.race([this.#rest.promise, promise]);
    signal?.removeEventListener("abort", leave);
  }

  /** Stops the running turn and drops those that wait; resolves when the task is canceled. */
  async cancel(): Promise<void> {
    if (this.isTerminal) return;
    this.#controller.abort(new WeftError("aborted", "The task was canceled."));
    if (!this.#isRunning) await this.#finish(TaskState.TASK_STATE_CANCELED, { turns: [...this.#pending] });
    await this.settled();
  }

  /** Ends the task as failed, as a shutdown does when its time is over. */
  abandon(reason: WeftError): void {
    this.#controller.abort(reason);
  }

  /** Stops here, for another process to go on. */
  async handOver(): Promise<void> {
    await this.#write({}, { instance: "" }).catch(() => undefined);
    this.#writer.stop(fencedError("The task goes on in another process; subscribe to it again."));
  }

  snapshot(historyLength?: number): Task {
    return this.record.snapshot({ historyLength });
  }

  /** Taken before a turn begins, it misses none of that turn's events, however soon they come. */
  startReading(): ReadingStart {
    return { task: this.snapshot(), place: this.log.shown };
  }

  /** The task as it stands, then its events. `signal` ends the reading, never the task. */
  async *follow(reading: Reading): AsyncGenerator<StreamResponse, void> {
    const { after, signal, withAgentEvents, withNumbers = false, isToEnd = false } = reading;
    const start = after ? undefined : (reading.start ?? this.startReading());
    const from = after ? placeAfter(after, this.log.epochs) : start!.place;
    // By its state, not by whether a turn runs: the state may be read before the turn's last step is through.
    const isResting = (): boolean => this.#pending.length === 0 && isInterrupted(this.record.state);
    const isOver = (): boolean => this.isTerminal || (!isToEnd && isResting());
    const wasOver = isOver();
    if (start) yield taskResponse(start.task);
    if (wasOver && from >= this.log.shown) return;
    for await (const entry of this.log.read(from, signal)) {
      if (entry === "behind") yield taskResponse(this.snapshot());
      else if (!entry.isAgentEvent || withAgentEvents) yield numbered(entry, withNumbers);
      const isLast = entry !== "behind" && endsReading(entry.response) && entry.place + 1 >= this.log.shown;
      if (isLast && isOver()) return;
    }
  }

  get #ids(): { readonly taskId: string; readonly contextId: string } {
    return { taskId: this.record.id, contextId: this.record.contextId };
  }

  async #runNext(): Promise<void> {
    const turn = this.#pending[0];
    if (!turn || this.isTerminal || this.isLost) return;
    this.#isRunning = true;
    this.#pending.shift();
    this.#setState(TaskState.TASK_STATE_WORKING);
    this.#write({}).catch(() => undefined);
    const reply = new TaskReply({
      artifact: (artifact, flags) => this.#putArtifact(artifact, flags),
      agentEvent: (metadata) => this.#agentEvent(metadata),
    });
    const run = this.#createRun(turn);
    const timer = this.#startDeadline(turn.hop.deadline);
    try {
      await run.play((event) => {
        reply.accept(event);
        return this.#writer.isBehind ? this.#writer.settled() : undefined;
      });
      clearTimeout(timer);
      await this.#finishTurn(turn, reply, run.variables);
    } catch (error) {
      clearTimeout(timer);
      if (!this.isLost) await this.#failTurn(turn, reply, WeftError.from(error));
    } finally {
      this.#isRunning = false;
      if (this.isLost || this.#pending.length === 0) this.#settle();
    }
  }

  #createRun(turn: PendingTurn): TurnRun {
    const { agent, session, store } = this.#options;
    return new TurnRun({
      agent,
      session,
      turn,
      taskId: this.id,
      epoch: this.#writer.row.epoch,
      signal: this.#controller.signal,
      steps: this.steps,
      isDurable: store.isDurable,
      nextPlace: () => this.#places++,
      onOpen: (context) => (this.#turnContext = context),
      write: async (step) => {
        this.steps.set(step.key, step);
        await this.#writer.write({ steps: [step] });
      },
    });
  }

  async #finishTurn(turn: PendingTurn, reply: TaskReply, variables: Record<string, unknown>): Promise<void> {
    const metadata = replyMetadata(turn, reply, variables);
    const request = reply.inputRequest;
    if (this.#pending.length > 0) return this.#goOn(turn);
    if (!request) {
      await this.#finish(TaskState.TASK_STATE_COMPLETED, { metadata, turns: [turn] });
      return;
    }
    const question = questionMessage(request, this.#ids);
    await this.#finish(TaskState.TASK_STATE_INPUT_REQUIRED, { message: question, metadata, turns: [turn] });
  }

  /** The next message's turn follows; what this one said is stored and shown. */
  async #goOn(turn: PendingTurn): Promise<void> {
    await this.#write(this.#ended([turn]));
  }

  async #failTurn(turn: PendingTurn, reply: TaskReply, error: WeftError): Promise<void> {
    const turns = [turn, ...this.#pending];
    if (error.code === "aborted" && this.#controller.signal.aborted) {
      const metadata = replyMetadata(turn, reply);
      await this.#finish(TaskState.TASK_STATE_CANCELED, { metadata, turns }).catch(ignoreLost);
      return;
    }
    const text = publicMessage(error);
    const metadata = replyMetadata(turn, reply, undefined, { code: error.code, message: text });
    const message = {
      ...questionMessage({ id: crypto.randomUUID(), kind: "reply", agent: "", prompt: text }, this.#ids),
      parts: [textPart(text)],
      metadata: undefined,
    };
    // An agent without a login somewhere waits for its caller to see to it; the next message tries again.
    const isLogin = error.code === "unauthenticated" && !this.#controller.signal.aborted;
    const state = isLogin ? TaskState.TASK_STATE_AUTH_REQUIRED : TaskState.TASK_STATE_FAILED;
    await this.#finish(state, { message, metadata, turns }).catch(ignoreLost);
  }

  async #finish(
    state: TaskState,
    end: {
      readonly message?: Message;
      readonly metadata?: Record<string, unknown> | undefined;
      readonly turns: readonly PendingTurn[];
    },
  ): Promise<void> {
    this.#pending.length = 0;
    const event = this.#setState(state, end.message, end.metadata);
    await this.#write({ ...this.#ended(end.turns), due: event.place });
    if (this.isTerminal) this.log.close();
    if (!this.#isRunning) this.#settle();
    this.#options.onState(this, event, this.#turnContext);
    // The session keeps the actor, for a message that comes twice; it need not keep the spans.
    if (this.isTerminal) this.#turnContext = ROOT_CONTEXT;
  }

  #ended(turns: readonly PendingTurn[]): Parameters<TaskWriter["write"]>[0] {
    if (!this.#options.store.isDurable) return {};
    return { steps: turns.map((turn) => writeMessageIn(turn, true)), ...this.#options.session.unstored() };
  }

  #settle(): void {
    this.#rest.resolve();
    this.#options.onRest(this);
  }

  /** A message that could not be stored was never taken. */
  #dropped(turn: PendingTurn): void {
    const at = this.#pending.indexOf(turn);
    if (at >= 0) this.#pending.splice(at, 1);
    this.record.removeMessage(turn.message.messageId);
    if (this.isAtRest) this.#settle();
  }

  #lost(error: WeftError): void {
    this.#pending.length = 0;
    this.#controller.abort(error);
    this.log.close(
      isFenced(error) ? error : new WeftError("unavailable", "The task store is gone.", { cause: error }),
    );
    if (!this.#isRunning) this.#settle();
  }

  /** Stores the row as it is now, with what else changes, and shows what was held. */
  async #write(
    change: Omit<Parameters<TaskWriter["write"]>[0], "row">,
    override: { readonly instance?: string } = {},
  ): Promise<void> {
    const { epochs, next: place } = this.log;
    const row = {
      state: this.record.state,
      isOpen: !isTerminal(this.record.state) && !isInterrupted(this.record.state),
      changedAt: Math.max(this.#writer.row.changedAt, Date.parse(this.record.changedAt) || steadyNow()),
      body: { task: this.record.snapshot(), place, epochs, partial: this.record.partialArtifacts },
      ...override,
    };
    await this.#writer.write({ ...change, row });
    this.log.show(place);
  }

  #append(payload: StreamResponse["payload"], flags: Parameters<TaskLog["append"]>[1] = {}): StoredEvent {
    const event = this.log.append({ payload }, flags);
    this.#writer.add(event);
    return event;
  }

  #setState(state: TaskState, message?: Message, metadata?: Record<string, unknown>): StoredEvent {
    const status = createStatus(state, message);
    this.record.setStatus(status, metadata);
    const value = { ...this.#ids, status, metadata };
    return this.#append({ $case: "statusUpdate", value }, { isHeld: state !== TaskState.TASK_STATE_WORKING });
  }

  #putArtifact(artifact: Artifact, flags: ArtifactFlags): void {
    this.record.putArtifact(artifact, flags);
    const value = { ...this.#ids, artifact, ...flags, metadata: undefined };
    this.#append({ $case: "artifactUpdate", value }, { isHeld: flags.lastChunk });
  }

  #agentEvent(metadata: Record<string, unknown>): void {
    const status = createStatus(TaskState.TASK_STATE_WORKING);
    this.#append(
      { $case: "statusUpdate", value: { ...this.#ids, status, metadata } },
      { isAgentEvent: true },
    );
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

/** A task that is another's now has its end there. */
function ignoreLost(): void {}

function taskResponse(task: Task): StreamResponse {
  return { payload: { $case: "task", value: task } };
}

function endsReading(response: StreamResponse): boolean {
  if (response.payload?.$case !== "statusUpdate") return false;
  const state = response.payload.value.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  return isTerminal(state) || isInterrupted(state);
}
