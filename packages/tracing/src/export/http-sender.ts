/**
 * Job: one POST at a time to one address.
 * Owns: a keep-alive connection. It never holds the process: whoever waits for a delivery does.
 * I1. Our own requests are not traced.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { runInContext, suppressTracing } from "../context/active-context.ts";
import { errorType } from "../content/error-text.ts";

export type SendResult =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly reason: string; readonly afterMs?: number | undefined }
  | { readonly kind: "refused"; readonly reason: string };

export interface SenderOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** Milliseconds one attempt may take. */
  readonly timeoutMs: number;
}

const compress = promisify(gzip);
const untraced = suppressTracing(ROOT_CONTEXT);

export class HttpSender {
  readonly #options: SenderOptions;
  readonly #secure: boolean;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#secure = options.url.startsWith("https:");
    const settings = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#secure ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  async send(segments: readonly Uint8Array[], signal: AbortSignal): Promise<SendResult> {
    const body = this.#options.gzip ? [await compress(Buffer.concat(segments))] : segments;
    return runInContext(untraced, () => this.#post(body, signal));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(body: readonly Uint8Array[], signal: AbortSignal): Promise<SendResult> {
    const { url, timeoutMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const post = this.#secure ? httpsRequest : httpRequest;
    const request = post(
      url,
      { method: "POST", agent: this.#agent, headers: this.#headers(body), signal },
      (response) => readAnswer(response, resolve),
    );
    const timer = setTimeout(() => request.destroy(), timeoutMs).unref();
    request.on("socket", (socket) => socket.unref());
    request.on("error", (error) => resolve({ kind: "retry", reason: errorType(error) }));
    for (const part of body) request.write(part);
    request.end();
    const result = await promise;
    clearTimeout(timer);
    return result;
  }

  #headers(body: readonly Uint8Array[]): Record<string, string | number> {
    return {
      "user-agent": "weft-tracing",
      ...this.#options.headers,
      "content-type": "application/x-protobuf",
      "content-length": body.reduce((sum, part) => sum + part.length, 0),
      ...(this.#options.gzip ? { "content-encoding": "gzip" } : {}),
    };
  }
}

function readAnswer(response: IncomingMessage, resolve: (result: SendResult) => void): void {
  response.resume();
  response.on("error", () => {});
  response.on("close", () => {
    if (!response.complete) resolve({ kind: "retry", reason: "the answer broke off" });
    else resolve(judge(response));
  });
}

/** https://opentelemetry.io/docs/specs/otlp/#failures-1, and every 5xx: what a proxy says while its backend restarts. */
function judge(response: IncomingMessage): SendResult {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  const reason = `HTTP ${status}`;
  if (status !== 429 && status !== 408 && status < 500) return { kind: "refused", reason };
  const seconds = Number(response.headers["retry-after"]);
  return { kind: "retry", reason, afterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined };
}
