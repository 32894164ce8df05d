import type { LeaveSignal } from "./call-signal.ts";

/** Who is to hear that something is over. */
export class Waiters {
  #waiting: (() => void)[] | undefined;
  #callers = 0;

  /** Resolves when it is told, or when `signal` fires. */
  wait(signal?: LeaveSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      (this.#waiting ??= []).push(resolve);
      signal?.addEventListener("abort", resolve, { once: true });
    });
  }

  /** The same for a caller whom the answer is for; resolves to whether it left, and was the last. */
  async waitAsCaller(signal?: LeaveSignal): Promise<boolean> {
    this.#callers++;
    await this.wait(signal);
    this.#callers--;
    if (!signal?.aborted) return false;
    // Who just found it, sending the same message again, waits by the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    return this.#callers === 0;
  }

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }
}
