/*
 * WsChannel: a client's one connection to a Weft service.
 *
 * Job: sends requests as frames and gives each its answers by id, many at once.
 * Owns: the socket and what waits for answers. Does not own: deadlines of calls (their signals').
 *
 * I1  A lost connection fails every open call at once, and the next call opens a new one.
 * I2  A connection on which nothing is open does not hold the process.
 * I3  A connection without a sign of life for `idleMs` while something is open counts as lost.
 * I4  A connection told to go away gets no new request; the next call opens another.
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

/** Where the frames of one call go. */
export interface FrameReader {
  frame(frame: Record<string, unknown>, bytes: number): void;
  lost(error: WeftError): void;
}

/** A request that was sent. */
export interface SentRequest {
  /** Lets the far side send more bytes of events. */
  readonly grant: (bytes: number) => void;
  /** Reads no further. Nothing happens once the call is over. */
  readonly cancel: () => void;
}

export interface WsChannelOptions {
  readonly url: string;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly maxFrameBytes: number;
  /** The login, sent with the upgrade request. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  readonly tls?: ClientTls | undefined;
  /** Checks the address of the connection. */
  readonly guard?: CardGuard | undefined;
}

export class WsChannel {
  readonly #options: WsChannelOptions;
  #connection: Promise<Connection> | undefined;
  #nextId = 1;

  constructor(options: WsChannelOptions) {
    this.#options = options;
  }

  /** Sends a request; `reader` gets its frames. */
  async open(
    request: { method: string; params: unknown; parameters: Record<string, string>; credit?: number },
    reader: FrameReader,
  ): Promise<SentRequest> {
    const connection = await this.#connect();
    const id = this.#nextId++;
    connection.add(id, reader);
    connection.send({ type: "request", id, ...request });
    return {
      grant: (bytes) => {
        if (connection.has(id)) connection.send({ type: "credit", id, credit: bytes });
      },
      cancel: () => {
        if (connection.remove(id)) connection.send({ type: "cancel", id });
      },
    };
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  /** One connection at a time: who comes while it opens waits for the same one. */
  #connect(): Promise<Connection> {
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  async #dial(): Promise<Connection> {
    const forget = (): void => {
      this.#connection = undefined;
    };
    try {
      const headers = await this.#options.headers();
      const connection = new Connection(this.#options, headers, forget);
      await connection.opened;
      return connection;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

class Connection {
  readonly opened: Promise<void>;
  readonly #webSocket: WebSocket;
  readonly #calls = new Map<number, FrameReader>();
  readonly #options: WsChannelOptions;
  #socket: Socket | undefined;
  #batch: WriteBatch | undefined;
  #watch: NodeJS.Timeout | undefined;
  #lastSign = performance.now();
  #lost: WeftError | undefined;

  constructor(options: WsChannelOptions, headers: Readonly<Record<string, string>>, onRetire: () => void) {
    this.#options = options;
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
    this.opened = this.#listen(onRetire);
  }

  add(id: number, call: FrameReader): void {
    if (this.#lost) throw this.#lost;
    if (this.#calls.size === 0) this.#hold();
    this.#calls.set(id, call);
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
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#batch?.join();
    this.#webSocket.send(encodeFrame(frame), ignoreError);
  }

  close(): void {
    this.#webSocket.close(1000);
    this.#socket?.unref();
  }

  #listen(onRetire: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const webSocket = this.#webSocket;
    const lose = (error: WeftError): void => {
      onRetire();
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
      resolve();
    });
    webSocket.on("ping", () => this.#sign());
    webSocket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary, onRetire));
    webSocket.on("error", (error) => lose(connectionError(this.#options, error)));
    webSocket.on("close", (code, reason) => lose(closedError(this.#options.url, code, reason.toString())));
    return promise;
  }

  #receive(data: Buffer, isBinary: boolean, onRetire: () => void): void {
    this.#sign();
    try {
      const frame = decodeFrame(data, isBinary);
      if (frame["type"] === "go-away") onRetire();
      else this.#deliver(frame, data.length);
    } catch (error) {
      this.#lose(WeftError.from(error));
      this.#webSocket.terminate();
    }
  }

  /** An answer that ends its call ends it here: nothing is cancelled afterwards. */
  #deliver(frame: Record<string, unknown>, bytes: number): void {
    const id = frame["id"] as number;
    const reader = this.#calls.get(id);
    if (!reader) return;
    if (frame["type"] !== "event") this.remove(id);
    reader.frame(frame, bytes);
  }

  #lose(error: WeftError): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#release();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.lost(error);
  }

  #sign(): void {
    this.#lastSign = performance.now();
  }

  #hold(): void {
    this.#socket?.ref();
    this.#sign();
    const { idleMs, url } = this.#options;
    this.#watch = setInterval(() => {
      if (performance.now() - this.#lastSign < idleMs) return;
      this.#lose(new WeftError("deadline_exceeded", `${url}: no sign of life within ${idleMs} ms.`));
      this.#webSocket.terminate();
    }, idleMs / 4);
  }

  #release(): void {
    clearInterval(this.#watch);
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
