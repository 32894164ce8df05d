import type { Dispatcher } from "undici";
import { WeftError } from "@weft/tracing";
import type { RequestOptions } from "@a2a-js/sdk/client";
import { tooLarge } from "./too-large.ts";
import { UnaryAnswer } from "./unary-answer.ts";

/** One HTTP request of a transport. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** With the query. */
  readonly path: string;
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

/**
 * HTTP with one address on a pool of undici, without fetch: its Request, Response and web streams cost more than the
 * exchange itself. A plain answer is not even a stream: its chunks are put together as they come.
 */
export class HttpExchange {
  /** The address's path, with its query. */
  readonly path: string;
  readonly maxBytes: number;
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;

  /**
   * `maxBytes`: of one answer, or of one event.
   *
   * @throws WeftError `invalid_card` for an address that is no URL
   */
  constructor(dispatcher: Dispatcher, url: string, maxBytes: number) {
    const parsed = URL.parse(url);
    if (!parsed) throw new WeftError("invalid_card", `"${url}" is not the URL of an interface.`);
    this.path = `${parsed.pathname}${parsed.search}`;
    this.maxBytes = maxBytes;
    this.#dispatcher = dispatcher;
    this.#origin = parsed.origin;
  }

  unary(request: HttpRequest): Promise<HttpAnswer> {
    const answer = new UnaryAnswer(this.maxBytes, request.options.signal);
    this.#dispatcher.dispatch(this.#options(request), answer);
    return answer.answered;
  }

  async stream(request: HttpRequest): Promise<HttpStream> {
    const { signal = null } = request.options;
    const answer = await this.#dispatcher.request({ ...this.#options(request), signal });
    const { statusCode, headers, body } = answer;
    const type = headers["content-type"];
    const isEventStream = typeof type === "string" && type.startsWith("text/event-stream");
    return { status: statusCode, isEventStream, body, text: () => this.#read(body) };
  }

  #options({ method, path, body, accept, options }: HttpRequest): Dispatcher.DispatchOptions {
    const headers: Record<string, string> = { ...options.serviceParameters, accept };
    if (body !== undefined) headers["content-type"] = "application/json";
    return { origin: this.#origin, path, method, headers, body: body ?? null };
  }

  async #read(body: AsyncIterable<Buffer>): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > this.maxBytes) throw tooLarge(this.maxBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes).toString("utf8");
  }
}
