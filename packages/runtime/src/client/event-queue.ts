interface Arrived<T> {
  readonly event: T;
  readonly bytes: number;
  next: Arrived<T> | undefined;
}

/** Events of a stream that arrived and were not read yet. How the stream ended is told after them. */
export class EventQueue<T extends object> {
  #first: Arrived<T> | undefined;
  #last: Arrived<T> | undefined;
  #bytes = 0;
  #isEnded = false;
  #error: Error | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Of the events that wait to be read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All were taken, and no more comes. */
  get isOver(): boolean {
    return this.#isEnded && this.#first === undefined;
  }

  push(event: T, bytes: number): void {
    if (this.#isEnded) return;
    const arrived = { event, bytes, next: undefined };
    if (this.#last) this.#last.next = arrived;
    else this.#first = arrived;
    this.#last = arrived;
    this.#bytes += bytes;
    this.#wake();
  }

  /** No more comes; `error` when that is no plain end. Only the first call counts. */
  end(error?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#wake();
  }

  /** Nothing more is read: what waits is dropped. */
  drop(error?: Error): void {
    this.#first = this.#last = undefined;
    this.#bytes = 0;
    this.end(error);
  }

  /**
   * The next event that is there; undefined while none is.
   *
   * @throws what the stream ended with, when all was taken
   */
  take(): T | undefined {
    const arrived = this.#first;
    if (arrived === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return undefined;
    }
    this.#first = arrived.next;
    if (arrived.next === undefined) this.#last = undefined;
    this.#bytes -= arrived.bytes;
    return arrived.event;
  }

  /** Resolves when there is something to take, or the end. */
  ready(): Promise<void> {
    if (this.#first !== undefined || this.#isEnded) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
