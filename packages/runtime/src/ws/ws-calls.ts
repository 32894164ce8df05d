import type { RequestOptions } from "@a2a-js/sdk/client";
import { fromJsonRpcErrorResponse } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import { wsBindingUri } from "../a2a/uris.ts";
import { EventQueue } from "../client/event-queue.ts";
import type { JsonCalls, JsonEvents } from "../client/json-transport.ts";
import type { SentRequest, WsChannel } from "./ws-channel.ts";
import type { Frame, FrameReader } from "./ws-client-connection.ts";

/** The client's side of Weft's WebSocket binding, over one {@link WsChannel}. */
export class WsCalls implements JsonCalls {
  readonly protocolName = wsBindingUri;
  readonly isBinary = true;
  readonly #channel: WsChannel;

  constructor(channel: WsChannel) {
    this.#channel = channel;
  }

  unary(method: string, params: unknown, options: RequestOptions): Promise<unknown> {
    const { signal, serviceParameters = {} } = options;
    const answer = new FrameAnswer(signal);
    answer.sent = this.#channel.open({ method, params, parameters: serviceParameters }, answer);
    return answer.answered;
  }

  stream(method: string, params: unknown, options: RequestOptions): JsonEvents {
    const { signal, serviceParameters = {} } = options;
    const events = new FrameEvents(signal);
    const request = { method, params, parameters: serviceParameters, credit: windowBytes };
    events.sent = this.#channel.open(request, events);
    return events;
  }
}

/** The one frame that answers a call. */
class FrameAnswer implements FrameReader {
  readonly answered: Promise<unknown>;
  sent: SentRequest | undefined;
  readonly #settle: PromiseWithResolvers<unknown>;
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#settle = Promise.withResolvers();
    this.answered = this.#settle.promise;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  frame(frame: Frame): void {
    if (frame["type"] !== "response") return this.lost(errorOf(frame));
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#settle.resolve(frame["result"]);
  }

  lost(error: Error): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#settle.reject(error);
    this.sent?.cancel();
  }

  readonly #abort = (): void => this.lost(abortError(this.#signal!));
}

/** Bytes of one stream's events that may be under way or wait to be read. */
const windowBytes = 262_144;

/** The event frames of one call; what was read is granted anew. */
class FrameEvents implements FrameReader, JsonEvents {
  sent: SentRequest | undefined;
  readonly #frames = new EventQueue<Frame>();
  readonly #signal: AbortSignal | undefined;
  #nextSeq = 0;
  /** Bytes that arrived and were not granted anew. */
  #owedBytes = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  get isOver(): boolean {
    return this.#frames.isOver;
  }

  /** @throws WeftError `protocol_error`, which ends the connection, when an event is missing */
  frame(frame: Frame, bytes: number): void {
    const { type } = frame;
    if (type !== "event" && type !== "end") return this.#end(errorOf(frame));
    this.#checkSeq(frame);
    if (type === "end") return this.#end();
    this.#nextSeq++;
    this.#owedBytes += bytes;
    this.#frames.push(frame, bytes);
  }

  lost(error: Error): void {
    this.#end(error);
  }

  take(): unknown {
    const frame = this.#frames.take();
    if (frame === undefined) return undefined;
    this.#grant();
    return frame["result"] ?? null;
  }

  ready(): Promise<void> {
    return this.#frames.ready();
  }

  cancel(): void {
    this.#frames.drop();
    this.#end();
    this.sent?.cancel();
  }

  #checkSeq(frame: Frame): void {
    if (frame["seq"] === this.#nextSeq) return;
    const error = new WeftError("protocol_error", `Event ${this.#nextSeq} of a stream is missing.`);
    this.#end(error);
    throw error;
  }

  /** Tells the far side what was read, when it is worth a frame. */
  #grant(): void {
    const bytes = this.#owedBytes - this.#frames.bytes;
    if (bytes < windowBytes / 2) return;
    this.#owedBytes -= bytes;
    this.sent?.grant(bytes);
  }

  #end(error?: Error): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#frames.end(error);
  }

  readonly #abort = (): void => {
    this.#frames.drop(abortError(this.#signal!));
    this.cancel();
  };
}

function errorOf(frame: Frame): Error {
  const error = frame["error"] as { code?: unknown; message?: unknown } | undefined;
  if (frame["type"] !== "error" || typeof error?.code !== "number" || typeof error.message !== "string") {
    return new WeftError(
      "protocol_error",
      `A frame of type "${String(frame["type"])}" came where it has no meaning.`,
    );
  }
  const envelope = { jsonrpc: "2.0", id: null, error };
  return fromJsonRpcErrorResponse(envelope as Parameters<typeof fromJsonRpcErrorResponse>[0]);
}
