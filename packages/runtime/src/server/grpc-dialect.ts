import type { StreamResponse } from "@a2a-js/sdk";

/** An operation by the name of its method in 1.0's gRPC service. */
export type GrpcMethod =
  | "sendMessage"
  | "sendStreamingMessage"
  | "getTask"
  | "listTasks"
  | "cancelTask"
  | "subscribeToTask"
  | "createTaskPushNotificationConfig"
  | "getTaskPushNotificationConfig"
  | "listTaskPushNotificationConfigs"
  | "deleteTaskPushNotificationConfig"
  | "getExtendedAgentCard";

/** One version of A2A's gRPC: its service's methods and messages, and what the request handler has for them. */
export interface GrpcDialect {
  readonly isLegacy: boolean;
  /** The service's own name of a method; undefined where it has none. */
  nameOf(method: GrpcMethod): string | undefined;
  /**
   * A request's message as the handler's parameters.
   *
   * @throws WeftError `invalid_argument`
   */
  decode(method: GrpcMethod, request: unknown): unknown;
  /** What the handler answered to a request, as the service's message. */
  encode(method: GrpcMethod, request: unknown, result: unknown): unknown;
  encodeEvent(event: StreamResponse): unknown;
}

/** A2A 1.0: its messages are the handler's. */
export const currentDialect: GrpcDialect = {
  isLegacy: false,
  nameOf: (method) => method,
  decode: (_method, request) => request,
  encode: (method, _request, result) => {
    if (method !== "sendMessage") return result ?? {};
    return { payload: { $case: "messageId" in (result as object) ? "message" : "task", value: result } };
  },
  encodeEvent: (event) => event,
};
