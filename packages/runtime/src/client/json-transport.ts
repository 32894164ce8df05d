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
import { WeftError } from "@weft/tracing";
import { abortError } from "../agent/abortable.ts";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import { toBinaryJson } from "../ws/binary-parts.ts";
import { EventReader } from "./event-reader.ts";

type Params<M extends keyof Transport> = Transport[M] extends (
  params: infer P,
  options?: RequestOptions,
) => unknown
  ? P
  : never;
/** One binding's way to carry JSON: an operation's parameters there, its result or events back. */
export interface JsonCalls {
  /** What a card calls the binding. */
  readonly protocolName: string;
  /** Whether `raw` parts travel as bytes. */
  readonly isBinary: boolean;
  unary(method: A2AMethod, params: unknown, options: RequestOptions): Promise<unknown>;
  stream(method: A2AMethod, params: unknown, options: RequestOptions): JsonEvents;
}

/** The events of a streamed call. */
export interface JsonEvents {
  /** All were taken, and no more comes. */
  readonly isOver: boolean;
  /**
   * The next one that has arrived; undefined while none has.
   *
   * @throws what the stream broke with, after what arrived before
   */
  take(): unknown;
  /** Resolves when there is something to take, or the end. */
  ready(): Promise<void>;
  /** Reads no further. */
  cancel(): void;
}

/** A2A's operations on whatever carries JSON: the SDK's codecs, and nothing of its transports. */
export class JsonTransport implements Transport {
  readonly #calls: JsonCalls;

  constructor(calls: JsonCalls) {
    this.#calls = calls;
  }

  get protocolName(): string {
    return this.#calls.protocolName;
  }

  get protocolVersion(): string {
    return A2A_PROTOCOL_VERSION;
  }

  async sendMessage(
    params: Params<"sendMessage">,
    options?: RequestOptions,
  ): ReturnType<Transport["sendMessage"]> {
    const result = await this.#call("SendMessage", this.#sendJson(params), options);
    const { payload } = SendMessageResponse.fromJSON(checkObject("SendMessage", result));
    if (!payload)
      throw new WeftError("protocol_error", "The answer to SendMessage is neither a task nor a message.");
    return payload.value;
  }

  sendMessageStream(
    params: Params<"sendMessageStream">,
    options?: RequestOptions,
  ): AsyncGenerator<StreamResponse, void> {
    return this.#stream("SendStreamingMessage", this.#sendJson(params), options);
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

  #sendJson(params: SendMessageRequest): unknown {
    const toJson = (request: SendMessageRequest): unknown => SendMessageRequest.toJSON(request);
    return this.#calls.isBinary ? toBinaryJson(params, toJson) : toJson(params);
  }

  async #read<T>(
    method: A2AMethod,
    params: unknown,
    codec: MessageFns<T>,
    options?: RequestOptions,
  ): Promise<T> {
    return codec.fromJSON(checkObject(method, await this.#call(method, params, options)));
  }

  /** Throws rather than rejects; its callers are async. */
  #call(method: A2AMethod, params: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal);
    return this.#calls.unary(method, params, options);
  }

  #stream(
    method: A2AMethod,
    params: unknown,
    options: RequestOptions = {},
  ): AsyncGenerator<StreamResponse, void> {
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal);
    const events = this.#calls.stream(method, params, options);
    return new EventReader(events, (json) => StreamResponse.fromJSON(checkObject(method, json)));
  }
}

function checkObject(method: A2AMethod, result: unknown): object {
  if (typeof result === "object" && result !== null) return result;
  throw new WeftError("protocol_error", `The answer to ${method} is not an object.`);
}
