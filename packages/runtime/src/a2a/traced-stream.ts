import { bindGenerator, IdleLimit } from "@weft/tracing/internal";
import type { Context, OpenSpan, Outcome } from "@weft/tracing/internal";

export interface StreamWatcher<T> {
  /** Where each step of the source runs. Default: the span's context. */
  readonly context?: Context;
  onItem(item: T): void;
  /** What the reader gets instead of what the source threw. */
  mapError(error: unknown): unknown;
  /** The span's outcome at the source's end; undefined for a plain one. */
  outcomeAtEnd?(): Outcome | undefined;
  /** The span's outcome when the reader leaves first. */
  readonly outcomeOnLeave: Outcome;
  /** Once, at the source's end or the reader's leaving. */
  onEnd?(): void;
}

/**
 * A stream under an open span: each step runs in the span's context, and the span ends with the last item, the error,
 * or the reader's leaving, also when the reader leaves before the first item (a plain generator would not notice), or does
 * not come back for as long as tracing's `streamIdleMs` says.
 */
export function tracedStream<T>(
  opened: OpenSpan,
  source: AsyncIterable<T>,
  watcher: StreamWatcher<T>,
): AsyncGenerator<T, void, undefined> {
  const bound = bindGenerator(watcher.context ?? opened.span.context, source);
  let isOver = false;
  const end = (outcome: Outcome | undefined): void => {
    if (isOver) return;
    isOver = true;
    idle.stop();
    opened.end(outcome);
    watcher.onEnd?.();
  };
  const idle = new IdleLimit(() => end(watcher.outcomeOnLeave));
  const stream: AsyncGenerator<T, void, undefined> = {
    async next() {
      try {
        idle.asked();
        const step = await bound.next();
        if (step.done) {
          end(watcher.outcomeAtEnd?.());
          return { done: true, value: undefined };
        }
        idle.answered();
        watcher.onItem(step.value);
        return step;
      } catch (error) {
        isOver = true;
        idle.stop();
        opened.fail(error);
        throw watcher.mapError(error);
      }
    },
    async return() {
      end(watcher.outcomeOnLeave);
      await bound.return(undefined);
      return { done: true, value: undefined };
    },
    async throw(error) {
      end(watcher.outcomeOnLeave);
      await bound.return(undefined);
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await stream.return();
    },
  };
  return stream;
}
