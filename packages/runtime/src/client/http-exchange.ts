import type { Dispatcher } from "undici";
import { WeftError } from "@weft/tracing";
import type { RequestOptions } from "@a2a-js/sdk/client";

/** One HTTP request of a transport. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body?: string | undefined;
  readonly accept: string;
  readonly options: RequestOptions;
}

/** An answer whose body is text. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** An answer whose body is read as it comes. */
export interface HttpStream {
  readonly status: number;
  readonly isEventStream: boolean;
  readonly body: AsyncIterable<Buffer>;
  text(): Promise<string>;
}

/** HTTP on a pool of undici, without fetch: its Request, Response and web streams cost more than the exchange itself. */
export class HttpExchange {
  readonly #dispatcher: Dispatcher;
  readonly #maxBytes: number;

  /** `maxBytes`: of one answer, or of one event. */
  constructor(dispatcher: Dispatcher, maxBytes: number) {
    this.#dispatcher = dispatcher;
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  async unary(request: HttpRequest): Promise<HttpAnswer> {
    const { statusCode, headers, body } = await this.#send(request);
    return { status: statusCode, text: await this.#read(body, headers["content-length"]) };
  }

  async stream(request: HttpRequest): Promise<HttpStream> {
    const { statusCode, headers, body } = await this.#send(request);
    const type = headers["content-type"];
    const isEventStream = typeof type === "string" && type.startsWith("text/event-stream");
    return {
      status: statusCode,
      isEventStream,
      body,
      text: () => this.#read(body, headers["content-length"]),
    };
  }

  #send(request: HttpRequest): Promise<Dispatcher.ResponseData> {
    const { method, url, body, accept, options } = request;
    const { origin, pathname, search } = new URL(url);
    const headers: Record<string, string> = { ...options.serviceParameters, accept };
    if (body !== undefined) headers["content-type"] = "application/json";
    return this.#dispatcher.request({
      origin,
      path: `${pathname}${search}`,
      method,
      headers,
      body: body ?? null,
      signal: options.signal ?? null,
    });
  }

  async #read(body: Dispatcher.ResponseData["body"], length: unknown): Promise<string> {
    if (Number(length ?? 0) <= this.#maxBytes && length !== undefined) return body.text();
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes).toString("utf8");
  }
}

export function tooLarge(maxBytes: number): WeftError {
  return new WeftError("limit_exceeded", `An answer exceeds the client's limit answerBytes of ${maxBytes}.`);
}
