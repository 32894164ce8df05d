import {
  AgentCard,
  ListTaskPushNotificationConfigsResponse,
  SendMessageRequest,
  SendMessageResponse,
  StreamResponse,
  Task,
  TaskPushNotificationConfig,
  taskStateFromJSON,
} from "@a2a-js/sdk";
import type { ListTasksRequest, Message, MessageFns } from "@a2a-js/sdk";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import type { A2AMethod } from "../a2a/call-attributes.ts";
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
  | {
      readonly stream: AsyncGenerator<StreamResponse, void, undefined>;
      readonly toJson: (event: StreamResponse) => unknown;
    };

export interface RestRoute {
  readonly operation: A2AMethod;
  readonly method: string;
  readonly path: RegExp;
  readonly hasBody?: boolean;
  answer(call: RestCall): RestAnswer | Promise<RestAnswer>;
}

/** The operations of A2A 1.0 over HTTP+JSON (specification, 11.3), relative to the interface's URL. */
export const restRoutes: readonly RestRoute[] = [
  {
    operation: "SendMessage",
    method: "POST",
    path: /^\/message:send$/,
    hasBody: true,
    answer: async ({ handler, context, body }) => {
      const result = await handler.sendMessage(parseBody(SendMessageRequest, body), context);
      return ok(SendMessageResponse, { payload: toPayload(result) });
    },
  },
  {
    operation: "SendStreamingMessage",
    method: "POST",
    path: /^\/message:stream$/,
    hasBody: true,
    answer: ({ handler, context, body }) =>
      events(handler.sendMessageStream(parseBody(SendMessageRequest, body), context)),
  },
  {
    operation: "ListTasks",
    method: "GET",
    path: /^\/tasks$/,
    answer: async ({ handler, context, query }) => ({
      status: 200,
      body: listTasksToJson(await handler.listTasks(listRequest(query), context)),
    }),
  },
  {
    operation: "GetTask",
    method: "GET",
    path: /^\/tasks\/([^/:]+)$/,
    answer: async ({ handler, context, query, ids }) => {
      const historyLength = integer(query, "historyLength");
      const request = { tenant: "", id: ids[0]!, ...(historyLength === undefined ? {} : { historyLength }) };
      return ok(Task, await handler.getTask(request, context));
    },
  },
  {
    operation: "CancelTask",
    method: "POST",
    path: /^\/tasks\/([^/:]+):cancel$/,
    answer: async ({ handler, context, ids }) =>
      ok(Task, await handler.cancelTask({ tenant: "", id: ids[0]!, metadata: undefined }, context)),
  },
  {
    operation: "SubscribeToTask",
    method: "POST",
    path: /^\/tasks\/([^/:]+):subscribe$/,
    answer: ({ handler, context, ids }) => events(handler.resubscribe({ tenant: "", id: ids[0]! }, context)),
  },
  {
    operation: "SubscribeToTask",
    method: "GET",
    path: /^\/tasks\/([^/:]+):subscribe$/,
    answer: ({ handler, context, ids }) => events(handler.resubscribe({ tenant: "", id: ids[0]! }, context)),
  },
  {
    operation: "CreateTaskPushNotificationConfig",
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
    operation: "ListTaskPushNotificationConfigs",
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
    operation: "GetTaskPushNotificationConfig",
    method: "GET",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs\/([^/:]+)$/,
    answer: async ({ handler, context, ids }) => {
      const request = { tenant: "", taskId: ids[0]!, id: ids[1]! };
      return ok(TaskPushNotificationConfig, await handler.getTaskPushNotificationConfig(request, context));
    },
  },
  {
    operation: "DeleteTaskPushNotificationConfig",
    method: "DELETE",
    path: /^\/tasks\/([^/:]+)\/pushNotificationConfigs\/([^/:]+)$/,
    answer: async ({ handler, context, ids }) => {
      await handler.deleteTaskPushNotificationConfig({ tenant: "", taskId: ids[0]!, id: ids[1]! }, context);
      return { status: 204, body: undefined };
    },
  },
  {
    operation: "GetExtendedAgentCard",
    method: "GET",
    path: /^\/extendedAgentCard$/,
    answer: async ({ handler, context }) =>
      ok(AgentCard, await handler.getAuthenticatedExtendedAgentCard({ tenant: "" }, context)),
  },
];

function ok<T>(codec: MessageFns<T>, value: T, status = 200): RestAnswer {
  return { status, body: codec.toJSON(value) };
}

function events(stream: AsyncGenerator<StreamResponse, void, undefined>): RestAnswer {
  return { stream, toJson: (event) => StreamResponse.toJSON(event) };
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
