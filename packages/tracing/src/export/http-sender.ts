/**
 * Job: one POST at a time to one address.
 * Owns: a keep-alive connection. It never holds the process: whoever waits for a delivery does.
 * I1. Our own requests are not traced.
 * I2. One attempt takes `timeoutMs` at most, whatever the other side does.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { runInContext, suppressTracing } from "../context/active-context.ts";
import { errorType } from "../content/error-text.ts";
import { readPartialSuccess } from "./partial-success.ts";

export type SendResult =
  | { readonly kind: "delivered"; readonly rejected: number; readonly reason: string; readonly body: Buffer }
  | { readonly kind: "retry"; readonly reason: string; readonly afterMs?: number | undefined }
  /** The body is at fault: another one may pass. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** The address, the token or the like is at fault: no body passes. */
  | { readonly kind: "refused"; readonly reason: string };

export interface Certificates {
  /** PEM: whom to trust instead of the system's authorities. */
  readonly ca?: Buffer | undefined;
  /** PEM: who we are, for mutual TLS. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface SenderOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** Milliseconds one attempt may take. */
  readonly timeoutMs: number;
  /** Default `application/x-protobuf`. */
  readonly contentType?: string;
  /** Default POST. */
  readonly method?: "GET" | "POST";
  readonly certificates?: Certificates | undefined;
}

const compress = promisify(gzip);
const untraced = suppressTracing(ROOT_CONTEXT);
const maxAnswerBytes = 64 * 1024;

export class HttpSender {
  readonly #options: SenderOptions;
  readonly #secure: boolean;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#secure = options.url.startsWith("https:");
    const settings = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#secure
      ? new HttpsAgent({ ...settings, ...given(options.certificates) })
      : new HttpAgent(settings);
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
      { method: this.#options.method ?? "POST", agent: this.#agent, headers: this.#headers(body), signal },
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
      "content-type": this.#options.contentType ?? "application/x-protobuf",
      "content-length": body.reduce((sum, part) => sum + part.length, 0),
      ...(this.#options.gzip ? { "content-encoding": "gzip" } : {}),
    };
  }
}

function given({ ca, cert, key }: Certificates = {}): Certificates {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function readAnswer(response: IncomingMessage, resolve: (result: SendResult) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxAnswerBytes) chunks.push(chunk);
  });
  response.on("error", () => {});
  response.on("close", () => {
    if (!response.complete) resolve({ kind: "retry", reason: "the answer broke off" });
    else resolve(judge(response, size <= maxAnswerBytes ? Buffer.concat(chunks) : Buffer.alloc(0)));
  });
}

/** https://opentelemetry.io/docs/specs/otlp/#failures-1, and every 5xx: what a proxy says while its backend restarts. */
function judge(response: IncomingMessage, body: Buffer): SendResult {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    const partial = readPartialSuccess(body, response.headers["content-type"] ?? "");
    return { kind: "delivered", ...partial, body };
  }
  const reason = `HTTP ${status}`;
  if (status === 400 || status === 413 || status === 422) return { kind: "unreadable", reason };
  if (status !== 429 && status !== 408 && status < 500) return { kind: "refused", reason };
  return { kind: "retry", reason, afterMs: retryAfter(response.headers["retry-after"]) };
}

/** Seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : undefined;
}
