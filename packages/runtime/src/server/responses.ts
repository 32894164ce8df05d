import type { ServerResponse } from "node:http";
import { formatSSEErrorEvent, formatSSEEvent, HTTP_EXTENSION_HEADER, SSE_HEADERS } from "@a2a-js/sdk";
import { LEGACY_HTTP_EXTENSION_HEADER } from "@a2a-js/sdk/compat/v0_3";
import type { ServerCallContext } from "@a2a-js/sdk/server";
import { takeFrom } from "../a2a/pull-stream.ts";
import { callStateOf } from "../task/call-state.ts";
import { legacyVersion, traceIdHeader } from "../a2a/uris.ts";
import { EventWriter } from "./event-writer.ts";
import { atTurnEnd } from "./turn-end.ts";

/** Answers with JSON, at the end of this turn of the event loop. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  atTurnEnd(() => {
    if (response.headersSent || response.destroyed) return;
    try {
      response.writeHead(status, {
        "content-type": "application/json",
        ...headers,
        "content-length": length,
      });
      // Text that is all ASCII is spared its encoding.
      response.end(text, length === text.length ? "latin1" : "utf8");
    } catch {
      // A header that HTTP cannot carry costs its own answer, not those after it.
      response.destroy();
    }
  });
}

/** Headers that every reply of a call has: its trace id and the extensions in force. */
export function replyHeaders(context: ServerCallContext): Record<string, string> {
  const { traceId } = callStateOf(context);
  const extensions = context.activatedExtensions;
  const headers: Record<string, string> = {};
  if (traceId !== undefined) headers[traceIdHeader] = traceId;
  if (extensions?.length) headers[extensionHeaderOf(context)] = extensions.join(",");
  return headers;
}

/** In lower case, as the WebSocket binding's document has it; to HTTP it is all one. */
const extensionsHeader = HTTP_EXTENSION_HEADER.toLowerCase();
const legacyExtensionsHeader = LEGACY_HTTP_EXTENSION_HEADER.toLowerCase();

function extensionHeaderOf({ requestedVersion }: ServerCallContext): string {
  return requestedVersion === legacyVersion ? legacyExtensionsHeader : extensionsHeader;
}

export interface SseOptions<T> {
  readonly headers: () => Readonly<Record<string, string>>;
  encode(item: T): unknown;
  /** The event's number within its task, which a client gives back as `last-event-id`. */
  numberOf(item: T): string | undefined;
  /** An error before the first byte: a plain answer. */
  refuse(error: unknown): void;
  /** An error after it: the stream's last event. */
  encodeError(error: unknown): { readonly event: "data" | "error"; readonly body: unknown };
  readonly keepAliveMs: number;
}

/** Writes a stream as server-sent events. A slow reader is waited for; when it leaves, the stream is told to return. */
export async function sendSse<T>(
  response: ServerResponse,
  stream: AsyncGenerator<T, void, undefined>,
  options: SseOptions<T>,
): Promise<void> {
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { ...SSE_HEADERS, ...options.headers() });
  };
  // A reader that is behind has signs of life enough; more would pile up.
  const keepAlive = setInterval(() => {
    if (response.destroyed || response.writableNeedDrain) return;
    begin();
    response.write(": keep-alive\n\n");
  }, options.keepAliveMs);
  keepAlive.unref();
  const writer = new EventWriter(response);
  try {
    let step = await takeFrom(stream);
    if (!response.destroyed) begin();
    while (!step.done && !response.destroyed) {
      const number = options.numberOf(step.value);
      const text = formatSSEEvent(options.encode(step.value));
      const written = writer.write(number === undefined ? text : `id: ${number}\n${text}`);
      if (written) await written;
      const taken = takeFrom(stream);
      step = taken instanceof Promise ? await taken : taken;
    }
  } catch (error) {
    if (!response.headersSent) return options.refuse(error);
    const { event, body } = options.encodeError(error);
    await writer.write(event === "error" ? formatSSEErrorEvent(body) : formatSSEEvent(body));
  } finally {
    clearInterval(keepAlive);
    await stream.return();
    if (response.headersSent) writer.end();
  }
}
