/*
 * WsClientConnection: one WebSocket of a WsChannel.
 *
 * Job: sends requests as frames and gives each its answers by id, many at once.
 * Owns: the socket and what waits for answers.
 *
 * I1  Once lost it fails every open call at once, and every later one.
 * I2  It holds the process only while something is open.
 * I3  Without a sign of life for `idleMs` while something is open it counts as lost.
 */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { WeftError } from "@weft/tracing";
import { ROOT_CONTEXT, runInContext } from "@weft/tracing/internal";
import { decodeFrame, encodeFrame, wsSubprotocol } from "./frames.ts";
import type { ClientFrame } from "./frames.ts";
import type { CardGuard } from "../client/card-guard.ts";
import { tlsOptions } from "../client/client-tls.ts";
import type { ClientTls } from "../client/client-tls.ts";
import { WriteBatch } from "./write-batch.ts";

export type Frame = Record<string, unknown>;

/** Where the frames of one call go. */
export interface FrameReader {
  frame(frame: Frame, bytes: number): void;
  /** No frame comes: there is no connection, or no longer. */
  lost(error: Error): void;
}

export interface WsChannelOptions {
  readonly url: string;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly maxFrameBytes: number;
  /** The login, sent with the upgrade request; undefined without one. */
  readonly headers: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  readonly tls?: ClientTls | undefined;
  /** Checks the address of the connection. */
  readonly guard?: CardGuard | undefined;
}

export class WsClientConnection {
  readonly opened: Promise<void>;
  readonly #webSocket: WebSocket;
  readonly #calls = new Map<number, FrameReader>();
  readonly #options: WsChannelOptions;
  /** Takes no new calls: the next one opens another connection. */
  readonly #retire: () => void;
  #socket: Socket | undefined;
  #batch: WriteBatch | undefined;
  #watch: NodeJS.Timeout | undefined;
  #lastSign = performance.now();
  #lost: WeftError | undefined;

  constructor(options: WsChannelOptions, headers: Readonly<Record<string, string>>, onRetire: () => void) {
    this.#options = options;
    this.#retire = onRetire;
    // The socket outlives the call that opened it: it belongs to no trace.
    this.#webSocket = runInContext(
      ROOT_CONTEXT,
      () =>
        new WebSocket(options.url, wsSubprotocol, {
          handshakeTimeout: options.connectMs,
          maxPayload: options.maxFrameBytes,
          perMessageDeflate: false,
          headers,
          ...(options.guard ? { lookup: options.guard.lookup } : {}),
          ...tlsOptions(options.tls),
        }),
    );
    this.opened = this.#listen();
  }

  /** Sends a request; `call` gets its frames, or hears why none come. */
  request(frame: ClientFrame, call: FrameReader): void {
    if (this.#lost) return call.lost(this.#lost);
    try {
      const encoded = encodeFrame(frame);
      if (this.#calls.size === 0) this.#hold();
      this.#calls.set(frame.id, call);
      this.#write(encoded);
    } catch (error) {
      // Values that no frame can say.
      call.lost(error as Error);
    }
  }

  has(id: number): boolean {
    return this.#calls.has(id);
  }

  remove(id: number): boolean {
    const had = this.#calls.delete(id);
    if (had && this.#calls.size === 0) this.#release();
    return had;
  }

  send(frame: ClientFrame): void {
    this.#write(encodeFrame(frame));
  }

  close(): void {
    this.#webSocket.close(1000);
    this.#socket?.unref();
  }

  #write(data: Buffer | string): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#batch?.join();
    this.#webSocket.send(data, ignoreError);
  }

  #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const webSocket = this.#webSocket;
    const lose = (error: WeftError): void => {
      this.#lose(error);
      reject(error);
    };
    webSocket.on("upgrade", (response) => {
      this.#socket = response.socket;
      this.#batch = new WriteBatch(response.socket);
    });
    webSocket.on("unexpected-response", (_request, response) => {
      lose(refusedError(this.#options.url, response.statusCode ?? 0));
      webSocket.terminate();
    });
    webSocket.on("open", () => {
      this.#release();
      this.#watch = setInterval(() => this.#checkSign(), this.#options.idleMs / 4).unref();
      resolve();
    });
    webSocket.on("ping", () => this.#sign());
    webSocket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    webSocket.on("error", (error) => lose(connectionError(this.#options, error)));
    webSocket.on("close", (code, reason) => lose(closedError(this.#options.url, code, reason.toString())));
    return promise;
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#sign();
    try {
      const { frame } = decodeFrame(data, isBinary);
      if (frame["type"] === "go-away") this.#retire();
      else this.#deliver(frame, data.length);
    } catch (error) {
      this.#lose(WeftError.from(error));
      this.#webSocket.terminate();
    }
  }

  /** An answer that ends its call ends it here: nothing is cancelled afterwards. */
  #deliver(frame: Frame, bytes: number): void {
    const id = frame["id"] as number;
    const reader = this.#calls.get(id);
    if (!reader) return;
    if (frame["type"] !== "event") this.remove(id);
    reader.frame(frame, bytes);
  }

  #lose(error: WeftError): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#retire();
    clearInterval(this.#watch);
    this.#release();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.lost(error);
  }

  #sign(): void {
    this.#lastSign = performance.now();
  }

  /** I3 */
  #checkSign(): void {
    const { idleMs, url } = this.#options;
    if (this.#calls.size === 0 || performance.now() - this.#lastSign < idleMs) return;
    this.#lose(new WeftError("deadline_exceeded", `${url}: no sign of life within ${idleMs} ms.`));
    this.#webSocket.terminate();
  }

  #hold(): void {
    this.#socket?.ref();
    this.#sign();
  }

  #release(): void {
    this.#socket?.unref();
  }
}

function refusedError(url: string, status: number): WeftError {
  if (status === 401) return new WeftError("unauthenticated", `${url} asks for a valid login (HTTP 401).`);
  if (status === 403) return new WeftError("permission_denied", `${url} is not for this login (HTTP 403).`);
  if (status === 404) return new WeftError("not_found", `There is no agent at ${url} (HTTP 404).`);
  return new WeftError("unavailable", `${url} refused the WebSocket (HTTP ${status}).`);
}

function connectionError(options: WsChannelOptions, error: Error): WeftError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
    const text = `${options.url}: a frame exceeds the client's limit answerBytes of ${options.maxFrameBytes}.`;
    return new WeftError("limit_exceeded", text, { cause: error });
  }
  const isLate = message === "Opening handshake has timed out";
  const late = `no connection within connectMs of ${options.connectMs} ms`;
  const why = isLate ? late : code === "ECONNREFUSED" ? "nothing listens there" : message;
  return new WeftError("unavailable", `${options.url}: ${why}.`, { cause: error });
}

function closedError(url: string, code: number, reason: string): WeftError {
  if (code === 1009) {
    const why = reason === "" ? "A frame was too large for the service (frameBytes)." : reason;
    return new WeftError("limit_exceeded", `${url}: ${why}`);
  }
  const why = reason === "" ? `code ${code}` : reason;
  return new WeftError("unavailable", `${url}: the connection was closed (${why}).`);
}

/** A send that fails is followed by the socket's close, which ends its calls. */
function ignoreError(): void {}
