import type { RequestOptions } from "@a2a-js/sdk/client";
import { fromJsonRpcErrorResponse } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { isRecord } from "../agent/message.ts";
import type { HttpExchange, HttpRequest } from "./http-exchange.ts";
import type { JsonCalls, JsonEvents } from "./json-transport.ts";
import { statusError } from "./status-error.ts";

/** A2A's JSON-RPC binding (1.0, 9). */
export class JsonRpcCalls implements JsonCalls {
  readonly protocolName = "JSONRPC";
  readonly isBinary = false;
  readonly #exchange: HttpExchange;
  #nextId = 1;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  async unary(method: string, params: unknown, options: RequestOptions): Promise<unknown> {
    const id = this.#nextId++;
    const request = this.#request(id, { method, params, accept: "application/json", options });
    const { status, text } = await this.#exchange.unary(request);
    return resultOf(text, id, status);
  }

  stream(method: string, params: unknown, options: RequestOptions): JsonEvents {
    const id = this.#nextId++;
    const request = this.#request(id, { method, params, accept: "text/event-stream", options });
    return this.#exchange.stream(request, {
      read: (event, status) => resultOf(event.data, id, status),
      refuse: (text, status) => {
        resultOf(text, id, status);
        throw new WeftError("protocol_error", `The answer to ${method} is not a stream.`);
      },
    });
  }

  #request(
    id: number,
    call: { method: string; params: unknown; accept: string; options: RequestOptions },
  ): HttpRequest {
    const { method, params, accept, options } = call;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    return { method: "POST", path: this.#exchange.path, body, accept, options };
  }
}

/** @throws A2AError what the far side answered with, WeftError `protocol_error` when it is no answer to this request */
function resultOf(text: string, id: number, status: number): unknown {
  const answer = parse(text, status);
  const { error } = answer;
  if (isRecord(error) && typeof error["code"] === "number") {
    const message = typeof error["message"] === "string" ? error["message"] : "The far side gave no reason.";
    const envelope = { jsonrpc: "2.0", id, error: { ...error, message } };
    throw fromJsonRpcErrorResponse(envelope as Parameters<typeof fromJsonRpcErrorResponse>[0]);
  }
  if (answer["jsonrpc"] !== "2.0" || !("result" in answer)) {
    throw new WeftError("protocol_error", "The answer is not one of JSON-RPC 2.0.");
  }
  if (answer["id"] !== id) throw new WeftError("protocol_error", "The answer is to another request.");
  return answer["result"];
}

function parse(text: string, status: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Told below: whoever answers so speaks no JSON-RPC.
  }
  throw statusError(status, undefined);
}
