import type { RequestOptions } from "@a2a-js/sdk/client";
import { fromJsonRpcErrorResponse } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import { wsBindingUri } from "../a2a/uris.ts";
import type { JsonCalls, JsonEvent } from "../client/json-transport.ts";
import { FrameQueue, windowBytes } from "./frame-queue.ts";
import type { WsChannel } from "./ws-channel.ts";

type Frame = Record<string, unknown>;

/** The client's side of Weft's WebSocket binding, over one {@link WsChannel}. */
export class WsCalls implements JsonCalls {
  readonly protocolName = wsBindingUri;
  readonly isBinary = true;
  readonly #channel: WsChannel;

  constructor(channel: WsChannel) {
    this.#channel = channel;
  }

  async unary(method: string, params: unknown, options: RequestOptions): Promise<unknown> {
    const { signal, serviceParameters = {} } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    const { cancel } = await this.#channel.open(
      { method, params, parameters: serviceParameters },
      { frame: resolve, lost: reject },
    );
    const abort = (): void => reject(abortError(signal!));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const frame = await promise;
      if (frame["type"] === "response") return frame["result"];
      throw errorOf(frame);
    } finally {
      signal?.removeEventListener("abort", abort);
      cancel();
    }
  }

  async *stream(method: string, params: unknown, options: RequestOptions): AsyncGenerator<JsonEvent, void> {
    const { signal, serviceParameters = {} } = options;
    const frames = new FrameQueue();
    const { grant, cancel } = await this.#channel.open(
      { method, params, parameters: serviceParameters, credit: windowBytes },
      frames,
    );
    const abort = (): void => frames.lost(abortError(signal!));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for (let seq = 0; ; seq++) {
        const frame = frames.shift() ?? (await frames.next());
        if (frame["type"] === "end") return;
        if (frame["type"] !== "event") throw errorOf(frame);
        if (frame["seq"] !== seq)
          throw new WeftError("protocol_error", `Event ${seq} of a stream is missing.`);
        const { result, number } = frame;
        yield { result, number: typeof number === "string" ? number : undefined };
        const taken = frames.taken();
        if (taken > 0) grant(taken);
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      cancel();
    }
  }
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
