import type { ServerResponse } from "node:http";
import { atTurnEnd } from "./turn-end.ts";

/** Writes a response piece by piece: what comes in one turn of the event loop goes together, at its end. */
export class EventWriter {
  readonly #response: ServerResponse;
  #isJoined = false;
  #isOver = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** A promise when the reader is behind: it resolves when it has caught up, or left. */
  write(text: string): Promise<void> | undefined {
    const response = this.#response;
    if (response.destroyed) return undefined;
    this.#join();
    if (response.write(text)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      response.once("drain", done);
      response.once("close", done);
    });
  }

  end(): void {
    this.#isOver = true;
    this.#join();
  }

  /** The socket is what can be held back: a response that is held writes each of its pieces alone. */
  #join(): void {
    if (this.#isJoined) return;
    this.#isJoined = true;
    this.#response.socket?.cork();
    atTurnEnd(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isJoined = false;
    // The end lets go of the socket, and goes with what was held.
    if (this.#isOver) this.#response.end();
    else this.#response.socket?.uncork();
  };
}
