import { over, PullStream } from "../a2a/pull-stream.ts";
import type { JsonEvents } from "./json-transport.ts";

/** The events of a streamed call as what they mean, at the reader's pace. */
export class EventReader<T> extends PullStream<T> {
  readonly #events: JsonEvents;
  readonly #decode: (json: unknown) => T;
  #isLeft = false;

  constructor(events: JsonEvents, decode: (json: unknown) => T) {
    super();
    this.#events = events;
    this.#decode = decode;
  }

  async take(): Promise<IteratorResult<T, void>> {
    try {
      while (!this.#isLeft) {
        const event = this.#events.take();
        if (event !== undefined) return { done: false, value: this.#decode(event) };
        if (this.#events.isOver) break;
        await this.#events.ready();
      }
      return over;
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  protected leave(): undefined {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#events.cancel();
  }
}
