import type { LeaveSignal } from "../task/call-signal.ts";

/**
 * How many bytes of events a stream's reader is ready for. A frame may overdraw it once, so that any size gets through.
 * The service waits by it; its client, which has granted it, sees by it whether the service did.
 */
export class StreamCredit {
  #left: number;
  #wake: (() => void) | undefined;

  constructor(bytes = Number.POSITIVE_INFINITY) {
    this.#left = bytes;
  }

  /** No event may be sent. */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  add(bytes: number): void {
    this.#left += bytes;
    if (this.#left > 0) this.#release();
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }

  /** A promise only when the reader is behind; it resolves with credit, or when `signal` fires. */
  ready(signal: LeaveSignal): Promise<void> | undefined {
    if (this.#left > 0 || signal.aborted) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }

  #release(): void {
    this.#wake?.();
  }
}
