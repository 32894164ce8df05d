import type { Dispatcher } from "undici";
import { WeftError } from "@weft/tracing";
import type { RequestOptions } from "@a2a-js/sdk/client";
import { StreamAnswer } from "./stream-answer.ts";
import type { StreamReading } from "./stream-answer.ts";
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

/**
 * HTTP with one address on a pool of undici, without fetch: its Request, Response and web streams cost more than the
 * exchange itself. Answers take undici's chunks as they come, without its streams.
 */
export class HttpExchange {
  /** The address's path, with its query. */
  readonly path: string;
  readonly #maxBytes: number;
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
    this.#maxBytes = maxBytes;
    this.#dispatcher = dispatcher;
    this.#origin = parsed.origin;
  }

  /** Bounded by its signal alone: undici's own limits would be two more timers a call. */
  unary(request: HttpRequest): Promise<HttpAnswer> {
    const answer = new UnaryAnswer(this.#maxBytes, request.options.signal);
    this.#dispatcher.dispatch({ ...this.#options(request), headersTimeout: 0, bodyTimeout: 0 }, answer);
    return answer.answered;
  }

  stream(request: HttpRequest, reading: StreamReading): StreamAnswer {
    const answer = new StreamAnswer(reading, this.#maxBytes, request.options.signal);
    this.#dispatcher.dispatch(this.#options(request), answer);
    return answer;
  }

  #options({ method, path, body, accept, options }: HttpRequest): Dispatcher.DispatchOptions {
    const headers: Record<string, string> = { ...options.serviceParameters, accept };
    if (body !== undefined) headers["content-type"] = "application/json";
    return { origin: this.#origin, path, method, headers, body: body ?? null };
  }
}
