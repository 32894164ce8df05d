import { WeftError } from "@weft/tracing";

/*
 * A model that never answers must not hold a turn. The clock runs until the first part of an answer; from then on
 * the stream's own pace counts, and the turn's signal.
 */

export interface FirstPartClock {
  /** For the model: fires with the caller's signal, or when the time is up. */
  readonly signal: AbortSignal;
  /** Rejects with `deadline_exceeded` if `answer` is not there in time, also when the model ignores its signal. */
  wait<T>(answer: PromiseLike<T>): Promise<T>;
  /** There is an answer: the time no longer counts. */
  stop(): void;
  /** The call is over: nothing is listened to any more. */
  release(): void;
}

export function startFirstPartClock(caller: AbortSignal, timeoutMs: number, what: string): FirstPartClock {
  const deadline = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => undefined);
  const abort = (): void => {
    deadline.abort(caller.reason);
    reject(new WeftError("aborted", `${what} was aborted.`, { cause: caller.reason }));
  };
  const timer = setTimeout(() => {
    const error = new WeftError("deadline_exceeded", `${what} gave no answer within ${timeoutMs} ms.`);
    deadline.abort(error);
    reject(error);
  }, timeoutMs);
  caller.addEventListener("abort", abort, { once: true });
  if (caller.aborted) abort();
  return {
    signal: deadline.signal,
    wait: (answer) => Promise.race([answer, late]),
    stop: () => clearTimeout(timer),
    release() {
      clearTimeout(timer);
      caller.removeEventListener("abort", abort);
    },
  };
}
