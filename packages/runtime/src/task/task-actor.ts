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
import type { Task } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { activeContext } from "@weft/tracing/internal";
import type { Context } from "@weft/tracing/internal";
import { fencedError } from "../agent/fenced.ts";
import type { Agent } from "../agent/agent.ts";
import type { PendingTurn } from "../journal/message-in.ts";
import { writeMessageIn } from "../journal/message-in.ts";
import type { StepRow, StoredEvent, TaskRow, TaskStore } from "../store/task-store.ts";
import type { LeaveSignal } from "./call-signal.ts";
import type { ContextSession } from "./context-session.ts";
import { TaskChanges } from "./task-changes.ts";
import type { TaskLog } from "./task-log.ts";
import { isInterrupted, isTerminal } from "./task-record.ts";
import { TaskReply } from "./task-reply.ts";
import type { Change } from "./task-writer.ts";
import { startDeadline } from "./turn-deadline.ts";
import { failureOf, outcomeOf, replyMetadata } from "./turn-outcome.ts";
import type { TurnOutcome } from "./turn-outcome.ts";
import { TurnRun } from "./turn-run.ts";
import { Waiters } from "./waiters.ts";

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

/** How a message is taken. */
export interface TakingOptions {
  /** The task whose turn on the same message failed. */
  readonly messageFrom: string | undefined;
  readonly onStored: () => Promise<void> | undefined;
}

export class TaskActor {
  /** May be read anew where others can go on with it: then a message comes with the one of now. */
  session: ContextSession<unknown>;
  readonly #host: TaskHost;
  readonly #changes: TaskChanges;
  /** The journal, where there is one. */
  #steps: Map<string, StepRow> | undefined;
  readonly #controller = new AbortController();
  readonly #pending: PendingTurn[] = [];
  /** Who is to hear that the task is at rest. */
  readonly #waiters = new Waiters();
  #places: number;
  #isRunning = false;
  #isKept: boolean;
  /** Of the last turn's span. */
  #turnContext: Context = activeContext();

  constructor({ host, session, row, loaded }: TaskActorOptions) {
    const { store, maxLogEntries } = host;
    this.session = session;
    // One that was taken over has lost its callers already.
    this.#isKept = loaded !== undefined;
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

  /** Its turns are given up; it is over soon. */
  get isStopped(): boolean {
    return this.#controller.signal.aborted;
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
    { messageFrom, onStored }: TakingOptions,
  ): Promise<void> | undefined {
    const turn: PendingTurn = { ...given, place: this.#places++ };
    this.#pending.push(turn);
    this.#changes.record.addMessage(turn.message);
    const storing = this.#changes.store(this.#begun(turn, messageFrom));
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
    if (!this.isAtRest) await this.#waiters.wait(signal);
  }

  /** The same for a caller who will not come back: when the last one leaves, the task is canceled, unless it is kept. */
  async answered(signal?: LeaveSignal): Promise<void> {
    if (this.isAtRest) return;
    if ((await this.#waiters.waitAsCaller(signal)) && !this.#isKept) await this.cancel();
  }

  /** Somebody knows it and may come back for it: it ends for nobody's leaving. */
  keep(): void {
    this.#isKept = true;
  }

  /** A task that is made when its only turn is over. A store that is gone is said by the log's end. */
  conclude(turn: Omit<PendingTurn, "place">, outcome: TurnOutcome): void {
    this.#changes.record.addMessage(turn.message);
    this.#finish(outcome, [{ ...turn, place: this.#places++ }])?.catch(() => undefined);
  }

  /** Stops the running turn and drops those that wait; resolves when the task is canceled. */
  async cancel(): Promise<void> {
    if (this.isTerminal) return;
    this.#controller.abort(new WeftError("aborted", "The task was canceled."));
    if (!this.#isRunning) await this.#finish(canceled, [...this.#pending]);
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
    const timer = startDeadline(this.#controller, this.#host, turn.hop.deadline);
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
    const { session, id } = this;
    const { agent } = this.#host;
    const steps = this.#steps;
    const journal = steps && {
      steps,
      nextPlace: () => this.#places++,
      write: async (step: StepRow) => {
        steps.set(step.key, step);
        await this.#changes.storeStep(step);
      },
    };
    const onOpen = (context: Context): void => void (this.#turnContext = context);
    return new TurnRun({
      agent,
      session,
      turn,
      signal: this.#controller.signal,
      task: { id, onOpen, journal },
    });
  }

  #finishTurn(
    turn: PendingTurn,
    reply: TaskReply,
    variables: Record<string, unknown>,
  ): Promise<void> | undefined {
    // The next message's turn follows; what this one said is stored and shown.
    if (this.#pending.length > 0) return this.#changes.store(this.#ended([turn]));
    const metadata = replyMetadata(turn, { usage: reply.report.usage, variables });
    return this.#finish(outcomeOf(this, { request: reply.inputRequest, metadata }), [turn]);
  }

  /** A task that is another's now has its end there; one whose end cannot be said to a store ends here. */
  async #failTurn(turn: PendingTurn, reply: TaskReply, error: WeftError): Promise<void> {
    const isStopped = this.#controller.signal.aborted;
    const failed = { usage: reply.report.usage, error, isStopped };
    try {
      await this.#finish(failureOf(this, turn, failed), [turn, ...this.#pending]);
    } catch (thrown) {
      this.#changes.stop(WeftError.from(thrown));
    }
  }

  #finish(outcome: TurnOutcome, turns: readonly PendingTurn[]): Promise<void> | undefined {
    const { state, message, metadata } = outcome;
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
  #begun(turn: PendingTurn, messageFrom: string | undefined): Omit<Change, "row"> {
    if (!this.#host.store.isDurable) return nothing;
    const { messageId } = turn.message;
    return { steps: [writeMessageIn(turn, false)], messageId, messageFrom };
  }

  /** The same with a turn's end. */
  #ended(turns: readonly PendingTurn[]): Omit<Change, "row"> {
    if (!this.#host.store.isDurable) return nothing;
    const steps = turns.map((turn) => writeMessageIn(turn, true));
    return { steps, ...this.session.unstored() };
  }

  #settle(): void {
    this.#waiters.tell();
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
}

const nothing = {};
const canceled: TurnOutcome = { state: TaskState.TASK_STATE_CANCELED, metadata: undefined };
