import { WeftError } from "@weft/tracing";

/**
 * Reads `source` until it ends or `signal` fires; then it throws `aborted` at once and tells the source to return,
 * without waiting for a source that ignores its signal. One listener for the whole stream.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let interrupt: ((error: WeftError) => void) | undefined;
  const abort = (): void => interrupt?.(abortError(signal));
  signal.addEventListener("abort", abort, { once: true });
  let isDone = false;
  try {
    for (;;) {
      if (signal.aborted) throw abortError(signal);
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
      interrupt = reject;
      iterator.next().then(resolve, reject);
      const step = await promise.catch((error: unknown) => {
        isDone = !signal.aborted;
        throw error;
      });
      if (step.done) {
        isDone = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    if (!isDone) await close(iterator, signal.aborted);
  }
}

/** Lets the source clean up; one that was aborted is not waited for. */
async function close(iterator: AsyncIterator<unknown>, isAborted: boolean): Promise<void> {
  const closing = Promise.resolve(iterator.return?.()).catch(() => undefined);
  if (!isAborted) await closing;
}

/** What an abort means: the signal's own WeftError, a timeout as `deadline_exceeded`, anything else as `aborted`. */
export function abortError(signal: AbortSignal): WeftError {
  const reason: unknown = signal.reason;
  if (reason instanceof WeftError) return reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") return WeftError.from(reason);
  return new WeftError("aborted", "The work was aborted.", { cause: reason });
}
