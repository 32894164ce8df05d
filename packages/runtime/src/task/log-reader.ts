import { activeContext, runInContext } from "@weft/tracing/internal";
import type { StoredEvent } from "../store/task-store.ts";
import type { LeaveSignal } from "./call-signal.ts";
import type { TaskLog } from "./task-log.ts";

/** An entry; `behind` where entries not read are gone, and a snapshot is due; undefined when nothing follows. */
export type LogStep = StoredEvent | "behind" | undefined;

/**
 * Follows a log from a place until it closes, or `signal` fires (then it ends without an error). It never waits for what
 * is there: most steps of a stream are.
 */
export class LogReader {
  readonly #log: TaskLog;
  readonly #signal: LeaveSignal | undefined;
  /** Where the store is read, whoever asks for the next entry. */
  readonly #context = activeContext();
  #place: number;
  /** What was loaded and not read yet, the next one last. */
  #loaded: StoredEvent[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(log: TaskLog, from: number, signal?: LeaveSignal) {
    this.#log = log;
    this.#place = from;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#left);
  }

  /** One at a time. Throws, or rejects with, what ended the log. */
  next(): LogStep | Promise<LogStep> {
    const log = this.#log;
    if (this.#isOver || this.#signal?.aborted) return undefined;
    const loaded = this.#loaded.pop();
    if (loaded) return this.#read(loaded);
    if (log.isGone(this.#place)) return this.#catchUp();
    const entry = log.at(this.#place);
    if (entry) return this.#read(entry);
    const { end } = log;
    if (!end) return this.#wait();
    this.leave();
    if (end.failure !== undefined) throw end.failure;
    return undefined;
  }

  /** Goes on from the last entry that may be seen now. */
  skip(): void {
    this.#place = this.#log.shown;
  }

  /** Reads no further: a step that waits ends. */
  leave(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#left);
    this.#left();
  }

  readonly #left = (): void => {
    if (!this.#wake) return;
    this.#log.leave(this.#wake);
    this.#wake();
  };

  #read(entry: StoredEvent): StoredEvent {
    this.#place = entry.place + 1;
    return entry;
  }

  async #catchUp(): Promise<LogStep> {
    const loading = runInContext(this.#context, () => this.#log.load(this.#place));
    this.#loaded = [...(await loading)].reverse();
    const loaded = this.#loaded.pop();
    if (loaded) return this.#read(loaded);
    this.skip();
    return "behind";
  }

  async #wait(): Promise<LogStep> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#log.wait(resolve);
    });
    this.#wake = undefined;
    return this.next();
  }
}
