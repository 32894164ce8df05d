import type { Duplex } from "node:stream";

/** So many share the cost of a write as well as more would; those after them find the far side awake, and at work on these. */
const framesAtOnce = 16;

/**
 * Writes the frames of one turn of the event loop together: the system call, and the far side's waking, cost more than
 * a frame.
 */
export class WriteBatch {
  readonly #socket: Duplex;
  #isOpen = false;
  #frames = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** The frame that is written next waits until this turn's callbacks and promises have run, or enough others wait too. */
  join(): void {
    if (this.#frames === framesAtOnce) {
      this.#frames = 0;
      this.#socket.uncork();
      this.#socket.cork();
    }
    this.#frames++;
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#socket.cork();
    process.nextTick(this.#end);
  }

  readonly #end = (): void => {
    this.#isOpen = false;
    this.#frames = 0;
    this.#socket.uncork();
  };
}
