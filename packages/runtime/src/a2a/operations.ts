import {
  AgentCard,
  CancelTaskRequest,
  DeleteTaskPushNotificationConfigRequest,
  GetExtendedAgentCardRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  ListTasksRequest,
  ListTasksResponse,
  SendMessageRequest,
  SendMessageResponse,
  SubscribeToTaskRequest,
  Task,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import type { Message, MessageFns, StreamResponse } from "@a2a-js/sdk";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { isRecord } from "../agent/message.ts";
import type { A2AMethod } from "./call-attributes.ts";
import { checkParams } from "./check-params.ts";

type Stream = AsyncGenerator<StreamResponse, void, undefined>;

/** One operation of A2A 1.0 (5.3) from JSON parameters to a JSON result. */
export type Operation = UnaryOperation | StreamOperation;

export interface UnaryOperation {
  readonly isStream: false;
  readonly call: (handler: A2ARequestHandler, params: unknown, context: ServerCallContext) => Promise<object>;
  readonly toJson: (result: object) => unknown;
}

export interface StreamOperation {
  readonly isStream: true;
  readonly call: (handler: A2ARequestHandler, params: unknown, context: ServerCallContext) => Stream;
}

/** What DeleteTaskPushNotificationConfig answers. */
const nothing = {};

export const operations: Readonly<Record<A2AMethod, Operation>> = {
  SendMessage: unary(
    SendMessageRequest,
    (handler, params, context) => handler.sendMessage(params, context),
    (result) => SendMessageResponse.toJSON(toSendResponse(result)),
  ),
  SendStreamingMessage: streaming(SendMessageRequest, (handler, params, context) =>
    handler.sendMessageStream(params, context),
  ),
  GetTask: unary(
    GetTaskRequest,
    (handler, params, context) => handler.getTask(params, context),
    (task) => Task.toJSON(task),
  ),
  ListTasks: unary(
    ListTasksRequest,
    (handler, params, context) => handler.listTasks(params, context),
    listTasksToJson,
  ),
  CancelTask: unary(
    CancelTaskRequest,
    (handler, params, context) => handler.cancelTask(params, context),
    (task) => Task.toJSON(task),
  ),
  SubscribeToTask: streaming(SubscribeToTaskRequest, (handler, params, context) =>
    handler.resubscribe(params, context),
  ),
  CreateTaskPushNotificationConfig: unary(
    TaskPushNotificationConfig,
    (handler, params, context) => handler.createTaskPushNotificationConfig(params, context),
    (config) => TaskPushNotificationConfig.toJSON(config),
  ),
  GetTaskPushNotificationConfig: unary(
    GetTaskPushNotificationConfigRequest,
    (handler, params, context) => handler.getTaskPushNotificationConfig(params, context),
    (config) => TaskPushNotificationConfig.toJSON(config),
  ),
  ListTaskPushNotificationConfigs: unary(
    ListTaskPushNotificationConfigsRequest,
    (handler, params, context) => handler.listTaskPushNotificationConfigs(params, context),
    (configs) => ({ configs: [], ...(ListTaskPushNotificationConfigsResponse.toJSON(configs) as object) }),
  ),
  DeleteTaskPushNotificationConfig: unary(
    DeleteTaskPushNotificationConfigRequest,
    async (handler, params, context) => {
      await handler.deleteTaskPushNotificationConfig(params, context);
      return nothing;
    },
    (result) => result,
  ),
  GetExtendedAgentCard: unary(
    GetExtendedAgentCardRequest,
    (handler, params, context) => handler.getAuthenticatedExtendedAgentCard(params, context),
    (card) => AgentCard.toJSON(card),
  ),
};

/** The operation of a method's name. */
export function findOperation(method: string): Operation | undefined {
  return Object.hasOwn(operations, method) ? operations[method as A2AMethod] : undefined;
}

/** A page of tasks: its members stand there also when they are empty (A2A 1.0, 3.1.4). */
export function listTasksToJson(response: ListTasksResponse): unknown {
  const json = ListTasksResponse.toJSON(response) as Record<string, unknown>;
  return { tasks: [], nextPageToken: "", pageSize: 0, totalSize: 0, ...json };
}

function toSendResponse(result: Message | Task): SendMessageResponse {
  const isMessage = "messageId" in result;
  return {
    payload: isMessage ? { $case: "message", value: result } : { $case: "task", value: result },
  };
}

function unary<P, R extends object>(
  request: MessageFns<P>,
  call: (handler: A2ARequestHandler, params: P, context: ServerCallContext) => Promise<R>,
  toJson: (result: R) => unknown,
): UnaryOperation {
  return {
    isStream: false,
    call: (handler, params, context) => call(handler, parseParams(request, params), context),
    toJson: toJson as (result: object) => unknown,
  };
}

function streaming<P>(
  request: MessageFns<P>,
  call: (handler: A2ARequestHandler, params: P, context: ServerCallContext) => Stream,
): StreamOperation {
  return {
    isStream: true,
    call: (handler, params, context) => call(handler, parseParams(request, params), context),
  };
}

/**
 * Reads parameters with the SDK's codec, which trusts what it reads.
 *
 * @throws WeftError `invalid_argument`
 */
export function parseParams<P>(codec: MessageFns<P>, params: unknown): P {
  if (!isRecord(params)) throw new WeftError("invalid_argument", "The parameters must be an object.");
  checkParams(params);
  try {
    return codec.fromJSON(params);
  } catch (error) {
    throw new WeftError("invalid_argument", "A parameter has the wrong type.", { cause: error });
  }
}

/** The agent a call is for, where several share an address. */
export function setTenant(context: ServerCallContext, params: unknown): void {
  const tenant: unknown = isRecord(params) ? params["tenant"] : undefined;
  if (typeof tenant === "string" && tenant !== "" && context.tenant === undefined) context.setTenant(tenant);
}
