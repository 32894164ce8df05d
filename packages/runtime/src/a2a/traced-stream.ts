import { IdleLimit, runInContext } from "@weft/tracing/internal";
import type { Context, OpenSpan, Outcome } from "@weft/tracing/internal";
import { over, PullStream } from "./pull-stream.ts";

export interface StreamWatcher<T> {
  /**
   * Where the first step of the source runs, the one that sends the request; the later ones are then as good anywhere.
   * Default: every step runs in the span's context, as an agent's work must.
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
  source: AsyncIterable<T>,
  watcher: StreamWatcher<T>,
): AsyncGenerator<T, void, undefined> {
  return new TracedStream(opened, source, watcher);
}

class TracedStream<T> extends PullStream<T> {
  readonly #opened: OpenSpan;
  readonly #watcher: StreamWatcher<T>;
  readonly #given: AsyncIterable<T>;
  #source: AsyncIterator<T> | undefined;
  readonly #idle: IdleLimit;
  #isOver = false;

  constructor(opened: OpenSpan, source: AsyncIterable<T>, watcher: StreamWatcher<T>) {
    super();
    this.#opened = opened;
    this.#given = source;
    this.#watcher = watcher;
    this.#idle = new IdleLimit(() => this.#end(watcher.outcomeOnLeave));
  }

  async next(): Promise<IteratorResult<T, void>> {
    try {
      this.#idle.asked();
      const step = await this.#step();
      if (step.done) {
        this.#end(this.#watcher.outcomeAtEnd?.());
        return over;
      }
      this.#idle.answered();
      this.#watcher.onItem(step.value);
      return step;
    } catch (error) {
      this.#isOver = true;
      this.#idle.stop();
      this.#opened.fail(error);
      throw this.#watcher.mapError(error);
    }
  }

  protected leave(): Promise<unknown> | undefined {
    this.#end(this.#watcher.outcomeOnLeave);
    return runInContext(this.#opened.span.context, () => this.#iterator().return?.());
  }

  #step(): Promise<IteratorResult<T>> {
    const { context } = this.#watcher;
    if (context !== undefined && this.#source) return this.#source.next();
    return runInContext(context ?? this.#opened.span.context, () => this.#iterator().next());
  }

  #iterator(): AsyncIterator<T> {
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
