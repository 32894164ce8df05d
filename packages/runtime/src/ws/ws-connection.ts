/*
 * WsConnection: one client's WebSocket on the server.
 *
 * Job: reads request frames, runs each as a call of its own, and answers by id in the request's own format.
 * Owns: the socket and which calls are open. Does not own: the tasks; a connection that breaks stops no task.
 *
 * I1  Calls are independent: a slow one holds no other up, and each carries its own trace context.
 * I2  A stream ends with exactly one `end` or `error`, unless its client cancelled it; its events are numbered from 0
 *     without a gap.
 * I3  A frame that cannot be read is answered with an error and ends the connection; a bad request only fails itself.
 * I4  What waits to be written is bounded: a stream by its credit, and all by the socket, from which nothing more is
 *     read while it is behind.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { StreamResponse } from "@a2a-js/sdk";
import { A2A_ERROR_CODE, toJsonRpcError } from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import type { RawData, WebSocket } from "ws";
import { takeFrom } from "../a2a/pull-stream.ts";
import { eventNumberOf } from "../a2a/event-number.ts";
import { findOperation, setTenant } from "../a2a/operations.ts";
import type { StreamOperation, UnaryOperation } from "../a2a/operations.ts";
import { limitError, toWireError } from "../a2a/wire-errors.ts";
import { CallSignal } from "../task/call-signal.ts";
import { createCallContext } from "../server/call-context.ts";
import type { Caller } from "../server/call-context.ts";
import type { Limits } from "../server/limits.ts";
import { replyHeaders } from "../server/responses.ts";
import { VersionCheck } from "../server/version-check.ts";
import { toBinaryJson } from "./binary-parts.ts";
import { decodeFrame, encodeFrame, idOfFrame, parseClientFrame } from "./frames.ts";
import type { ClientFrame, ServerFrame } from "./frames.ts";
import { StreamCredit } from "./stream-credit.ts";
import { WriteBatch } from "./write-batch.ts";
import { WsLife } from "./ws-life.ts";

type Request = Extract<ClientFrame, { type: "request" }>;

/** Above this many unsent bytes nothing more is read or written until the socket caught up. */
const highWaterBytes = 1_048_576;

export interface WsConnectionOptions {
  readonly handler: A2ARequestHandler;
  readonly caller: Caller;
  /** What the WebSocket is spoken on. */
  readonly socket: Duplex;
  /** Of the upgrade request: proxy headers count for every call. */
  readonly headers: IncomingHttpHeaders;
  readonly limits: Limits;
}

/** One request that is not answered yet. */
class OpenCall {
  readonly request: Request;
  readonly isBinary: boolean;
  readonly credit: StreamCredit;
  readonly signal = new CallSignal();

  constructor(request: Request, isBinary: boolean) {
    this.request = request;
    this.isBinary = isBinary;
    this.credit = new StreamCredit(request.credit);
  }

  abort(): void {
    this.signal.abort();
  }
}

export class WsConnection {
  readonly #socket: WebSocket;
  readonly #options: WsConnectionOptions;
  readonly #calls = new Map<number, OpenCall>();
  readonly #versions: VersionCheck;
  readonly #life: WsLife;
  readonly #batch: WriteBatch;
  #lastIsBinary = true;
  #isClosing = false;
  #behind = 0;

  constructor(socket: WebSocket, options: WsConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#versions = new VersionCheck(options.handler, "ws");
    this.#batch = new WriteBatch(options.socket);
    this.#life = new WsLife(socket, options.limits, () => this.goAway("The connection was idle."));
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("error", () => socket.terminate());
    socket.once("close", () => this.#closed());
  }

  goAway(reason = "The service is shutting down."): void {
    void this.#send({ type: "go-away", reason }, this.#lastIsBinary);
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
    this.#life.end();
    for (const call of this.#calls.values()) call.abort();
    this.#calls.clear();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#lastIsBinary = isBinary;
    let id: number | undefined;
    try {
      const decoded = decodeFrame(data as Buffer, isBinary);
      id = idOfFrame(decoded.frame);
      const frame = parseClientFrame(decoded, this.#options.limits);
      if (frame.type === "request") void this.#call(new OpenCall(frame, isBinary));
      else if (frame.type === "credit") this.#calls.get(frame.id)?.credit.add(frame.credit);
      else this.#calls.get(frame.id)?.abort();
    } catch (error) {
      if (id !== undefined && !this.#calls.has(id)) return void this.#fail(id, error, isBinary);
      void this.#fail(null, error, isBinary);
      this.#socket.close(1007, closeReason(error));
    }
  }

  async #call(call: OpenCall): Promise<void> {
    const { id } = call.request;
    const refusal = this.#refusal(id);
    if (refusal) return void this.#fail(id, refusal, call.isBinary);
    this.#calls.set(id, call);
    this.#life.hold();
    let context: ServerCallContext | undefined;
    try {
      context = this.#contextOf(call);
      await this.#answer(call, context);
    } catch (error) {
      if (!call.signal.aborted) await this.#fail(id, error, call.isBinary, context);
    } finally {
      this.#calls.delete(id);
      if (this.#calls.size === 0) this.#life.release();
      this.#closeWhenIdle();
    }
  }

  #refusal(id: number): WeftError | undefined {
    const { callsPerConnection } = this.#options.limits;
    if (this.#calls.has(id)) return new WeftError("invalid_argument", `Request ${id} is still open.`);
    if (this.#calls.size < callsPerConnection) return undefined;
    const text = `The connection reached the limit callsPerConnection of ${callsPerConnection} open calls.`;
    return limitError("callsPerConnection", text);
  }

  #contextOf(call: OpenCall): ServerCallContext {
    const { caller, headers: upgrade } = this.#options;
    const { parameters } = call.request;
    const isPlain = !saysReserved(parameters) && !saysReserved(upgrade);
    const headers = isPlain ? parameters : { ...parameters, ...reservedOf(upgrade) };
    return createCallContext({ binding: "ws", headers, caller, signal: call.signal });
  }

  async #answer(call: OpenCall, context: ServerCallContext): Promise<void> {
    const { handler } = this.#options;
    const { id, method, params } = call.request;
    const checking = this.#versions.check(context.requestedVersion);
    if (checking) await checking;
    const operation = findOperation(method);
    if (!operation) return this.#refuseMethod(call);
    setTenant(context, params);
    if (operation.isStream) return this.#stream(call, operation, context);
    const result = await operation.call(handler, params, context);
    if (call.signal.aborted) return;
    const json = resultJson(operation, result, call.isBinary);
    await this.#send(
      { type: "response", id, result: json, parameters: replyHeaders(context) },
      call.isBinary,
    );
  }

  async #stream(call: OpenCall, operation: StreamOperation, context: ServerCallContext): Promise<void> {
    const stream = operation.call(this.#options.handler, call.request.params, context);
    try {
      await this.#writeEvents(call, stream, context);
    } finally {
      await stream.return();
    }
  }

  async #writeEvents(
    call: OpenCall,
    stream: ReturnType<StreamOperation["call"]>,
    context: ServerCallContext,
  ): Promise<void> {
    const { id } = call.request;
    let seq = 0;
    for (;;) {
      const taken = takeFrom(stream);
      const step = taken instanceof Promise ? await taken : taken;
      if (step.done) break;
      const event = step.value;
      const behind = call.credit.ready(call.signal);
      if (behind) await behind;
      if (call.signal.aborted) return;
      const number = eventNumberOf(event);
      const frame: ServerFrame = {
        type: "event",
        id,
        seq,
        result: call.isBinary ? toBinaryJson(event, eventToJson) : StreamResponse.toJSON(event),
        ...(number === undefined ? {} : { number }),
        ...(seq++ === 0 ? { parameters: replyHeaders(context) } : {}),
      };
      const sent = this.#send(frame, call.isBinary, call.credit);
      if (sent) await sent;
    }
    if (!call.signal.aborted) await this.#send({ type: "end", id, seq }, call.isBinary);
  }

  #refuseMethod(call: OpenCall): void {
    const { id, method } = call.request;
    const message = `There is no method "${method.slice(0, 64)}".`;
    void this.#send(
      { type: "error", id, error: { code: A2A_ERROR_CODE.METHOD_NOT_FOUND, message } },
      call.isBinary,
    );
  }

  #fail(
    id: number | null,
    error: unknown,
    isBinary: boolean,
    context?: ServerCallContext,
  ): Promise<void> | undefined {
    const wire = toJsonRpcError(toWireError(error, "ws"));
    const isUnreadable = id === null && WeftError.from(error).code === "protocol_error";
    const code = isUnreadable ? A2A_ERROR_CODE.PARSE_ERROR : (wire.code ?? A2A_ERROR_CODE.INTERNAL_ERROR);
    const parameters = context ? { parameters: replyHeaders(context) } : {};
    return this.#send({ type: "error", id, error: { ...wire, code }, ...parameters }, isBinary);
  }

  /** A promise only when the socket is behind. */
  #send(frame: ServerFrame, isBinary: boolean, credit?: StreamCredit): Promise<void> | undefined {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return undefined;
    const data = encodeFrame(frame, isBinary);
    credit?.take(isBinary ? data.length : Buffer.byteLength(data));
    this.#batch.join();
    if (socket.bufferedAmount < highWaterBytes) {
      socket.send(data, ignoreError);
      return undefined;
    }
    if (this.#behind++ === 0) socket.pause();
    return new Promise((resolve) =>
      socket.send(data, () => {
        if (--this.#behind === 0) socket.resume();
        resolve();
      }),
    );
  }
}

const eventToJson = (event: StreamResponse): unknown => StreamResponse.toJSON(event);

/** A send that fails is followed by the socket's close, which ends its calls. */
function ignoreError(): void {}

function resultJson(operation: UnaryOperation, result: object, isBinary: boolean): unknown {
  return isBinary ? toBinaryJson(result, operation.toJson) : operation.toJson(result);
}

/** A close frame's reason has at most 123 bytes. */
function closeReason(error: unknown): string {
  return WeftError.from(error).message.slice(0, 100);
}

const reservedNames = ["forwarded", "via", "x-forwarded-for", "x-real-ip"] as const;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What only the upgrade request may say. */
function reservedOf(headers: Headers): Headers {
  return Object.fromEntries(reservedNames.map((name) => [name, headers[name]]));
}

function saysReserved(headers: Headers): boolean {
  for (const name of reservedNames) if (headers[name] !== undefined) return true;
  return false;
}
