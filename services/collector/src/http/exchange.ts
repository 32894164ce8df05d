/** One request and its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CollectorError } from "@weft/tracing/http";
import { HttpError, toErrorAnswer } from "./http-error.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const [path, search] = splitOnce(request.url ?? "/", "?");
  return { request, response, method: request.method ?? "GET", path, query: new URLSearchParams(search) };
}

export function sendJson(exchange: Exchange, body: unknown): void {
  sendBytes(exchange, 200, "application/json", Buffer.from(JSON.stringify(body)));
}

export function sendBytes(
  { response, method }: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": body.byteLength,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(method === "HEAD" ? undefined : body);
}

/** `{ error: { code, message } }`; never a stack. A request that is still arriving is let in and thrown away. */
export function sendError(exchange: Exchange, thrown: unknown): void {
  const { status, code, message, headers } = toErrorAnswer(thrown);
  const body: CollectorError = { error: { code, message } };
  sendFailure(exchange, status, "application/json", Buffer.from(JSON.stringify(body)), headers);
}

export function sendFailure(
  exchange: Exchange,
  status: number,
  contentType: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  const { request, response } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const unread = !request.complete;
  sendBytes(exchange, status, contentType, body, unread ? { ...headers, connection: "close" } : headers);
  if (unread) discard(request);
}

/** A client that is still sending would miss its answer if the connection were cut at once. */
function discard(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), 2_000);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.on("error", () => {});
  request.resume();
}

export function requireMethod(exchange: Exchange, ...allowed: readonly string[]): void {
  const method = exchange.method === "HEAD" ? "GET" : exchange.method;
  if (allowed.includes(method)) return;
  const allow = allowed.join(", ");
  throw new HttpError(405, "unimplemented", `${exchange.path} takes ${allow}`, { allow });
}

/** A cookie's value; the last wins. */
export function cookie(request: IncomingMessage, name: string): string | undefined {
  let found: string | undefined;
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [key, value] = splitOnce(pair.trim(), "=");
    if (key === name) found = value;
  }
  return found;
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
