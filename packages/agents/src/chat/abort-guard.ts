import { WeftError } from "@weft/tracing";

/**
 * Waits for steps that should end by themselves when `signal` fires, but for no longer than `graceMs` after it: a
 * function of the user's that ignores the signal must not hold a run that was cancelled. One listener for all steps.
 */
export class AbortGuard implements Disposable {
  readonly #signal: AbortSignal;
  readonly #graceMs: number;
  #interrupt: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal, graceMs = 250) {
    this.#signal = signal;
    this.#graceMs = graceMs;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  wait<T>(step: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () =>
        reject(new WeftError("aborted", "The run was aborted.", { cause: this.#signal.reason }));
      step.then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#timer = setTimeout(() => this.#interrupt?.(), this.#graceMs);
  };
}
