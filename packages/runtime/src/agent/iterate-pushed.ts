/*
 * iteratePushed: what is pushed, for whoever pulls.
 *
 * Job: runs a producer and gives its events to one reader, in order.
 * Owns: the events in between, and the signal that tells the producer that its reader left.
 *
 * I1  The producer starts at the first `next()`, and is told to wait until its reader asks for more: a slow reader
 *     holds one event, not a buffer.
 * I2  Leaving (`return`, `throw`, a `break`) fires the producer's signal; what it still pushes is dropped.
 * I3  A failure reaches the reader after what is unread.
 */
import { WeftError } from "@weft/tracing";
import type { Emit } from "./pushing-agent.ts";

/** The events of `produce`, then what it returns. `signal` fires the producer's own. */
export async function* iteratePushed<Event, Result>(
  signal: AbortSignal,
  produce: (emit: Emit<Event>, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Event, Result> {
  const leaving = new AbortController();
  const abort = (): void => leaving.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const queue = new PushQueue<Event>();
  const produced = produce((event) => queue.push(event), leaving.signal);
  const end = (): void => queue.end();
  produced.then(end, end);
  try {
    for (;;) {
      const event = queue.take();
      if (event !== undefined) yield event;
      else if (queue.isOver) return await produced;
      else await queue.wait();
    }
  } finally {
    signal.removeEventListener("abort", abort);
    if (!queue.isOver) {
      leaving.abort(new WeftError("aborted", "The reader left."));
      queue.end();
      await settlesSoon(produced);
    }
  }
}

/** A producer may clean up within this turn of the event loop; one that ignores its signal is not waited for. */
async function settlesSoon(work: Promise<unknown>): Promise<void> {
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, new Promise((resolve) => setImmediate(resolve))]);
}

class PushQueue<Event> {
  /** Nothing is pushed any more. */
  isOver = false;
  /** One, when everyone who pushes waits as told. */
  readonly #events: Event[] = [];
  #wake: (() => void) | undefined;
  #room = Promise.withResolvers<void>();

  push(event: Event): Promise<void> | undefined {
    if (this.isOver) return undefined;
    this.#events.push(event);
    this.#wake?.();
    return this.#room.promise;
  }

  take(): Event | undefined {
    const event = this.#events.shift();
    // The reader is back from the one before.
    if (event === undefined) this.#makeRoom();
    return event;
  }

  /** Until there is something to take, or nothing more will come. */
  wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  end(): void {
    this.isOver = true;
    this.#makeRoom();
    this.#wake?.();
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }
}
