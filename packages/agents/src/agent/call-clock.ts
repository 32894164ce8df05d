import { WeftError } from "@weft/tracing";

export interface CallClockOptions {
  /** Who calls, and may give up. */
  readonly caller: AbortSignal;
  /** Undefined: no limit of its own. */
  readonly timeoutMs: number | undefined;
  /** The subject of its errors: `Model "x"`, `Tool "x"`. */
  readonly what: string;
  /** What was not done in time: `gave no answer`. */
  readonly late: string;
  /** Called at once when the caller gives up or the time is up, before {@link CallClock.wait} rejects. */
  readonly onFailure?: (error: WeftError) => void;
}

/** What a call of something that may hang waits under: its caller's signal, and a time. */
export class CallClock {
  readonly #options: CallClockOptions;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #failure: WeftError | undefined;
  #interrupt: ((error: WeftError) => void) | undefined;

  constructor(options: CallClockOptions) {
    this.#options = options;
    const { caller } = options;
    this.restart();
    if (caller.aborted) this.#abort();
    else caller.addEventListener("abort", this.#abort, { once: true });
  }

  /** For what is called: fires with the caller's, or when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What `step` gives; rejects when the caller gives up or the time is up, also when nobody looks at the signal. */
  wait<T>(step: () => T | PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      this.#interrupt = reject;
      Promise.resolve(step()).then(resolve, reject);
    });
  }

  /** It is asked again: the time begins anew, after `waitMs`. */
  restart(waitMs = 0): void {
    const { timeoutMs } = this.#options;
    clearTimeout(this.#timer);
    if (timeoutMs !== undefined) this.#timer = setTimeout(this.#ring, timeoutMs + waitMs);
  }

  /** There is an answer: the time no longer counts. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The call is over: nothing is listened to any more. */
  release(): void {
    clearTimeout(this.#timer);
    this.#options.caller.removeEventListener("abort", this.#abort);
  }

  readonly #ring = (): void => {
    const { what, late, timeoutMs } = this.#options;
    const error = new WeftError("deadline_exceeded", `${what} ${late} within ${timeoutMs} ms.`);
    this.#fail(error, error);
  };

  readonly #abort = (): void => {
    const { caller, what } = this.#options;
    const cause: unknown = caller.reason;
    this.#fail(new WeftError("aborted", `${what} was aborted.`, { cause }), cause);
  };

  #fail(error: WeftError, reason: unknown): void {
    this.#failure = error;
    this.#options.onFailure?.(error);
    this.#controller.abort(reason);
    this.#interrupt?.(error);
  }
}
