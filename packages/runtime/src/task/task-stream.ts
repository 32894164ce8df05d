import { TaskState } from "@a2a-js/sdk";
import type { StreamResponse, Task } from "@a2a-js/sdk";
import { over, PullStream } from "../a2a/pull-stream.ts";
import type { Step } from "../a2a/pull-stream.ts";
import type { StoredEvent } from "../store/task-store.ts";
import type { LeaveSignal } from "./call-signal.ts";
import { numbered, placeAfter } from "./event-number.ts";
import type { EventNumber } from "./event-number.ts";
import { LogReader } from "./log-reader.ts";
import type { LogStep } from "./log-reader.ts";
import type { TaskActor } from "./task-actor.ts";
import { isInterrupted, isTerminal } from "./task-record.ts";

export interface Reading {
  readonly withAgentEvents: boolean;
  /** The caller knows the hop extension: events carry their numbers. */
  readonly withNumbers?: boolean;
  readonly signal?: LeaveSignal | undefined;
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

/** Taken before a turn begins, it misses none of that turn's events, however soon they come. */
export function startReading(actor: TaskActor): ReadingStart {
  return { task: actor.snapshot(), place: actor.log.shown };
}

/** The task as it stands, then its events. `signal` ends the reading, never the task. */
export class TaskStream extends PullStream<StreamResponse> {
  readonly #actor: TaskActor;
  readonly #reading: Reading;
  readonly #reader: LogReader;
  /** What is told first. */
  #start: ReadingStart | undefined;
  /** The state that the reader was told last, where that may be the last event of all. */
  #last: StoredEvent | undefined;
  #isOver = false;

  constructor(actor: TaskActor, reading: Reading) {
    super();
    const { after, signal } = reading;
    this.#actor = actor;
    this.#reading = reading;
    if (!after) this.#start = reading.start ?? startReading(actor);
    const from = after ? placeAfter(after, actor.log.epochs) : this.#start!.place;
    this.#reader = new LogReader(actor.log, from, signal);
    // A task that was at rest when the reading began may have no event left to tell.
    if (this.#isAtEnd && from >= actor.log.shown) this.#isOver = true;
  }

  take(): Step<StreamResponse> {
    const start = this.#start;
    this.#start = undefined;
    if (start) return { done: false, value: taskResponse(start.task) };
    while (!this.#isOver && !this.#wasLast()) {
      const taken = this.#reader.next();
      if (taken instanceof Promise) return taken.then((entry) => this.#told(entry) ?? this.take());
      const step = this.#told(taken);
      if (step) return step;
    }
    this.leave();
    return over;
  }

  protected leave(): undefined {
    this.#isOver = true;
    this.#start = undefined;
    this.#reader.leave();
  }

  /** What the reader is told of it; nothing of what it did not ask for. */
  #told(entry: LogStep): IteratorResult<StreamResponse, void> | undefined {
    if (entry === "behind") return { done: false, value: this.#caughtUp() };
    if (entry === undefined) {
      this.leave();
      return over;
    }
    const { withAgentEvents, withNumbers = false } = this.#reading;
    if (entry.isAgentEvent && !withAgentEvents) return undefined;
    const value = numbered(entry, withNumbers);
    if (endsReading(value)) this.#last = entry;
    return { done: false, value };
  }

  /** In place of what is gone: all there is. Nothing may follow. */
  #caughtUp(): StreamResponse {
    const { log } = this.#actor;
    this.#reader.skip();
    this.#isOver = this.#isAtEnd && log.shown === log.next;
    return taskResponse(this.#actor.snapshot());
  }

  /** Asked when the reader is back for more: by then the task may have gone on. */
  #wasLast(): boolean {
    const last = this.#last;
    this.#last = undefined;
    return last !== undefined && last.place + 1 >= this.#actor.log.shown && this.#isAtEnd;
  }

  get #isAtEnd(): boolean {
    return this.#actor.isTerminal || (!this.#reading.isToEnd && this.#actor.isWaiting);
  }
}

export function taskResponse(task: Task): StreamResponse {
  return { payload: { $case: "task", value: task } };
}

function endsReading(response: StreamResponse): boolean {
  if (response.payload?.$case !== "statusUpdate") return false;
  const state = response.payload.value.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  return isTerminal(state) || isInterrupted(state);
}
