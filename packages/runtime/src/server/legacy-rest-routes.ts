import type { IncomingMessage } from "node:http";
import { A2A_VERSION_HEADER, StreamResponse } from "@a2a-js/sdk";
import { toLegacyHTTPError } from "@a2a-js/sdk/compat/v0_3/server";
import { A2A_ERROR_CODE } from "@a2a-js/sdk/errors";
import type { A2AError } from "@a2a-js/sdk/errors";
import { isRecord } from "../agent/message.ts";
import { legacyForms } from "./legacy-json.ts";
import { isNotJson } from "./read-body.ts";
import { restRoutes } from "./rest-routes.ts";
import type { RestAnswer, RestCall, RestRoute } from "./rest-routes.ts";

/** The operations of A2A 0.3 over HTTP+JSON (its 3.5.6): those of 1.0 under `/v1`, with bodies of their own. */
export const legacyRestRoutes: readonly RestRoute[] = restRoutes.flatMap((route) => {
  const form = legacyForms[route.operation];
  if (!form) return [];
  const write = (body: unknown): unknown => (isRecord(body) ? form.write(body) : body);
  const path =
    route.operation === "GetExtendedAgentCard"
      ? /^\/v1\/card$/
      : new RegExp(route.path.source.replace("^", "^\\/v1"));
  const answer = async (call: RestCall): Promise<RestAnswer> => {
    const body = form.read && isRecord(call.body) ? form.read(call.body) : call.body;
    const given = await route.answer({ ...call, query: readQuery(call.query), body });
    if ("stream" in given) return { ...given, toJson: (event) => write(StreamResponse.toJSON(event)) };
    return { status: given.status, body: write(given.body) };
  };
  return [{ ...route, path, answer }];
});

/** A count of 0 is none that was given; some clients write the name as the proto file does. */
function readQuery(query: URLSearchParams): URLSearchParams {
  const historyLength = query.get("historyLength") ?? query.get("history_length") ?? "0";
  return new URLSearchParams(historyLength === "0" ? {} : { historyLength });
}

/** Whether a request is one of 0.3: under one of its paths, and naming no other version. */
export function isLegacyRequest({ url = "", headers }: IncomingMessage): boolean {
  const version = headers[A2A_VERSION_HEADER.toLowerCase()] ?? "";
  if (typeof version !== "string" || !/^\s*(?:0\.3(?:\.\d+)?\s*)?$/.test(version)) return false;
  return /^(?:\/[^/?]+)?\/v1\/(?:card(?:\?|$)|message:|tasks\/)/.test(url);
}

/**
 * An error as the REST of 0.3 tells it (its 8): with a code of JSON-RPC, which knows a body that is not JSON from one with
 * wrong members; what 1.0 says in its ErrorInfo is its `data`.
 */
export function legacyErrorBody(error: A2AError): unknown {
  const { metadata } = error;
  return {
    ...toLegacyHTTPError(error),
    ...(isNotJson(error) ? { code: A2A_ERROR_CODE.PARSE_ERROR } : {}),
    ...(metadata === undefined ? {} : { data: metadata }),
  };
}
