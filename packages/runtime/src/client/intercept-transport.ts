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

/** `inner` with every call passing through the interceptors, the first one outermost. The chains are made once, not at each call. */
export function interceptTransport(
  inner: Transport,
  interceptors: readonly TransportInterceptor[],
): Transport {
  const methods: Record<string, unknown> = {};
  const inwards = interceptors.toReversed();
  for (const [name, method] of Object.entries(unaryMethods)) {
    const target = (inner[name as keyof typeof unaryMethods] as Unary).bind(inner);
    const chain = inwards.reduce<(call: TransportCall) => Promise<unknown>>(
      (next, interceptor) => (call) => interceptor.unary(call, next),
      (call) => target(call.params, call.options),
    );
    methods[name] = (params: unknown, options: RequestOptions = {}) => chain({ method, params, options });
  }
  for (const [name, method] of Object.entries(streamMethods)) {
    const target = (inner[name as keyof typeof streamMethods] as Streaming).bind(inner);
    const chain = inwards.reduce<(call: TransportCall) => ResponseStream>(
      (next, interceptor) => (call) => interceptor.stream(call, next),
      (call) => target(call.params, call.options),
    );
    methods[name] = (params: unknown, options: RequestOptions = {}) => chain({ method, params, options });
  }
  const { protocolName, protocolVersion } = inner;
  return { ...methods, protocolName, protocolVersion } as unknown as Transport;
}
