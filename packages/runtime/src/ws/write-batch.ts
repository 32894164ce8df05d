import type { Duplex } from "node:stream";

/**
 * Writes the frames of one turn of the event loop at once: the system call, and the far side's waking, cost more than
 * a frame.
 */
export class WriteBatch {
  readonly #socket: Duplex;
  #isOpen = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** What is written from here on waits until this turn's callbacks and promises have run. */
  join(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#socket.cork();
    process.nextTick(this.#end);
  }

  readonly #end = (): void => {
    this.#isOpen = false;
    this.#socket.uncork();
  };
}
