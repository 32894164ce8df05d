import {
  A2A_PROTOCOL_VERSION,
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
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import type { MessageFns } from "@a2a-js/sdk";
import type { RequestOptions, Transport } from "@a2a-js/sdk/client";
import { fromJsonRpcErrorResponse } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import { wsBindingUri } from "../a2a/uris.ts";
import type { WsChannel } from "./ws-channel.ts";

type Params<M extends keyof Transport> = Transport[M] extends (
  params: infer P,
  options?: RequestOptions,
) => unknown
  ? P
  : never;
type Frame = Record<string, unknown>;

/** The client's side of Weft's WebSocket binding: A2A's operations over one {@link WsChannel}. */
export class WsTransport implements Transport {
  readonly #channel: WsChannel;

  constructor(channel: WsChannel) {
    this.#channel = channel;
  }

  get protocolName(): string {
    return wsBindingUri;
  }

  get protocolVersion(): string {
    return A2A_PROTOCOL_VERSION;
  }

  async sendMessage(
    params: Params<"sendMessage">,
    options?: RequestOptions,
  ): ReturnType<Transport["sendMessage"]> {
    const result = await this.#call("SendMessage", SendMessageRequest.toJSON(params), options);
    const { payload } = SendMessageResponse.fromJSON(result);
    if (!payload)
      throw new WeftError("protocol_error", "The answer to SendMessage is neither a task nor a message.");
    return payload.value;
  }

  sendMessageStream(
    params: Params<"sendMessageStream">,
    options?: RequestOptions,
  ): AsyncGenerator<StreamResponse, void> {
    return this.#stream("SendStreamingMessage", SendMessageRequest.toJSON(params), options);
  }

  resubscribeTask(
    params: Params<"resubscribeTask">,
    options?: RequestOptions,
  ): AsyncGenerator<StreamResponse, void> {
    return this.#stream("SubscribeToTask", SubscribeToTaskRequest.toJSON(params), options);
  }

  getTask(params: Params<"getTask">, options?: RequestOptions): Promise<Task> {
    return this.#read("GetTask", GetTaskRequest.toJSON(params), Task, options);
  }

  cancelTask(params: Params<"cancelTask">, options?: RequestOptions): Promise<Task> {
    return this.#read("CancelTask", CancelTaskRequest.toJSON(params), Task, options);
  }

  listTasks(params: Params<"listTasks">, options?: RequestOptions): Promise<ListTasksResponse> {
    return this.#read("ListTasks", ListTasksRequest.toJSON(params), ListTasksResponse, options);
  }

  getExtendedAgentCard(params: Params<"getExtendedAgentCard">, options?: RequestOptions): Promise<AgentCard> {
    return this.#read("GetExtendedAgentCard", GetExtendedAgentCardRequest.toJSON(params), AgentCard, options);
  }

  createTaskPushNotificationConfig(
    params: TaskPushNotificationConfig,
    options?: RequestOptions,
  ): Promise<TaskPushNotificationConfig> {
    const json = TaskPushNotificationConfig.toJSON(params);
    return this.#read("CreateTaskPushNotificationConfig", json, TaskPushNotificationConfig, options);
  }

  getTaskPushNotificationConfig(
    params: GetTaskPushNotificationConfigRequest,
    options?: RequestOptions,
  ): Promise<TaskPushNotificationConfig> {
    const json = GetTaskPushNotificationConfigRequest.toJSON(params);
    return this.#read("GetTaskPushNotificationConfig", json, TaskPushNotificationConfig, options);
  }

  listTaskPushNotificationConfig(
    params: ListTaskPushNotificationConfigsRequest,
    options?: RequestOptions,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    const json = ListTaskPushNotificationConfigsRequest.toJSON(params);
    return this.#read(
      "ListTaskPushNotificationConfigs",
      json,
      ListTaskPushNotificationConfigsResponse,
      options,
    );
  }

  async deleteTaskPushNotificationConfig(
    params: DeleteTaskPushNotificationConfigRequest,
    options?: RequestOptions,
  ): Promise<void> {
    const json = DeleteTaskPushNotificationConfigRequest.toJSON(params);
    await this.#call("DeleteTaskPushNotificationConfig", json, options);
  }

  async #read<T>(
    method: A2AMethod,
    params: unknown,
    codec: MessageFns<T>,
    options?: RequestOptions,
  ): Promise<T> {
    return codec.fromJSON(await this.#call(method, params, options));
  }

  async #call(method: A2AMethod, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { signal, serviceParameters = {} } = options;
    if (signal?.aborted) throw abortError(signal);
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    const cancel = await this.#channel.open(
      { method, params, parameters: serviceParameters },
      { frame: resolve, lost: reject },
    );
    const abort = (): void => reject(abortError(signal!));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const frame = await promise;
      if (frame["type"] === "response") return frame["result"];
      throw errorOf(frame);
    } finally {
      signal?.removeEventListener("abort", abort);
      cancel();
    }
  }

  async *#stream(
    method: A2AMethod,
    params: unknown,
    options: RequestOptions = {},
  ): AsyncGenerator<StreamResponse, void> {
    const { signal, serviceParameters = {} } = options;
    if (signal?.aborted) throw abortError(signal);
    const frames = new FrameQueue();
    const cancel = await this.#channel.open({ method, params, parameters: serviceParameters }, frames);
    const abort = (): void => frames.lost(abortError(signal!));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for (let seq = 0; ; seq++) {
        const frame = frames.shift() ?? (await frames.next());
        if (frame["type"] === "end") return;
        if (frame["type"] !== "event") throw errorOf(frame);
        if (frame["seq"] !== seq)
          throw new WeftError("protocol_error", `Event ${seq} of a stream is missing.`);
        yield StreamResponse.fromJSON(frame["result"]);
      }
    } finally {
      signal?.removeEventListener("abort", abort);
      cancel();
    }
  }
}

/** Frames that arrived and were not read yet; what was lost is told after them. */
class FrameQueue {
  readonly #frames: Frame[] = [];
  #head = 0;
  #lost: WeftError | undefined;
  #waiting: { resolve(frame: Frame): void; reject(error: WeftError): void } | undefined;

  frame(frame: Frame): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(frame);
    else this.#frames.push(frame);
  }

  lost(error: WeftError): void {
    this.#lost ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  shift(): Frame | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0;
      this.#head = 0;
    }
    return frame;
  }

  next(): Promise<Frame> {
    if (this.#lost) return Promise.reject(this.#lost);
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    this.#waiting = { resolve, reject };
    return promise;
  }
}

function errorOf(frame: Frame): Error {
  const error = frame["error"] as { code?: unknown; message?: unknown } | undefined;
  if (frame["type"] !== "error" || typeof error?.code !== "number" || typeof error.message !== "string") {
    return new WeftError(
      "protocol_error",
      `A frame of type "${String(frame["type"])}" came where it has no meaning.`,
    );
  }
  const envelope = { jsonrpc: "2.0", id: null, error };
  return fromJsonRpcErrorResponse(envelope as Parameters<typeof fromJsonRpcErrorResponse>[0]);
}
