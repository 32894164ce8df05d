import type { WebSocket } from "ws";
import type { Limits } from "../server/limits.ts";

/** How long a connection told to go has for what it sent in the meantime. */
const goneMs = 5_000;

/**
 * Ends connections that nobody uses: a peer that shows no sign of life for two pings, and one that has nothing open
 * for `idleMs` (it is told first).
 */
export class WsLife {
  readonly #socket: WebSocket;
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  readonly #pings: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #missed = 0;
  #buffered = 0;

  constructor(socket: WebSocket, limits: Pick<Limits, "keepAliveMs" | "idleMs">, onIdle: () => void) {
    this.#socket = socket;
    this.#idleMs = limits.idleMs;
    this.#onIdle = onIdle;
    socket.on("pong", () => (this.#missed = 0));
    this.#pings = setInterval(() => this.#ping(), limits.keepAliveMs);
    this.#pings.unref();
    this.release();
  }

  /** Something is open. */
  hold(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
  }

  /** Nothing is open. */
  release(): void {
    this.#idle = setTimeout(() => {
      this.#onIdle();
      this.#idle = setTimeout(() => this.#socket.close(1000, "idleMs"), goneMs);
      this.#idle.unref();
    }, this.#idleMs);
    this.#idle.unref();
  }

  end(): void {
    clearInterval(this.#pings);
    this.hold();
  }

  /** A reader so slow that its pong waits behind our bytes still takes some. */
  #ping(): void {
    const { bufferedAmount } = this.#socket;
    const isTaking = bufferedAmount < this.#buffered;
    this.#buffered = bufferedAmount;
    if (isTaking) this.#missed = 0;
    if (++this.#missed > 2) return this.#socket.terminate();
    this.#socket.ping();
  }
}
