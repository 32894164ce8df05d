/**
 * Job: end the span of a stream whose reader does not come back.
 * Owns: the limit of this process, and one timer for each stream that waits for its reader. It holds no process.
 * I1. Only time counts during which nobody asks: a source may take as long as it likes.
 */

const defaultMs = 600_000;
/** Longer than a timer can be: no limit. */
const longestMs = 2 ** 31 - 1;
let limitMs = defaultMs;

/** Milliseconds; undefined goes back to the default, ten minutes. */
export function configureStreamIdle(milliseconds: number = defaultMs): void {
  limitMs = milliseconds;
}

export class IdleLimit {
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** Counts from now on, until the reader asks. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
    this.answered();
  }

  /** The reader asks for the next item. */
  asked(): void {
    clearTimeout(this.#timer);
  }

  /** The reader has it: should it not ask again in time, `onIdle` is called. */
  answered(): void {
    if (limitMs <= longestMs) this.#timer = setTimeout(this.#onIdle, limitMs).unref();
  }

  /** The stream is over. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
