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
  #isHeld = false;
  /** Milliseconds of the monotonic clock when nothing was open any more. */
  #idleSince = 0;
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
    this.#isHeld = true;
  }

  /** Nothing is open. */
  release(): void {
    this.#isHeld = false;
    this.#idleSince = performance.now();
    if (!this.#idle) this.#watch(this.#idleMs);
  }

  end(): void {
    clearInterval(this.#pings);
    clearTimeout(this.#idle);
  }

  /** One timer, which finds out when it fires: connections are held and released with every call. */
  #watch(ms: number): void {
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#isHeld) return;
      const left = this.#idleSince + this.#idleMs - performance.now();
      if (left > 0) return this.#watch(Math.ceil(left));
      this.#onIdle();
      this.#leave();
    }, ms);
    this.#idle.unref();
  }

  /** The peer was told to go; what it opened in the meantime keeps the connection. */
  #leave(): void {
    const toldAt = performance.now();
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#isHeld) return;
      if (this.#idleSince > toldAt) this.#watch(this.#idleMs);
      else this.#socket.close(1000, "idleMs");
    }, goneMs);
    this.#idle.unref();
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
