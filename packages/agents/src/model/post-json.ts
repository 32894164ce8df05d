import { activeContext, runInContext, suppressTracing } from "@weft/tracing/internal";
import { WeftError } from "@weft/tracing";

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds until the response's headers, per attempt. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly fetch: typeof globalThis.fetch;
}

/** Never waits longer than this for a host that says when to come back. */
const retryAfterLimitMs = 60_000;
/** A refusal's body is read this far, in characters: enough for any provider's message. */
const errorBodyLimit = 4_000;

/**
 * Posts JSON to a model host and gives back a response that succeeded. Repeats what may pass, with back-off, and
 * waits as long as `Retry-After` says. Runs with tracing suppressed: the `chat` span is the trace of this call,
 * and nobody's `traceparent` goes to a model host.
 */
export async function postJson(url: string, body: unknown, options: PostOptions): Promise<Response> {
  const text = JSON.stringify(body);
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptPost(url, text, options);
    if (outcome instanceof Response) return outcome;
    if (!outcome.error.retryable || attempt >= options.maxRetries) throw outcome.error;
    await pause(outcome.waitMs ?? backOffMs(attempt), options.signal);
  }
}

interface Refusal {
  readonly error: WeftError;
  readonly waitMs?: number | undefined;
}

async function attemptPost(url: string, body: string, options: PostOptions): Promise<Response | Refusal> {
  options.signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
  try {
    const signal = AbortSignal.any([options.signal, deadline.signal]);
    const headers = { "content-type": "application/json", ...options.headers };
    const response = await runInContext(suppressTracing(activeContext()), () =>
      options.fetch(url, { method: "POST", headers, body, signal }),
    );
    return response.ok ? response : await refusal(response, url);
  } catch (cause) {
    options.signal.throwIfAborted();
    return { error: noAnswer(url, deadline.signal.aborted ? options.timeoutMs : undefined, cause) };
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

async function refusal(response: Response, url: string): Promise<Refusal> {
  const { status } = response;
  const text = (await response.text().catch(() => "")).slice(0, errorBodyLimit);
  const retryable = status === 408 || status === 409 || status === 429 || status >= 500;
  const error = new WeftError(
    codeOf(status),
    `The model host ${new URL(url).host} answered ${status}: ${messageOf(text)}`,
    { retryable, details: { status } },
  );
  return { error, waitMs: retryAfterMs(response.headers) };
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

/** `Retry-After` in seconds or as a date, and the `retry-after-ms` some providers send; undefined when absent. */
function retryAfterMs(headers: Headers): number | undefined {
  const exact = Number(headers.get("retry-after-ms") ?? Number.NaN);
  const value = headers.get("retry-after");
  const seconds = value === null ? Number.NaN : Number(value);
  const wait = [exact, seconds * 1000, value === null ? Number.NaN : Date.parse(value) - Date.now()].find(
    (each) => Number.isFinite(each),
  );
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), retryAfterLimitMs);
}

function backOffMs(attempt: number): number {
  return Math.min(500 * 2 ** attempt, 8_000) * (0.75 + Math.random() / 2);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}
