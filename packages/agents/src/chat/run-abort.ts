/*
 * RunAbort: how a run is given up.
 *
 * Job: one signal for all that a run started. It fires by `cancel`, by the signals the run follows, and at its deadline.
 * Owns: the controller, the listeners, the timers.
 *
 * I1  What is waited for should end by itself when the signal fires, and is waited for `graceMs` longer at most: a
 *     function of the user's that ignores the signal holds no run that was cancelled.
 */
import { WeftError } from "@weft/tracing";
import { spent } from "./budget-meter.ts";

const graceMs = 250;
const longestTimeout = 2 ** 31 - 1;

export interface RunAbortOptions {
  /** Their firing is the run's. */
  readonly follows: readonly (AbortSignal | undefined)[];
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
}

export class RunAbort implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners: (() => void)[] = [];
  #late: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #interrupt: ((error: WeftError) => void) | undefined;

  constructor({ follows, deadline }: RunAbortOptions) {
    for (const signal of follows) if (signal) this.#follow(signal);
    if (deadline === undefined) return;
    const leftMs = Math.max(0, Math.min(deadline - Date.now(), longestTimeout));
    this.#late = setTimeout(() => this.cancel(spent("deadlineMs")), leftMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    const { reason: cause } = this.signal as { readonly reason: unknown };
    if (!this.#interrupt) return;
    const error = new WeftError("aborted", "The run was aborted.", { cause });
    this.#grace = setTimeout(() => this.#interrupt?.(error), graceMs);
  }

  /** As `work`, but rejects when it does not end within the grace after an abort. */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      work.then(resolve, reject);
    });
  }

  /** The run is over: nothing is listened to any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#late);
    clearTimeout(this.#grace);
    this.#interrupt = undefined;
    for (const release of this.#listeners) release();
  }

  #follow(signal: AbortSignal): void {
    const abort = (): void => this.cancel(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#listeners.push(() => signal.removeEventListener("abort", abort));
  }
}
