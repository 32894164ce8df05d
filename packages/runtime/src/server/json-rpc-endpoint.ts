import type { IncomingMessage, ServerResponse } from "node:http";
import { A2A_ERROR_CODE, toJsonRpcError } from "@a2a-js/sdk/errors";
import { JsonRpcTransportHandler, validateVersion } from "@a2a-js/sdk/server";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { httpStatusOf, toWireError } from "../a2a/wire-errors.ts";
import { isRecord } from "../agent/message.ts";
import type { Limits } from "./limits.ts";
import { readBody } from "./read-body.ts";
import { replyHeaders, sendJson, sendSse } from "./responses.ts";

type RpcId = string | number | null;

/** A2A over JSON-RPC 2.0: the SDK's transport handler on node:http. */
export class JsonRpcEndpoint {
  readonly #handler: A2ARequestHandler;
  readonly #transport: JsonRpcTransportHandler;
  readonly #limits: Limits;

  constructor(handler: A2ARequestHandler, limits: Limits) {
    this.#handler = handler;
    this.#transport = new JsonRpcTransportHandler(handler);
    this.#limits = limits;
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    context: ServerCallContext,
  ): Promise<void> {
    let id: RpcId = null;
    try {
      const body = parseRequest(await readBody(request, this.#limits.bodyBytes));
      if (!isRecord(body)) return sendJson(response, 200, parseError(body === undefined));
      id = idOf(body);
      validateVersion(context.requestedVersion, await this.#handler.getAgentCard(), "JSONRPC");
      const answer = await this.#transport.handle(body, context);
      if (Symbol.asyncIterator in answer) await this.#stream(response, answer, context, id);
      else sendJson(response, 200, answer, replyHeaders(context));
    } catch (error) {
      refuseJsonRpc(response, error, id, replyHeaders(context));
    }
  }

  #stream(
    response: ServerResponse,
    stream: AsyncGenerator<unknown, void, undefined>,
    context: ServerCallContext,
    id: RpcId,
  ): Promise<void> {
    return sendSse(response, stream, {
      headers: () => replyHeaders(context),
      encode: (event) => event,
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
  const isLimit = httpStatusOf(wire) === 413;
  sendJson(response, httpStatusOf(wire), envelope(wire, id), {
    ...headers,
    ...(isLimit ? { connection: "close" } : {}),
  });
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
  const error = isSyntax
    ? { code: A2A_ERROR_CODE.PARSE_ERROR, message: "The body is not JSON." }
    : { code: A2A_ERROR_CODE.INVALID_REQUEST, message: "The body is not a JSON-RPC request object." };
  return { jsonrpc: "2.0", id: null, error };
}

function idOf(body: Record<string, unknown>): RpcId {
  const { id } = body;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
