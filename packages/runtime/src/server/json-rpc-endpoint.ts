import type { IncomingMessage, ServerResponse } from "node:http";
import { StreamResponse } from "@a2a-js/sdk";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import { A2A_ERROR_CODE, toJsonRpcError } from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { checkDepth, depthAtMost } from "../a2a/check-depth.ts";
import { checkParams } from "../a2a/check-params.ts";
import { eventNumberOf } from "../a2a/event-number.ts";
import { findOperation, setTenant } from "../a2a/operations.ts";
import { legacyVersion } from "../a2a/uris.ts";
import { httpStatusOf, refusalHeaders, toWireError } from "../a2a/wire-errors.ts";
import { isRecord } from "../agent/message.ts";
import type { Limits } from "./limits.ts";
import { checkContentType, readBody } from "./read-body.ts";
import { replyHeaders, sendJson, sendSse } from "./responses.ts";
import { VersionCheck } from "./version-check.ts";

type RpcId = string | number | null;
type Body = Record<string, unknown>;

/** A2A over JSON-RPC 2.0 on node:http, and through the SDK's compatibility layer for requests of A2A 0.3. */
export class JsonRpcEndpoint {
  readonly #handler: A2ARequestHandler;
  readonly #legacy: LegacyJsonRpcTransportHandler;
  readonly #versions: VersionCheck;
  readonly #limits: Limits;

  constructor(handler: A2ARequestHandler, limits: Limits) {
    this.#handler = handler;
    this.#versions = new VersionCheck(handler, "jsonrpc");
    this.#legacy = new LegacyJsonRpcTransportHandler(handler);
    this.#limits = limits;
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    context: ServerCallContext,
  ): Promise<void> {
    let id: RpcId = null;
    try {
      checkContentType(request);
      const text = await readBody(request, this.#limits.bodyBytes);
      const body = parseRequest(text);
      if (!isRecord(body)) return sendJson(response, 200, parseError(body === undefined));
      id = idOf(body);
      if (depthAtMost(text) > this.#limits.depth) checkDepth(body, this.#limits.depth);
      const checking = this.#versions.check(context.requestedVersion);
      if (checking) await checking;
      if (context.requestedVersion === legacyVersion) await this.#answerLegacy(response, body, context, id);
      else await this.#answer(response, body, context, id);
    } catch (error) {
      refuseJsonRpc(response, error, id, replyHeaders(context));
    }
  }

  async #answer(response: ServerResponse, body: Body, context: ServerCallContext, id: RpcId): Promise<void> {
    const refuse = (error: unknown): void => sendJson(response, 200, error, replyHeaders(context));
    if (!isEnvelope(body))
      return refuse(refusal(A2A_ERROR_CODE.INVALID_REQUEST, "This is no JSON-RPC request.", id));
    const { method, params = method === "GetExtendedAgentCard" ? {} : undefined } = body;
    const operation = findOperation(method);
    if (!operation) return refuse(refusal(A2A_ERROR_CODE.METHOD_NOT_FOUND, "There is no such method.", id));
    try {
      setTenant(context, params);
      if (operation.isStream) {
        const stream = operation.call(this.#handler, params, context);
        await this.#stream(response, stream, { context, id, isLegacy: false });
      } else {
        const result = operation.toJson(await operation.call(this.#handler, params, context));
        sendJson(response, 200, { jsonrpc: "2.0", id, result }, replyHeaders(context));
      }
    } catch (error) {
      refuse(envelope(error, id));
    }
  }

  async #answerLegacy(
    response: ServerResponse,
    body: Body,
    context: ServerCallContext,
    id: RpcId,
  ): Promise<void> {
    if (isRecord(body["params"])) checkParams(body["params"]);
    const answer = await this.#legacy.handle(body, context);
    if (Symbol.asyncIterator in answer) await this.#stream(response, answer, { context, id, isLegacy: true });
    else sendJson(response, 200, answer, replyHeaders(context));
  }

  #stream<T>(
    response: ServerResponse,
    stream: AsyncGenerator<T, void, undefined>,
    call: { context: ServerCallContext; id: RpcId; isLegacy: boolean },
  ): Promise<void> {
    const { context, id, isLegacy } = call;
    return sendSse(response, stream, {
      headers: () => replyHeaders(context),
      encode: (event) =>
        isLegacy ? event : { jsonrpc: "2.0", id, result: StreamResponse.toJSON(event as StreamResponse) },
      numberOf: (event) => (isLegacy ? undefined : eventNumberOf(event as StreamResponse)),
      refuse: (error) => sendJson(response, 200, envelope(error, id), replyHeaders(context)),
      encodeError: (error) => ({ event: "data", body: envelope(error, id) }),
      keepAliveMs: this.#limits.keepAliveMs,
    });
  }
}

/** A refusal in JSON-RPC's shape, with the HTTP status that says the same. */
export function refuseJsonRpc(
  response: ServerResponse,
  error: unknown,
  id: RpcId = null,
  headers: Readonly<Record<string, string>> = {},
): void {
  const wire = toWireError(error, "jsonrpc");
  sendJson(response, httpStatusOf(wire), envelope(wire, id), { ...headers, ...refusalHeaders(wire) });
}

function envelope(error: unknown, id: RpcId): unknown {
  return { jsonrpc: "2.0", id, error: toJsonRpcError(toWireError(error, "jsonrpc")) };
}

function parseRequest(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseError(isSyntax: boolean): unknown {
  return isSyntax
    ? refusal(A2A_ERROR_CODE.PARSE_ERROR, "The body is not JSON.", null)
    : refusal(A2A_ERROR_CODE.INVALID_REQUEST, "The body is not a JSON-RPC request object.", null);
}

function refusal(code: number, message: string, id: RpcId): unknown {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** A request of JSON-RPC 2.0 (its section 4); `params` are the operation's to check. */
function isEnvelope(body: Body): body is Body & { method: string } {
  const { jsonrpc, method, id } = body;
  const hasId = id === undefined || id === null || typeof id === "string" || Number.isInteger(id);
  return jsonrpc === "2.0" && typeof method === "string" && method !== "" && hasId;
}

function idOf(body: Record<string, unknown>): RpcId {
  const { id } = body;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
