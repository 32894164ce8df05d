/*
 * DirectTurn: a turn that is answered with a message, and makes no task.
 *
 * Job: runs the agent's turn for those who wait for its answer; makes a task of what a message cannot say: a question, a
 *   failure, no reply at all.
 * Owns: who waits, the abort controller. Does not own: the session (history, order within a context), what is kept of it.
 *
 * I1  It lasts as long as somebody waits for it: nobody else could have its answer.
 * I2  It ends by the agent, by its deadline, by a shutdown, or because its callers left.
 */
import type { Message } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import type { PendingTurn } from "../journal/message-in.ts";
import type { LeaveSignal } from "./call-signal.ts";
import type { Session } from "./running-tasks.ts";
import type { TaskActor, TaskHost } from "./task-actor.ts";
import { startDeadline } from "./turn-deadline.ts";
import { failureOf, outcomeOf, replyMessage, replyMetadata, TurnReport } from "./turn-outcome.ts";
import { TurnRun } from "./turn-run.ts";
import { Waiters } from "./waiters.ts";

export type DirectAnswer = Message | TaskActor;

export interface DirectTurnOptions {
  readonly host: TaskHost;
  readonly session: Session;
  readonly turn: Omit<PendingTurn, "place">;
  readonly createTask: () => TaskActor;
  /** Called once. */
  readonly onEnd: (turn: DirectTurn) => void;
}

export class DirectTurn {
  readonly session: Session;
  readonly turn: PendingTurn;
  readonly #options: DirectTurnOptions;
  readonly #controller = new AbortController();
  readonly #waiters = new Waiters();
  #isRunning = false;
  #isOver = false;
  #isGivenUp = false;
  #result: DirectAnswer | undefined;

  constructor(options: DirectTurnOptions) {
    this.session = options.session;
    this.turn = { ...options.turn, place: 0 };
    this.#options = options;
  }

  /** Its callers left. What it still does counts for nothing. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Its answer, once it is over; none when it was given up. */
  get result(): DirectAnswer | undefined {
    return this.#result;
  }

  /** Runs after the turns before it of its context. */
  start(): void {
    this.session.enqueue(() => this.#run());
  }

  /** Rejects with WeftError `aborted` when `signal` fires first. */
  async answer(signal?: LeaveSignal): Promise<DirectAnswer> {
    const isLeft = !this.#isOver && (await this.#waiters.waitAsCaller(signal));
    if (this.#result) return this.#result;
    const left = new WeftError("aborted", "The caller left before the answer.");
    if (isLeft) {
      this.#isGivenUp = true;
      this.#controller.abort(left);
      if (!this.#isRunning) this.#end();
    }
    throw left;
  }

  /** Resolves when it is over, or when `signal` fires. */
  async settled(signal?: LeaveSignal): Promise<void> {
    if (!this.#isOver) await this.#waiters.wait(signal);
  }

  /** Ends it as failed, as a shutdown does when its time is over. */
  abandon(reason: WeftError): void {
    this.#controller.abort(reason);
  }

  async #run(): Promise<void> {
    if (this.#isOver) return;
    this.#isRunning = true;
    this.#result = await this.#play();
    this.#end();
  }

  /** Once: for a turn that was given up before it ran there is nothing to wait for. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(this);
    this.#waiters.tell();
  }

  async #play(): Promise<DirectAnswer | undefined> {
    const { host, createTask } = this.#options;
    const { turn, session } = this;
    const { signal } = this.#controller;
    const report = new TurnReport();
    const run = new TurnRun({ agent: host.agent, session, turn, signal });
    const timer = startDeadline(this.#controller, host, turn.hop.deadline);
    try {
      const reply = await run.play((event) => report.note(event));
      const metadata = replyMetadata(turn, { usage: report.usage, variables: run.variables });
      if (reply) return replyMessage(reply, session.contextId, metadata);
      const task = createTask();
      task.conclude(turn, outcomeOf(task, { request: report.inputRequest, metadata }));
      return task;
    } catch (error) {
      if (this.#isGivenUp) return undefined;
      const failed = { usage: report.usage, error: WeftError.from(error), isStopped: signal.aborted };
      const task = createTask();
      task.conclude(turn, failureOf(task, turn, failed));
      return task;
    } finally {
      clearTimeout(timer);
    }
  }
}
