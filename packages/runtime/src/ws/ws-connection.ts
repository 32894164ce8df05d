/*
 * WsConnection: one client's WebSocket on the server.
 *
 * Job: reads request frames, runs each as a call of its own, and answers by id.
 * Owns: the socket and which calls are open. Does not own: the tasks; a connection that breaks stops no task.
 *
 * I1  Calls are independent: a slow one holds no other up, and each carries its own trace context.
 * I2  A stream ends with exactly one `end` or `error`; its events are numbered from 0 without a gap.
 * I3  A frame that cannot be read closes the connection with the reason; a bad request only fails itself.
 */
import type { IncomingHttpHeaders } from "node:http";
import { A2A_ERROR_CODE, toJsonRpcError } from "@a2a-js/sdk/errors";
import { JsonRpcTransportHandler, validateVersion } from "@a2a-js/sdk/server";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import type { RawData, WebSocket } from "ws";
import { toWireError } from "../a2a/wire-errors.ts";
import { wsBindingUri } from "../a2a/uris.ts";
import { createCallContext } from "../server/call-context.ts";
import type { Caller } from "../server/call-context.ts";
import type { Limits } from "../server/limits.ts";
import { replyHeaders } from "../server/responses.ts";
import { decodeFrame, encodeFrame, parseClientFrame } from "./frames.ts";
import type { ClientFrame, ServerFrame } from "./frames.ts";

type Request = Extract<ClientFrame, { type: "request" }>;

/** Above this many unsent bytes a stream waits for the socket. */
const highWaterBytes = 1_048_576;

export interface WsConnectionOptions {
  readonly handler: A2ARequestHandler;
  readonly caller: Caller;
  /** Of the upgrade request: proxy headers count for every call. */
  readonly headers: IncomingHttpHeaders;
  readonly limits: Limits;
}

export class WsConnection {
  readonly #socket: WebSocket;
  readonly #options: WsConnectionOptions;
  readonly #transport: JsonRpcTransportHandler;
  readonly #calls = new Map<number, AbortController>();
  readonly #keepAlive: NodeJS.Timeout;
  #isClosing = false;

  constructor(socket: WebSocket, options: WsConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#transport = new JsonRpcTransportHandler(options.handler);
    this.#keepAlive = setInterval(() => socket.ping(), options.limits.keepAliveMs);
    this.#keepAlive.unref();
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("error", () => socket.terminate());
    socket.once("close", () => this.#closed());
  }

  goAway(): void {
    void this.#send({ type: "go-away" });
  }

  /** Closes once the open calls are answered, or after `graceMs`. */
  close(graceMs: number): void {
    this.#isClosing = true;
    this.#closeWhenIdle();
    const timer = setTimeout(() => this.#socket.terminate(), graceMs);
    timer.unref();
  }

  #closeWhenIdle(): void {
    if (this.#isClosing && this.#calls.size === 0) this.#socket.close(1001, "The service is shutting down.");
  }

  #closed(): void {
    clearInterval(this.#keepAlive);
    for (const call of this.#calls.values()) call.abort();
    this.#calls.clear();
  }

  #receive(data: RawData, isBinary: boolean): void {
    let frame: ClientFrame;
    try {
      frame = parseClientFrame(decodeFrame(data as Buffer, isBinary));
    } catch (error) {
      this.#socket.close(1007, WeftError.from(error).message);
      return;
    }
    if (frame.type === "cancel") this.#calls.get(frame.id)?.abort();
    else void this.#call(frame);
  }

  async #call(request: Request): Promise<void> {
    const { id } = request;
    const refusal = this.#refusal(id);
    if (refusal) return void this.#fail(id, refusal);
    const controller = new AbortController();
    this.#calls.set(id, controller);
    try {
      await this.#answer(request, controller.signal);
    } catch (error) {
      await this.#fail(id, error);
    } finally {
      this.#calls.delete(id);
      this.#closeWhenIdle();
    }
  }

  #refusal(id: number): WeftError | undefined {
    const { callsPerConnection } = this.#options.limits;
    if (this.#calls.has(id)) return new WeftError("invalid_argument", `Request ${id} is still open.`);
    if (this.#calls.size < callsPerConnection) return undefined;
    return new WeftError(
      "limit_exceeded",
      `The connection reached the limit callsPerConnection of ${callsPerConnection}.`,
    );
  }

  async #answer(request: Request, signal: AbortSignal): Promise<void> {
    const { id, method, params } = request;
    const { handler, caller, headers } = this.#options;
    const context = createCallContext({
      binding: "ws",
      headers: { ...proxyHeadersOf(headers), ...request.parameters },
      caller,
      signal,
    });
    const card = await handler.getAgentCard();
    validateVersion(context.requestedVersion, card, wsBindingUri);
    const answer = await this.#transport.handle({ jsonrpc: "2.0", id, method, params }, context);
    if (Symbol.asyncIterator in answer) {
      await this.#stream(id, answer, signal);
    } else if (answer.error === undefined) {
      await this.#send({ type: "response", id, result: answer.result, parameters: replyHeaders(context) });
    } else {
      await this.#send({ type: "error", id, error: answer.error });
    }
  }

  async #stream(
    id: number,
    stream: AsyncGenerator<{ result?: unknown }, void, undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    let seq = 0;
    for await (const event of stream) {
      if (signal.aborted) return;
      await this.#send({ type: "event", id, seq: seq++, result: event.result });
    }
    await this.#send({ type: "end", id, seq });
  }

  #fail(id: number, error: unknown): Promise<void> | undefined {
    const wire = toJsonRpcError(toWireError(error, "ws"));
    return this.#send({
      type: "error",
      id,
      error: { ...wire, code: wire.code ?? A2A_ERROR_CODE.INTERNAL_ERROR },
    });
  }

  /** A promise only when the socket is behind. */
  #send(frame: ServerFrame): Promise<void> | undefined {
    if (this.#socket.readyState !== this.#socket.OPEN) return undefined;
    if (this.#socket.bufferedAmount < highWaterBytes) {
      this.#socket.send(encodeFrame(frame), ignoreError);
      return undefined;
    }
    return new Promise((resolve) => this.#socket.send(encodeFrame(frame), () => resolve()));
  }
}

/** A send that fails is followed by the socket's close, which ends its calls. */
function ignoreError(): void {}

function proxyHeadersOf(headers: IncomingHttpHeaders): Record<string, string | string[] | undefined> {
  const { forwarded, via } = headers;
  return { forwarded, via, "x-forwarded-for": headers["x-forwarded-for"], "x-real-ip": headers["x-real-ip"] };
}
