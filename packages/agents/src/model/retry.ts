import { WeftError } from "@weft/tracing";
import type { ModelCallOptions } from "./chat-model.ts";

/** Never waits longer than this for a host that says when to come back. */
const retryAfterLimitMs = 60_000;

export interface RetryOptions extends ModelCallOptions {
  /** Default 2. */
  readonly maxRetries?: number | undefined;
}

/**
 * Asks again what failed with a `retryable` error, with back-off, and waits as long as its `details.retryAfterMs` says.
 * Each attempt that is followed by another is told to `onFailedAttempt`. Rejects with the last error, or `signal`'s reason.
 */
export async function retrying<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, maxRetries = 2, onFailedAttempt } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (thrown) {
      signal.throwIfAborted();
      const error = WeftError.from(thrown, "model_failed");
      if (!error.retryable || attempt >= maxRetries) throw error;
      const { retryAfterMs } = (error.details ?? {}) as { readonly retryAfterMs?: number };
      const waitMs = Math.round(retryAfterMs ?? backOffMs(attempt));
      onFailedAttempt?.({ error, waitMs });
      await pause(waitMs, signal);
    }
  }
}

/** `Retry-After` in seconds or as a date, and the `retry-after-ms` some providers send; undefined when absent. */
export function readRetryAfterMs(header: (name: string) => string | null | undefined): number | undefined {
  const exact = Number(header("retry-after-ms") ?? Number.NaN);
  const value = header("retry-after") ?? undefined;
  const seconds = value === undefined ? Number.NaN : Number(value);
  const wait = [
    exact,
    seconds * 1000,
    value === undefined ? Number.NaN : Date.parse(value) - Date.now(),
  ].find((each) => Number.isFinite(each));
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), retryAfterLimitMs);
}

function backOffMs(attempt: number): number {
  return Math.min(500 * 2 ** attempt, 8_000) * (0.75 + Math.random() / 2);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
