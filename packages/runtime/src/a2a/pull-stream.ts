/** A step after the last one. */
export const over: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

type Stream<T> = AsyncGenerator<T, void, undefined>;

/** A step of a stream, at once where it is there. */
export type Step<T> = IteratorResult<T, void> | Promise<IteratorResult<T, void>>;

/** The next step of any stream: of one of ours without a promise, where it is there. Throws, or rejects with, what ended the stream. */
export function takeFrom<T>(stream: AsyncIterator<T, void>): Step<T> {
  return stream instanceof PullStream ? (stream as PullStream<T>).take() : stream.next();
}

/**
 * An async generator written by hand: a layer of a stream says what the next step is and what leaving means. A generator's `for
 * await` and `yield` would cost each event three promises a layer; a layer that is asked by `take` costs it none.
 */
export abstract class PullStream<T> implements Stream<T> {
  /** The next step. Throws, or rejects with, what ended the stream. */
  abstract take(): Step<T>;

  async next(): Promise<IteratorResult<T, void>> {
    return this.take();
  }

  /** The reader leaves; also when it has read to the end. */
  protected abstract leave(): Promise<unknown> | undefined;

  async return(): Promise<IteratorReturnResult<void>> {
    await this.leave();
    return over;
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    await this.leave();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}

/** A stream that is begun by its first step: what nobody reads never is. */
export class LazyStream<T> extends PullStream<T> {
  readonly #begin: () => Stream<T> | Promise<Stream<T>>;
  readonly #onEnd: (() => void) | undefined;
  #source: Stream<T> | undefined;
  /** Or left before it was. */
  #isBegun = false;
  #isOver = false;

  /** `onEnd`: once, at the end, an error, or the reader's leaving; also when `begin` throws. */
  constructor(begin: () => Stream<T> | Promise<Stream<T>>, onEnd?: () => void) {
    super();
    this.#begin = begin;
    this.#onEnd = onEnd;
  }

  take(): Step<T> {
    const source = this.#source;
    if (!source) return this.#isBegun ? over : this.#watch(this.#first());
    if (!this.#onEnd) return takeFrom(source);
    let step: Step<T>;
    try {
      step = takeFrom(source);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (step instanceof Promise) return this.#watch(step);
    if (step.done) this.#end();
    return step;
  }

  protected leave(): Promise<unknown> | undefined {
    this.#isBegun = true;
    this.#end();
    return this.#source?.return();
  }

  async #watch(stepping: Promise<IteratorResult<T, void>>): Promise<IteratorResult<T, void>> {
    try {
      const step = await stepping;
      if (step.done) this.#end();
      return step;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Async, so that what `begin` throws is a rejection. */
  async #first(): Promise<IteratorResult<T, void>> {
    this.#isBegun = true;
    this.#source = await this.#begin();
    // Left while it began.
    return this.#isOver ? this.#source.return() : this.#source.next();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd?.();
  }
}
