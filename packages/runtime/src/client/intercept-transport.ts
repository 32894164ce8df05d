import type { StreamResponse } from "@a2a-js/sdk";
import type { RequestOptions, Transport } from "@a2a-js/sdk/client";
import type { A2AMethod } from "../a2a/call-attributes.ts";

/** One call on its way out. Interceptors pass on a changed copy. */
export interface TransportCall {
  readonly method: A2AMethod;
  readonly params: unknown;
  readonly options: RequestOptions;
}

export type ResponseStream = AsyncGenerator<StreamResponse, void, undefined>;

export interface TransportInterceptor {
  unary(call: TransportCall, next: (call: TransportCall) => Promise<unknown>): Promise<unknown>;
  stream(call: TransportCall, next: (call: TransportCall) => ResponseStream): ResponseStream;
}

const unaryMethods = {
  getExtendedAgentCard: "GetExtendedAgentCard",
  sendMessage: "SendMessage",
  createTaskPushNotificationConfig: "CreateTaskPushNotificationConfig",
  getTaskPushNotificationConfig: "GetTaskPushNotificationConfig",
  listTaskPushNotificationConfig: "ListTaskPushNotificationConfigs",
  deleteTaskPushNotificationConfig: "DeleteTaskPushNotificationConfig",
  getTask: "GetTask",
  cancelTask: "CancelTask",
  listTasks: "ListTasks",
} as const satisfies Partial<Record<keyof Transport, A2AMethod>>;

const streamMethods = {
  sendMessageStream: "SendStreamingMessage",
  resubscribeTask: "SubscribeToTask",
} as const satisfies Partial<Record<keyof Transport, A2AMethod>>;

type Unary = (params: unknown, options?: RequestOptions) => Promise<unknown>;
type Streaming = (params: unknown, options?: RequestOptions) => ResponseStream;

/** `inner` with every call passing through `interceptor`. */
export function interceptTransport(inner: Transport, interceptor: TransportInterceptor): Transport {
  const methods: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(unaryMethods)) {
    const target = (inner[name as keyof typeof unaryMethods] as Unary).bind(inner);
    methods[name] = (params: unknown, options: RequestOptions = {}) =>
      interceptor.unary({ method, params, options }, (call) => target(call.params, call.options));
  }
  for (const [name, method] of Object.entries(streamMethods)) {
    const target = (inner[name as keyof typeof streamMethods] as Streaming).bind(inner);
    methods[name] = (params: unknown, options: RequestOptions = {}) =>
      interceptor.stream({ method, params, options }, (call) => target(call.params, call.options));
  }
  const { protocolName, protocolVersion } = inner;
  return { ...methods, protocolName, protocolVersion } as unknown as Transport;
}
