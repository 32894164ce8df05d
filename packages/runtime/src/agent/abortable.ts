import { WeftError } from "@weft/tracing";

/**
 * Settles as `work` does; when `signal` fires before, it rejects at once with {@link abortError}. Nobody waits then for
 * work that ignores the signal: `onAbort` is called to tell it.
 */
export function abortable<T>(signal: AbortSignal, work: Promise<T>, onAbort?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      onAbort?.();
      reject(abortError(signal));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener("abort", abort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      },
    );
  });
}

/** What an abort means: the signal's own WeftError, a timeout as `deadline_exceeded`, anything else as `aborted`. */
export function abortError(signal: AbortSignal): WeftError {
  const reason: unknown = signal.reason;
  if (reason instanceof WeftError) return reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") return WeftError.from(reason);
  return new WeftError("aborted", "The work was aborted.", { cause: reason });
}
