import {
  AgentCard,
  ListTaskPushNotificationConfigsResponse,
  SendMessageRequest,
  SendMessageResponse,
  Task,
  TaskPushNotificationConfig,
  taskStateFromJSON,
} from "@a2a-js/sdk";
import type { ListTasksRequest, Message, MessageFns, StreamResponse } from "@a2a-js/sdk";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { listTasksToJson, parseParams } from "../a2a/operations.ts";
import { isRecord } from "../agent/message.ts";

/** One REST request, taken apart. */
export interface RestCall {
  readonly handler: A2ARequestHandler;
  readonly context: ServerCallContext;
  readonly query: URLSearchParams;
  /** The decoded path segments that the route names. */
  readonly ids: readonly string[];
  readonly body: unknown;
}

export type RestAnswer =
  | { readonly status: number; readonly body: unknown }
  | { readonly stream: AsyncGenerator<StreamResponse, void, undefined> };

export interface RestRoute {
  readonly method: string;
  readonly path: RegExp;
  readonly hasBody?: boolean;
  answer(call: RestCall): RestAnswer | Promise<RestAnswer>;
}

/** The operations of A2A 1.0 over HTTP+JSON (specification, 11.3), relative to the interface's URL. */
export const restRoutes: readonly RestRoute[] = [
  {
    method: "POST",
    path: /^\/message:send$/,
    hasBody: true,
    answer: async ({ handler, context, body }) => {
      const result = await handler.sendMessage(parseBody(SendMessageRequest, body), context);
      return ok(SendMessageResponse, { payload: toPayload(result) });
    },
  },
  {
    method: "POST",
    path: /^\/message:stream$/,
    hasBody: true,
    answer: ({ handler, context, body }) => ({
      stream: handler.sendMessageStream(parseBody(SendMessageRequest, body), context),
    }),
  },
  {
    method: "GET",
    path: /^\/tasks$/,
    answer: async ({ handler, context, query }) => ({
      status: 200,
      body: listTasksToJson(await handler.listTasks(listRequest(query), context)),
    }),
  },
  {
    method: "GET",
    path: /^\/tasks\/([^/:]+)$/,
    answer: async ({ handler, context, query, ids }) => {
      const historyLength = integer(query, "historyLength");
      const request = { tenant: "", id: ids[0]!, ...(historyLength === undefined ? {} : { historyLength }) };
      return ok(Task, await handler.getTask(request, context));
    },
  },
  {
    method: "POST",
    path: /^\/tasks\/([^/:]+):cancel$/,
    answer: async ({ handler, context, ids }) =>
      ok(Task, await handler.cancelTask({ tenant: "", id: ids[0]!, metadata: undefined }, context)),
  },
  {
    method: "POST",
    path: /^\/tasks\/([^/:]+):subscribe$/,
    answer: ({ handler, context, ids }) => ({
      stream: handler.resubscribe({ tenant: "", id: ids[0]! }, context),
    }),
  },
  {
    method: "GET",
    path: /^\/tasks\/([^/:]+):subscribe$/,
    answer: ({ handler, context, ids }) => ({
      stream: handler.resubscribe({ tenant: "", id: ids[0]! }, context),
    }),
  },
  {
    method: "POST",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs$/,
    hasBody: true,
    answer: async ({ handler, context, ids, body }) => {
      const config = parseBody(
        TaskPushNotificationConfig,
        isRecord(body) ? { ...body, taskId: ids[0]! } : body,
      );
      return ok(
        TaskPushNotificationConfig,
        await handler.createTaskPushNotificationConfig(config, context),
        201,
      );
    },
  },
  {
    method: "GET",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs$/,
    answer: async ({ handler, context, ids }) => {
      const request = { tenant: "", taskId: ids[0]!, pageSize: 0, pageToken: "" };
      const configs = await handler.listTaskPushNotificationConfigs(request, context);
      const body = { configs: [], ...(ListTaskPushNotificationConfigsResponse.toJSON(configs) as object) };
      return { status: 200, body };
    },
  },
  {
    method: "GET",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs\/([^/:]+)$/,
    answer: async ({ handler, context, ids }) => {
      const request = { tenant: "", taskId: ids[0]!, id: ids[1]! };
      return ok(TaskPushNotificationConfig, await handler.getTaskPushNotificationConfig(request, context));
    },
  },
  {
    method: "DELETE",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs\/([^/:]+)$/,
    answer: async ({ handler, context, ids }) => {
      await handler.deleteTaskPushNotificationConfig({ tenant: "", taskId: ids[0]!, id: ids[1]! }, context);
      return { status: 204, body: undefined };
    },
  },
  {
    method: "GET",
    path: /^\/extendedAgentCard$/,
    answer: async ({ handler, context }) =>
      ok(AgentCard, await handler.getAuthenticatedExtendedAgentCard({ tenant: "" }, context)),
  },
];

function ok<T>(codec: MessageFns<T>, value: T, status = 200): RestAnswer {
  return { status, body: codec.toJSON(value) };
}

function toPayload(result: Message | Task): SendMessageResponse["payload"] {
  return "messageId" in result ? { $case: "message", value: result } : { $case: "task", value: result };
}

/** The codecs read anything; what is not an object is refused before them. */
function parseBody<T>(codec: MessageFns<T>, body: unknown): T {
  return parseParams(codec, body);
}

function listRequest(query: URLSearchParams): ListTasksRequest {
  const pageSize = integer(query, "pageSize");
  const historyLength = integer(query, "historyLength");
  const status = query.get("status");
  return {
    tenant: "",
    contextId: query.get("contextId") ?? "",
    status: status ? taskStateFromJSON(/^\d+$/.test(status) ? Number(status) : status) : 0,
    pageToken: query.get("pageToken") ?? "",
    statusTimestampAfter: query.get("statusTimestampAfter") ?? undefined,
    includeArtifacts: query.get("includeArtifacts") === "true",
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(historyLength === undefined ? {} : { historyLength }),
  };
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new WeftError("invalid_argument", `${name} must be a whole number.`);
  return Number(text);
}
