import type { IncomingMessage, ServerResponse } from "node:http";
import { A2A_CONTENT_TYPE } from "@a2a-js/sdk";
import { LEGACY_JSON_CONTENT_TYPE } from "@a2a-js/sdk/compat/v0_3";
import { toRestErrorBody } from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { checkDepth, depthAtMost } from "../a2a/check-depth.ts";
import { eventNumberOf } from "../a2a/event-number.ts";
import { httpStatusOf, refusalHeaders, statusNameOf, toWireError } from "../a2a/wire-errors.ts";
import { isLegacyRequest, legacyErrorBody, legacyRestRoutes } from "./legacy-rest-routes.ts";
import type { Limits } from "./limits.ts";
import { checkContentType, parseJson, readBody } from "./read-body.ts";
import { replyHeaders, sendJson, sendSse } from "./responses.ts";
import { restRoutes } from "./rest-routes.ts";
import type { RestAnswer, RestRoute } from "./rest-routes.ts";
import { VersionCheck } from "./version-check.ts";

/** A2A 1.0 and 0.3 over HTTP+JSON: a small router over the request handler and the SDK's codecs. */
export class RestEndpoint {
  readonly #handler: A2ARequestHandler;
  readonly #versions: VersionCheck;
  readonly #limits: Limits;

  constructor(handler: A2ARequestHandler, limits: Limits) {
    this.#handler = handler;
    this.#versions = new VersionCheck(handler, "rest");
    this.#limits = limits;
  }

  /** `path` is relative to the interface's URL. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    target: { readonly path: string; readonly query: URLSearchParams },
    context: ServerCallContext,
  ): Promise<void> {
    const isLegacy = isLegacyRequest(request);
    try {
      const routes = isLegacy ? legacyRestRoutes : restRoutes;
      const { route, ids } = findRoute(routes, request.method ?? "", target.path);
      const body = route.hasBody ? await this.#readBody(request) : undefined;
      const checking = this.#versions.check(context.requestedVersion, isLegacy);
      if (checking) await checking;
      const { query } = target;
      const answer = await route.answer({ handler: this.#handler, context, query, ids, body });
      const contentType = isLegacy ? LEGACY_JSON_CONTENT_TYPE : A2A_CONTENT_TYPE;
      await this.#send(response, answer, context, contentType);
    } catch (error) {
      refuseRest(response, error, replyHeaders(context));
    }
  }

  async #readBody(request: IncomingMessage): Promise<unknown> {
    checkContentType(request);
    const text = await readBody(request, this.#limits.bodyBytes);
    const body = parseJson(text);
    if (depthAtMost(text) > this.#limits.depth) checkDepth(body, this.#limits.depth);
    return body;
  }

  async #send(
    response: ServerResponse,
    answer: RestAnswer,
    context: ServerCallContext,
    contentType: string,
  ): Promise<void> {
    if ("stream" in answer) {
      await sendSse(response, answer.stream, {
        headers: () => replyHeaders(context),
        encode: answer.toJson,
        numberOf: eventNumberOf,
        refuse: (error) => refuseRest(response, error, replyHeaders(context)),
        encodeError: (error) => ({ event: "error", body: errorBody(response, error) }),
        keepAliveMs: this.#limits.keepAliveMs,
      });
    } else if (answer.status === 204) {
      response.writeHead(204, replyHeaders(context)).end();
    } else {
      sendJson(response, answer.status, answer.body, {
        "content-type": contentType,
        ...replyHeaders(context),
      });
    }
  }
}

/** A refusal in the shape of HTTP+JSON: `google.rpc.Status`, or what a request of 0.3 expects. */
export function refuseRest(
  response: ServerResponse,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const wire = toWireError(error, "rest");
  sendJson(response, httpStatusOf(wire), errorBody(response, wire), { ...headers, ...refusalHeaders(wire) });
}

function errorBody({ req: request }: ServerResponse, error: unknown): unknown {
  const wire = toWireError(error, "rest");
  if (isLegacyRequest(request)) return legacyErrorBody(wire);
  const body = toRestErrorBody(wire, httpStatusOf(wire));
  const status = statusNameOf(wire);
  return status === undefined ? body : { error: { ...body.error, status } };
}

function findRoute(
  routes: readonly RestRoute[],
  method: string,
  path: string,
): { route: RestRoute; ids: string[] } {
  let isKnownPath = false;
  for (const route of routes) {
    const match = route.path.exec(path);
    if (!match) continue;
    if (route.method === method) return { route, ids: match.slice(1).map(decode) };
    isKnownPath = true;
  }
  if (isKnownPath) throw new WeftError("unimplemented", `${method} is not offered at ${path}.`);
  throw new WeftError("not_found", `There is nothing at ${path}.`);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new WeftError("invalid_argument", "The path is not well-formed.");
  }
}
