/*
 * WsClientConnection: one WebSocket of a WsChannel.
 *
 * Job: sends requests as frames and gives each its answers by id, many at once.
 * Owns: the socket, what waits for answers, and what each stream was granted.
 *
 * I1  Once lost it fails every open call at once, and every later one.
 * I2  It holds the process only while something is open.
 * I3  Without a sign of life for `idleMs` while something is open it counts as lost.
 * I4  A stream that gets an event without credit ends with an error; a service that goes on sending it loses the connection.
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
import { StreamCredit } from "./stream-credit.ts";
import { WriteBatch } from "./write-batch.ts";

export type Frame = Record<string, unknown>;
type RequestFrame = Extract<ClientFrame, { type: "request" }>;

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

/** A request that is not answered yet. */
interface OpenCall {
  readonly reader: FrameReader;
  readonly credit: StreamCredit | undefined;
}

/** Bytes that may come without credit on one connection: they may have been under way when their stream was cancelled. */
const maxOverdraftBytes = 1_048_576;

/** How often a silent connection is looked at before it counts as lost. */
const looksPerIdle = 4;

export class WsClientConnection {
  readonly opened: Promise<void>;
  readonly #webSocket: WebSocket;
  readonly #calls = new Map<number, OpenCall>();
  /** Streams cancelled because their service sent without credit. */
  readonly #overdrawn = new Set<number>();
  #overdraftBytes = 0;
  readonly #options: WsChannelOptions;
  /** Takes no new calls: the next one opens another connection. */
  readonly #retire: () => void;
  #socket: Socket | undefined;
  #batch: WriteBatch | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Looks since the last sign of life, and not time: what waits in the socket is read between two. */
  #silentLooks = 0;
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

  /** Sends a request; `reader` gets its frames, or hears why none come. */
  request(frame: RequestFrame, reader: FrameReader): void {
    if (this.#lost) return reader.lost(this.#lost);
    try {
      const encoded = encodeFrame(frame);
      if (this.#calls.size === 0) this.#hold();
      const credit = frame.credit === undefined ? undefined : new StreamCredit(frame.credit);
      this.#calls.set(frame.id, { reader, credit });
      this.#write(encoded);
    } catch (error) {
      // Values that no frame can say.
      reader.lost(error as Error);
    }
  }

  /** Lets the far side send `bytes` more of an open stream's events. */
  grant(id: number, bytes: number): void {
    const call = this.#calls.get(id);
    if (!call) return;
    call.credit?.add(bytes);
    this.#send({ type: "credit", id, credit: bytes });
  }

  /** Reads no further. Nothing happens once the call is over. */
  cancel(id: number): void {
    if (this.#remove(id)) this.#send({ type: "cancel", id });
  }

  close(): void {
    this.#webSocket.close(1000);
    this.#socket?.unref();
  }

  #remove(id: number): boolean {
    const had = this.#calls.delete(id);
    if (had && this.#calls.size === 0) this.#release();
    return had;
  }

  #send(frame: ClientFrame): void {
    this.#write(encodeFrame(frame));
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
      this.#watch = setInterval(() => this.#checkSign(), this.#options.idleMs / looksPerIdle).unref();
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
    const call = this.#calls.get(id);
    if (!call) return this.#countOverdraft(id, bytes);
    if (frame["type"] !== "event") this.#remove(id);
    else if (call.credit?.isSpent) {
      this.#overdraw(id, call.reader);
      return this.#countOverdraft(id, bytes);
    }
    call.credit?.take(bytes);
    call.reader.frame(frame, bytes);
  }

  /** I4: what was read of the stream until here was within its credit. */
  #overdraw(id: number, reader: FrameReader): void {
    this.cancel(id);
    this.#overdrawn.add(id);
    const text = `${this.#options.url}: the service sent an event of a stream beyond the credit that it was given.`;
    reader.lost(new WeftError("protocol_error", text));
  }

  /** I4. Frames of other calls that are over were under way, and are dropped. */
  #countOverdraft(id: number, bytes: number): void {
    if (!this.#overdrawn.has(id)) return;
    this.#overdraftBytes += bytes;
    if (this.#overdraftBytes <= maxOverdraftBytes) return;
    throw new WeftError(
      "protocol_error",
      `${this.#options.url}: the service goes on sending streams that were cancelled for want of credit.`,
    );
  }

  #lose(error: WeftError): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#retire();
    clearInterval(this.#watch);
    this.#release();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { reader } of calls) reader.lost(error);
  }

  #sign(): void {
    this.#silentLooks = 0;
  }

  /** I3 */
  #checkSign(): void {
    const { idleMs, url } = this.#options;
    if (this.#calls.size === 0 || ++this.#silentLooks <= looksPerIdle) return;
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
