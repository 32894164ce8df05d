import type { RequestOptions } from "@a2a-js/sdk/client";
import { WeftError } from "@weft/tracing";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import type { HttpExchange, HttpRequest } from "./http-exchange.ts";
import type { JsonCalls, JsonEvents } from "./json-transport.ts";
import { statusError } from "./status-error.ts";

/** Only plain values go into a path or a query. */
type Params = Readonly<Record<string, string | number | boolean | undefined>>;

interface Route {
  readonly method: HttpRequest["method"];
  readonly path: (params: Params) => string;
  /** Parameters that go into the query. */
  readonly query?: readonly string[];
  readonly hasBody?: true;
}

const id = (params: Params, name: string): string => encodeURIComponent(String(params[name] ?? ""));
const configs = (params: Params): string => `/tasks/${id(params, "taskId")}/pushNotificationConfigs`;

/** The operations of A2A 1.0 over HTTP+JSON (11.3). */
const routes: Readonly<Record<A2AMethod, Route>> = {
  SendMessage: { method: "POST", path: () => "/message:send", hasBody: true },
  SendStreamingMessage: { method: "POST", path: () => "/message:stream", hasBody: true },
  GetTask: { method: "GET", path: (params) => `/tasks/${id(params, "id")}`, query: ["historyLength"] },
  ListTasks: {
    method: "GET",
    path: () => "/tasks",
    query: [
      "contextId",
      "status",
      "pageSize",
      "pageToken",
      "historyLength",
      "statusTimestampAfter",
      "includeArtifacts",
    ],
  },
  CancelTask: { method: "POST", path: (params) => `/tasks/${id(params, "id")}:cancel`, hasBody: true },
  SubscribeToTask: { method: "POST", path: (params) => `/tasks/${id(params, "id")}:subscribe` },
  CreateTaskPushNotificationConfig: { method: "POST", path: configs, hasBody: true },
  GetTaskPushNotificationConfig: {
    method: "GET",
    path: (params) => `${configs(params)}/${id(params, "id")}`,
  },
  ListTaskPushNotificationConfigs: { method: "GET", path: configs, query: ["pageSize", "pageToken"] },
  DeleteTaskPushNotificationConfig: {
    method: "DELETE",
    path: (params) => `${configs(params)}/${id(params, "id")}`,
  },
  GetExtendedAgentCard: { method: "GET", path: () => "/extendedAgentCard" },
};

/** A2A's HTTP+JSON binding (1.0, 11). */
export class RestCalls implements JsonCalls {
  readonly protocolName = "HTTP+JSON";
  readonly isBinary = false;
  readonly #exchange: HttpExchange;
  readonly #base: string;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
    this.#base = exchange.path.replace(/\/+$/, "");
  }

  async unary(method: A2AMethod, params: unknown, options: RequestOptions): Promise<unknown> {
    const accept = "application/a2a+json, application/json";
    const { status, text } = await this.#exchange.unary(this.#request(method, params, accept, options));
    if (status < 200 || status >= 300) throw statusError(status, tryParse(text));
    return text === "" ? {} : parse(text, method);
  }

  stream(method: A2AMethod, params: unknown, options: RequestOptions): JsonEvents {
    return this.#exchange.stream(this.#request(method, params, "text/event-stream", options), {
      read: ({ type, data }) => {
        if (type === "error") throw statusError(500, tryParse(data));
        return parse(data, method);
      },
      refuse: (text, status) => {
        if (status !== 200) throw statusError(status, tryParse(text));
        throw new WeftError("protocol_error", `The answer to ${method} is not a stream.`);
      },
    });
  }

  #request(method: A2AMethod, params: unknown, accept: string, options: RequestOptions): HttpRequest {
    const route = routes[method];
    const given = params as Params;
    const tenant = given["tenant"] ? `/${id(given, "tenant")}` : "";
    const search = route.query ? searchOf(given, route.query) : "";
    return {
      method: route.method,
      path: `${this.#base}${tenant}${route.path(given)}${search}`,
      body: route.hasBody ? JSON.stringify(params) : undefined,
      accept,
      options,
    };
  }
}

function searchOf(params: Params, names: readonly string[]): string {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = params[name];
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function parse(text: string, method: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new WeftError("protocol_error", `The answer to ${method} is not JSON.`, { cause: error });
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
