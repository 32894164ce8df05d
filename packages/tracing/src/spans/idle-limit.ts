/**
 * Job: end the span of a stream whose reader does not come back.
 * Owns: the limit of this process, and one timer for each stream. It holds no process.
 * I1. Only time counts during which nobody asks: a source may take as long as it likes.
 * I2. An item costs no timer: the one there is finds out when it fires.
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
  #isAsked = false;
  /** Milliseconds of the monotonic clock at the last item. */
  #since = 0;

  /** Counts from now on, until the reader asks. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
    this.answered();
  }

  /** The reader asks for the next item. */
  asked(): void {
    this.#isAsked = true;
  }

  /** The reader has it: should it not ask again in time, `onIdle` is called. */
  answered(): void {
    this.#isAsked = false;
    this.#since = performance.now();
    if (this.#timer === undefined && limitMs <= longestMs) this.#watch(limitMs);
  }

  /** The stream is over. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #watch(milliseconds: number): void {
    const look = (): void => {
      this.#timer = undefined;
      if (this.#isAsked) return;
      const left = this.#since + limitMs - performance.now();
      if (left > 0) this.#watch(Math.ceil(left));
      else this.#onIdle();
    };
    this.#timer = setTimeout(look, milliseconds).unref();
  }
}
