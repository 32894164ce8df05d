import { IdleLimit, runInContext } from "@weft/tracing/internal";
import type { Context, OpenSpan, Outcome } from "@weft/tracing/internal";
import { over, PullStream, takeFrom } from "./pull-stream.ts";
import type { Step } from "./pull-stream.ts";

export interface StreamWatcher<T> {
  /**
   * Where the first step of the source runs, which begins the work; the later ones only read. Default: the span's context.
   */
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
 * A stream under an open span, which ends with the last item, the error, or the reader's leaving, also when the reader leaves
 * before the first item (a plain generator would not notice), or does not come back for as long as tracing's `streamIdleMs`
 * says.
 */
export function tracedStream<T>(
  opened: OpenSpan,
  source: AsyncIterable<T, void>,
  watcher: StreamWatcher<T>,
): AsyncGenerator<T, void, undefined> {
  return new TracedStream(opened, source, watcher);
}

class TracedStream<T> extends PullStream<T> {
  readonly #opened: OpenSpan;
  readonly #watcher: StreamWatcher<T>;
  readonly #given: AsyncIterable<T, void>;
  #source: AsyncIterator<T, void> | undefined;
  readonly #idle: IdleLimit;
  #isOver = false;

  constructor(opened: OpenSpan, source: AsyncIterable<T, void>, watcher: StreamWatcher<T>) {
    super();
    this.#opened = opened;
    this.#given = source;
    this.#watcher = watcher;
    this.#idle = new IdleLimit(() => this.#end(watcher.outcomeOnLeave));
  }

  take(): Step<T> {
    this.#idle.asked();
    let step: Step<T>;
    try {
      step = this.#step();
      if (!(step instanceof Promise)) return this.#took(step);
    } catch (error) {
      throw this.#failed(error);
    }
    return step.then(this.#took).catch(this.#reject);
  }

  readonly #took = (step: IteratorResult<T, void>): IteratorResult<T, void> => {
    if (step.done) {
      this.#end(this.#watcher.outcomeAtEnd?.());
      return over;
    }
    this.#idle.answered();
    this.#watcher.onItem(step.value);
    return step;
  };

  readonly #reject = (error: unknown): never => {
    throw this.#failed(error);
  };

  #failed(error: unknown): unknown {
    this.#isOver = true;
    this.#idle.stop();
    this.#opened.fail(error);
    return this.#watcher.mapError(error);
  }

  protected leave(): Promise<unknown> | undefined {
    this.#end(this.#watcher.outcomeOnLeave);
    return runInContext(this.#opened.span.context, () => this.#iterator().return?.());
  }

  #step(): Step<T> {
    if (this.#source) return takeFrom(this.#source);
    const { context = this.#opened.span.context } = this.#watcher;
    return runInContext(context, () => takeFrom(this.#iterator()));
  }

  #iterator(): AsyncIterator<T, void> {
    return (this.#source ??= this.#given[Symbol.asyncIterator]());
  }

  #end(outcome: Outcome | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#idle.stop();
    this.#opened.end(outcome);
    this.#watcher.onEnd?.();
  }
}
