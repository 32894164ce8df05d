/*
 * Streams that are no generator functions: each layer of those costs every event three promises and as many turns of the
 * microtask queue. Like all streams of A2A they are read by one reader, one step at a time.
 */
export type Step<T> = IteratorResult<T, void>;

export abstract class EventStream<T> implements AsyncGenerator<T, void, undefined> {
  /** After the end, or an error, there is only the end. */
  abstract next(): Promise<Step<T>>;

  /** Nobody reads on: whatever is open is closed. Also called after the end. */
  protected abstract leave(): Promise<unknown> | void;

  async return(): Promise<Step<T>> {
    await this.leave();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<Step<T>> {
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

/** A stream that is opened when it is first read; left before, it never is. */
export class OpeningStream<T> extends EventStream<T> {
  readonly #open: () => AsyncGenerator<T, void, undefined> | Promise<AsyncGenerator<T, void, undefined>>;
  readonly #onEnd: (() => void) | undefined;
  #inner: AsyncGenerator<T, void, undefined> | undefined;
  #isOver = false;

  /** `onEnd`: once, at the end, an error, or the reader's leaving; also when `open` throws. */
  constructor(
    open: () => AsyncGenerator<T, void, undefined> | Promise<AsyncGenerator<T, void, undefined>>,
    onEnd?: () => void,
  ) {
    super();
    this.#open = open;
    this.#onEnd = onEnd;
  }

  async next(): Promise<Step<T>> {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      if (!this.#inner) await this.#begin();
      const step = await this.#inner!.next();
      if (step.done) this.#end();
      return step;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  protected async leave(): Promise<void> {
    this.#end();
    await this.#inner?.return();
  }

  async #begin(): Promise<void> {
    this.#inner = await this.#open();
    // Left while it opened.
    if (this.#isOver) await this.#inner.return();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd?.();
  }
}
