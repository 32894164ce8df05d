import type { IncomingMessage, ServerResponse } from "node:http";
import { A2A_VERSION_HEADER, HTTP_EXTENSION_HEADER } from "@a2a-js/sdk";
import { LEGACY_HTTP_EXTENSION_HEADER } from "@a2a-js/sdk/compat/v0_3";
import { WeftError } from "@weft/tracing";
import { resumeHeader } from "../a2a/event-number.ts";
import { traceIdHeader } from "../a2a/uris.ts";

/** Which web pages may call. */
export interface CorsOptions {
  /** Origins as browsers send them: `https://app.example`. No wildcard: a login would be anybody's. */
  readonly origins: readonly string[];
  /** Headers besides A2A's, trace context and the login's usual ones. */
  readonly headers?: readonly string[];
}

const methods = "GET, POST, DELETE";

const requestHeaders = [
  "content-type",
  "authorization",
  "x-api-key",
  A2A_VERSION_HEADER.toLowerCase(),
  HTTP_EXTENSION_HEADER.toLowerCase(),
  LEGACY_HTTP_EXTENSION_HEADER.toLowerCase(),
  resumeHeader,
  "traceparent",
  "tracestate",
  "baggage",
];

const exposedHeaders = [
  traceIdHeader,
  HTTP_EXTENSION_HEADER.toLowerCase(),
  LEGACY_HTTP_EXTENSION_HEADER.toLowerCase(),
  "www-authenticate",
  "retry-after",
];

/**
 * Says to browsers what a page of the request's origin may do. Without options no page may: its request is refused even
 * where browsers would let it through without asking (a plain form post, a WebSocket), for on loopback there is no login
 * to stop it.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #headers: string;

  /** @throws WeftError `invalid_argument` for an entry that is not an origin */
  constructor(options: CorsOptions = { origins: [] }) {
    for (const origin of options.origins) {
      if (URL.parse(origin)?.origin === origin) continue;
      throw new WeftError(
        "invalid_argument",
        `cors.origins: "${origin}" is not an origin as browsers send it.`,
      );
    }
    this.#origins = new Set(options.origins);
    this.#headers = [...requestHeaders, ...(options.headers ?? [])].join(", ");
  }

  /** @throws WeftError `permission_denied` for a page that is not allowed */
  check(request: IncomingMessage): void {
    const { origin } = request.headers;
    if (origin === undefined || this.#origins.has(origin)) return;
    throw new WeftError(
      "permission_denied",
      "Pages of this origin may not call; cors.origins lists who may.",
    );
  }

  /** Sets what every answer to an allowed page carries. */
  allow(request: IncomingMessage, response: ServerResponse): void {
    if (this.#origins.size === 0) return;
    response.setHeader("vary", "origin");
    const { origin } = request.headers;
    if (origin === undefined || !this.#origins.has(origin)) return;
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", exposedHeaders.join(", "));
  }

  /** Answers a browser's question before the request itself. */
  preflight(response: ServerResponse): void {
    response.writeHead(204, {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": this.#headers,
      "access-control-max-age": "600",
    });
    response.end();
  }
}
