/*
 * TaskActor: one A2A task and its turns.
 *
 * Job: takes messages and runs the agent's turns one after the other, until the task is over.
 * Owns: which messages wait, the journal's places, the abort controller of the running turn.
 * Does not own: how a change is applied, shown and stored (TaskChanges), the session (history, order within a context),
 *   who reads, or which tasks there are.
 *
 * I1  Turns are serial; a message that arrives while one runs waits and is not lost.
 * I2  Nobody who reads, or stops reading, changes what happens.
 * I3  Once terminal, a task never changes.
 * I4  Each turn ends by the agent, by cancel, by its deadline, or because the task is another's.
 * I5  A message is taken only once it is stored.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Message, Task } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import type { Context } from "@weft/tracing/internal";
import { fencedError } from "../agent/fenced.ts";
import type { Agent } from "../agent/agent.ts";
import { publicMessage } from "../a2a/wire-errors.ts";
import { textPart } from "../a2a/message-mapping.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { writeMessageIn } from "../journal/message-in.ts";
import type { StepRow, StoredEvent, TaskRow, TaskStore } from "../store/task-store.ts";
import type { LeaveSignal } from "./call-signal.ts";
import type { ContextSession } from "./context-session.ts";
import { TaskChanges } from "./task-changes.ts";
import type { TaskLog } from "./task-log.ts";
import { isInterrupted, isTerminal } from "./task-record.ts";
import { questionMessage, TaskReply } from "./task-reply.ts";
import type { Change } from "./task-writer.ts";
import { replyMetadata, TurnRun } from "./turn-run.ts";

/** What all actors of an engine share. */
export interface TaskHost {
  readonly agent: Agent;
  readonly store: TaskStore;
  /** Milliseconds a turn may take. */
  readonly turnMs: number;
  readonly maxLogEntries: number;
  readonly onRest: (actor: TaskActor) => void;
  /** After a state was stored; with its event, and the context of the turn that changed it. */
  readonly onState: (actor: TaskActor, event: StoredEvent, context: Context) => void;
}

export interface TaskActorOptions {
  readonly host: TaskHost;
  readonly session: ContextSession<unknown>;
  /** As stored, or with version 0 for a new task. */
  readonly row: TaskRow;
  /** Of a task that was stored before: the place after its events, and the journal so far. */
  readonly loaded?: { readonly place: number; readonly steps: readonly StepRow[] } | undefined;
}

interface TurnEnd {
  readonly message?: Message;
  readonly metadata?: Record<string, unknown> | undefined;
  readonly turns: readonly PendingTurn[];
}

export class TaskActor {
  readonly session: ContextSession<unknown>;
  readonly #host: TaskHost;
  readonly #changes: TaskChanges;
  /** The journal, where there is one. */
  #steps: Map<string, StepRow> | undefined;
  readonly #controller = new AbortController();
  readonly #pending: PendingTurn[] = [];
  /** Who is to hear that the task is at rest. */
  #waiting: (() => void)[] | undefined;
  #places: number;
  #isRunning = false;
  /** Of the last turn's span. */
  #turnContext: Context = activeContext();

  constructor({ host, session, row, loaded }: TaskActorOptions) {
    const { store, maxLogEntries } = host;
    this.session = session;
    this.#host = host;
    this.#changes = new TaskChanges({
      store,
      row,
      place: loaded?.place,
      maxLogEntries,
      onLost: (error) => this.#lost(error),
    });
    if (store.isDurable) this.#steps = new Map(loaded?.steps.map((step) => [step.key, step]));
    this.#places = loaded?.steps.reduce((next, { place }) => Math.max(next, place + 1), 0) ?? 0;
  }

  get id(): string {
    return this.#changes.record.id;
  }

  get owner(): string {
    return this.session.owner;
  }

  get contextId(): string {
    return this.session.contextId;
  }

  get log(): TaskLog {
    return this.#changes.log;
  }

  get isTerminal(): boolean {
    return isTerminal(this.#changes.record.state);
  }

  /** Waits for its caller: by its state, not by whether a turn runs, for that may be read before its last step is through. */
  get isWaiting(): boolean {
    return this.#pending.length === 0 && isInterrupted(this.#changes.record.state);
  }

  /** Under which it is run here. */
  get epoch(): number {
    return this.#changes.epoch;
  }

  /** Another runs the task, or the store is gone: what this actor does counts for nothing. */
  get isLost(): boolean {
    return this.#changes.isLost;
  }

  /** No turn runs or waits: the task is over, or waits for its caller. */
  get isAtRest(): boolean {
    return !this.#isRunning && this.#pending.length === 0;
  }

  /** The task as it stands. */
  snapshot(historyLength?: number): Task {
    return this.#changes.record.snapshot(historyLength);
  }

  /**
   * Takes a message; resolves when it is stored, or is nothing when it is at once. Its turn runs after `onStored`, and after the turns before it, of this
   * task and of its context.
   *
   * Rejects with WeftError `already_exists` for a message id that the context has; the store's own.
   */
  enqueue(
    given: Omit<PendingTurn, "place">,
    { isNewId, onStored }: { readonly isNewId: boolean; readonly onStored: () => Promise<void> | undefined },
  ): Promise<void> | undefined {
    const turn: PendingTurn = { ...given, place: this.#places++ };
    this.#pending.push(turn);
    this.#changes.record.addMessage(turn.message);
    const storing = this.#changes.store(this.#begun(turn, isNewId));
    if (!storing) return this.#begin(onStored);
    return storing.then(
      () => this.#begin(onStored),
      (error: unknown) => {
        this.#dropped(turn);
        throw error;
      },
    );
  }

  /** Goes on with what an earlier owner left: its partial text is taken back first, in a new epoch. */
  async resume(turns: readonly PendingTurn[]): Promise<void> {
    this.#pending.push(...turns);
    this.#changes.withdrawPartial();
    await this.#changes.store({});
    for (const _ of turns) this.session.enqueue(() => this.#runNext());
  }

  /** Resolves when the task is over or waits for its caller, or when `signal` fires. */
  async settled(signal?: LeaveSignal): Promise<void> {
    if (this.isAtRest || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      (this.#waiting ??= []).push(resolve);
      signal?.addEventListener("abort", resolve, { once: true });
    });
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
    await this.#changes.store({}, "")?.catch(() => undefined);
    this.#changes.stop(fencedError("The task goes on in another process; subscribe to it again."));
  }

  /** The turn is taken, and runs, whatever becomes of `onStored`. */
  #begin(onStored: () => Promise<void> | undefined): Promise<void> | undefined {
    const begin = (): void => this.session.enqueue(() => this.#runNext());
    const told = onStored();
    if (told) return told.finally(begin);
    begin();
    return undefined;
  }

  async #runNext(): Promise<void> {
    const turn = this.#pending[0];
    if (!turn || this.isTerminal || this.isLost) return;
    this.#isRunning = true;
    this.#pending.shift();
    this.#changes.setState(TaskState.TASK_STATE_WORKING);
    this.#changes.store({})?.catch(() => undefined);
    const reply = new TaskReply(this.#changes);
    const run = this.#createRun(turn);
    const timer = this.#startDeadline(turn.hop.deadline);
    try {
      await run.play((event) => {
        reply.accept(event);
        return this.#changes.room;
      });
      clearTimeout(timer);
      const finishing = this.#finishTurn(turn, reply, run.variables);
      if (finishing) await finishing;
    } catch (error) {
      clearTimeout(timer);
      if (!this.isLost) await this.#failTurn(turn, reply, WeftError.from(error));
    } finally {
      this.#isRunning = false;
      if (this.isLost || this.#pending.length === 0) this.#settle();
    }
  }

  #createRun(turn: PendingTurn): TurnRun {
    const { session } = this;
    const { agent } = this.#host;
    return new TurnRun({
      agent,
      session,
      turn,
      taskId: this.id,
      epoch: this.epoch,
      signal: this.#controller.signal,
      steps: this.#steps,
      nextPlace: () => this.#places++,
      onOpen: (context) => (this.#turnContext = context),
      write: async (step) => {
        this.#steps?.set(step.key, step);
        await this.#changes.storeStep(step);
      },
    });
  }

  #finishTurn(
    turn: PendingTurn,
    reply: TaskReply,
    variables: Record<string, unknown>,
  ): Promise<void> | undefined {
    // The next message's turn follows; what this one said is stored and shown.
    if (this.#pending.length > 0) return this.#changes.store(this.#ended([turn]));
    const metadata = replyMetadata(turn, reply, variables);
    const request = reply.inputRequest;
    if (!request) return this.#finish(TaskState.TASK_STATE_COMPLETED, { metadata, turns: [turn] });
    const message = questionMessage(request, this.#ids);
    return this.#finish(TaskState.TASK_STATE_INPUT_REQUIRED, { message, metadata, turns: [turn] });
  }

  #failTurn(turn: PendingTurn, reply: TaskReply, error: WeftError): Promise<void> {
    const turns = [turn, ...this.#pending];
    if (error.code === "aborted" && this.#controller.signal.aborted) {
      const metadata = replyMetadata(turn, reply);
      return this.#finishFailed(TaskState.TASK_STATE_CANCELED, { metadata, turns });
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
    return this.#finishFailed(state, { message, metadata, turns });
  }

  /** A task that is another's now has its end there; one whose end cannot be said to a store ends here. */
  async #finishFailed(state: TaskState, end: TurnEnd): Promise<void> {
    try {
      await this.#finish(state, end);
    } catch (error) {
      this.#changes.stop(WeftError.from(error));
    }
  }

  #finish(state: TaskState, { message, metadata, turns }: TurnEnd): Promise<void> | undefined {
    this.#pending.length = 0;
    // First: what cannot be stored throws, and the state is still the one before.
    const ended = this.#ended(turns);
    const event = this.#changes.setState(state, message, metadata);
    const storing = this.#changes.store({ ...ended, due: event.place });
    if (storing) return storing.then(() => this.#finished(event));
    this.#finished(event);
    return undefined;
  }

  #finished(event: StoredEvent): void {
    if (this.isTerminal) this.log.close();
    if (!this.#isRunning) this.#settle();
    this.#host.onState(this, event, this.#turnContext);
  }

  /** What is stored with a message; a store that is this process's alone need not know what the session knows. */
  #begun(turn: PendingTurn, isNewId: boolean): Omit<Change, "row"> {
    if (!this.#host.store.isDurable) return nothing;
    const { messageId } = turn.message;
    return { steps: [writeMessageIn(turn, false)], ...(isNewId ? { messageId } : {}) };
  }

  /** The same with a turn's end. */
  #ended(turns: readonly PendingTurn[]): Omit<Change, "row"> {
    if (!this.#host.store.isDurable) return nothing;
    const steps = turns.map((turn) => writeMessageIn(turn, true));
    return { steps, ...this.session.unstored() };
  }

  get #ids(): { readonly taskId: string; readonly contextId: string } {
    return { taskId: this.id, contextId: this.contextId };
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
    this.#host.onRest(this);
  }

  /** A message that could not be stored was never taken. */
  #dropped(turn: PendingTurn): void {
    const at = this.#pending.indexOf(turn);
    if (at >= 0) this.#pending.splice(at, 1);
    this.#changes.record.removeMessage(turn.message.messageId);
    if (this.isAtRest) this.#settle();
  }

  #lost(error: WeftError): void {
    this.#pending.length = 0;
    this.#controller.abort(error);
    if (!this.#isRunning) this.#settle();
  }

  #startDeadline(callerDeadline: number | undefined): NodeJS.Timeout {
    const { turnMs, agent } = this.#host;
    const ms = Math.min(turnMs, callerDeadline === undefined ? turnMs : callerDeadline - Date.now());
    const late = (): void => {
      const message = `Agent "${agent.name}" did not answer within ${Math.max(0, Math.round(ms))} ms.`;
      this.#controller.abort(new WeftError("deadline_exceeded", message));
    };
    return setTimeout(late, Math.max(0, ms));
  }
}

const nothing = {};
