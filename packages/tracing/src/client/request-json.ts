import type { IncomingMessage } from "node:http";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { runInContext, suppressTracing } from "../context/active-context.ts";
import { isErrorCode, WeftError } from "../errors/weft-error.ts";
import type { CollectorError } from "../http.ts";

export interface CollectorAddress {
  /** Without a slash at its end. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
}

const timeoutMs = 30_000;

/**
 * Asks a collector for JSON, untraced: GETs, or POSTs `body` when there is one.
 * @throws WeftError with the collector's own code, `unavailable`, or `protocol_error`.
 */
export async function requestJson(
  collector: CollectorAddress,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const url = collector.base + path;
  const { request } = await (url.startsWith("https:") ? import("node:https") : import("node:http"));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  runInContext(suppressTracing(ROOT_CONTEXT), () => {
    const signal = AbortSignal.timeout(timeoutMs);
    const posted = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { accept: "application/json", ...posted, ...collector.headers };
    request(url, { method: body === undefined ? "GET" : "POST", headers, signal }, resolve)
      .on("error", reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
  try {
    const response = await promise;
    return parse(response.statusCode ?? 0, await readText(response), collector.base);
  } catch (error) {
    throw WeftError.from(error, "unavailable");
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

function parse(status: number, text: string, base: string): unknown {
  const body = toJson(text);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  const error = (body as Partial<CollectorError> | undefined)?.error;
  if (error === undefined || typeof error.message !== "string") {
    throw new WeftError("protocol_error", `${base} does not answer like a Weft collector (HTTP ${status}).`);
  }
  throw new WeftError(isErrorCode(error.code) ? error.code : "internal", error.message);
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
