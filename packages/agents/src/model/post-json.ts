import { activeContext, runInContext, suppressTracing } from "@weft/tracing/internal";
import { WeftError } from "@weft/tracing";
import type { RetryOptions } from "./retry.ts";
import { readRetryAfterMs, retrying } from "./retry.ts";

export interface PostOptions extends RetryOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until the response's headers, per attempt. */
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** A refusal's body is read this far, in characters: enough for any provider's message. */
const errorBodyLimit = 4_000;

/**
 * Posts JSON to a model host and gives back a response that succeeded. Repeats what may pass, with back-off, and
 * waits as long as `Retry-After` says. Runs with tracing suppressed: the `chat` span is the trace of this call,
 * and nobody's `traceparent` goes to a model host.
 */
export function postJson(url: string, body: unknown, options: PostOptions): Promise<Response> {
  const text = JSON.stringify(body);
  return retrying(() => attemptPost(url, text, options), options);
}

async function attemptPost(url: string, body: string, options: PostOptions): Promise<Response> {
  options.signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
  try {
    const signal = AbortSignal.any([options.signal, deadline.signal]);
    const headers = { "content-type": "application/json", ...options.headers };
    const response = await runInContext(suppressTracing(activeContext()), () =>
      options.fetch(url, { method: "POST", headers, body, signal }),
    );
    if (response.ok) return response;
    throw await refusal(response, url);
  } catch (cause) {
    options.signal.throwIfAborted();
    if (cause instanceof WeftError) throw cause;
    throw noAnswer(url, deadline.signal.aborted ? options.timeoutMs : undefined, cause);
  } finally {
    clearTimeout(timer);
  }
}

function noAnswer(url: string, timeoutMs: number | undefined, cause: unknown): WeftError {
  const host = new URL(url).host;
  return timeoutMs === undefined
    ? new WeftError("unavailable", `The model host ${host} cannot be reached.`, { cause, retryable: true })
    : new WeftError("deadline_exceeded", `The model host ${host} gave no answer within ${timeoutMs} ms.`, {
        cause,
        retryable: true,
      });
}

async function refusal(response: Response, url: string): Promise<WeftError> {
  const { status } = response;
  const text = (await response.text().catch(() => "")).slice(0, errorBodyLimit);
  const retryable = status === 408 || status === 409 || status === 429 || status >= 500;
  const retryAfterMs = readRetryAfterMs((name) => response.headers.get(name));
  return new WeftError(
    codeOf(status),
    `The model host ${new URL(url).host} answered ${status}: ${messageOf(text)}`,
    { retryable, details: { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } },
  );
}

function codeOf(
  status: number,
): "unauthenticated" | "permission_denied" | "limit_exceeded" | "unavailable" | "model_failed" {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "permission_denied";
  if (status === 429) return "limit_exceeded";
  return status >= 500 ? "unavailable" : "model_failed";
}

/** Providers write `{ "error": { "message" } }`; anything else is quoted as it came. */
function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } | string };
    const message = typeof error === "object" ? error.message : error;
    if (typeof message === "string") return message;
  } catch {
    // Not JSON: quoted below.
  }
  return text === "" ? "no reason given" : text;
}
