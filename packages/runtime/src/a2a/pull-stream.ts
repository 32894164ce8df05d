/** A step after the last one. */
export const over: IteratorReturnResult<void> = Object.freeze({ done: true, value: undefined });

type Stream<T> = AsyncGenerator<T, void, undefined>;

/**
 * An async generator written by hand: a layer of a stream says what the next step is and what leaving means. A generator's `for
 * await` and `yield` would cost each event three promises a layer.
 */
export abstract class PullStream<T> implements Stream<T> {
  abstract next(): Promise<IteratorResult<T, void>>;

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

  next(): Promise<IteratorResult<T, void>> {
    if (this.#source) return this.#onEnd ? this.#watch(this.#source.next()) : this.#source.next();
    return this.#isBegun ? Promise.resolve(over) : this.#watch(this.#first());
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
