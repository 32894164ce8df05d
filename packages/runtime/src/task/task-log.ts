/*
 * TaskLog: the numbered events of one task.
 *
 * Job: an append-only log that any number of readers follow, each at its own pace.
 * Owns: the entries and the readers that wait. Does not own: what entries mean, or snapshots.
 *
 * I1  Numbers start at 0 and have no gap; an entry never changes.
 * I2  Appending costs the same however long the log and however slow a reader: a reader is a number, not a queue.
 * I3  Past the bound the oldest entries go, and all once the log is closed and read; a reader behind them is told so (`behind`) and starts from a snapshot.
 */
import type { StreamResponse } from "@a2a-js/sdk";

export interface LogEntry {
  readonly seq: number;
  readonly response: StreamResponse;
  /** An agent event, shown only to readers that activated the events extension. */
  readonly isAgentEvent: boolean;
}

export class TaskLog {
  #entries: LogEntry[] = [];
  #first = 0;
  #isClosed = false;
  #readers = 0;
  readonly #waiting = new Set<() => void>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** The number that the next entry gets. */
  get next(): number {
    return this.#first + this.#entries.length;
  }

  append(response: StreamResponse, isAgentEvent = false): void {
    this.#entries.push({ seq: this.next, response, isAgentEvent });
    if (this.#entries.length > this.#maxEntries * 2) {
      this.#first += this.#entries.length - this.#maxEntries;
      this.#entries = this.#entries.slice(-this.#maxEntries);
    }
    this.#wake();
  }

  /** No entry follows: readers end once they have read what there is. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
    this.#forgetRead();
  }

  /**
   * Follows the log from number `from` until it closes or `signal` fires (then it ends without an error). Yields
   * `behind` when entries it has not read are gone; the caller shows a snapshot and reads on from {@link next}.
   */
  async *read(from: number, signal?: AbortSignal): AsyncGenerator<LogEntry | "behind", void> {
    let seq = from;
    const wake = (): void => this.#wake();
    signal?.addEventListener("abort", wake);
    this.#readers++;
    try {
      for (;;) {
        if (signal?.aborted) return;
        if (seq < this.#first) {
          seq = this.next;
          yield "behind";
        } else if (seq < this.next) {
          yield this.#entries[seq++ - this.#first]!;
        } else if (this.#isClosed) {
          return;
        } else {
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
        }
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#readers--;
      this.#forgetRead();
    }
  }

  /** What is over and read by all who wanted it need not be kept: a snapshot says it. */
  #forgetRead(): void {
    if (!this.#isClosed || this.#readers > 0) return;
    this.#first = this.next;
    this.#entries = [];
  }

  #wake(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
