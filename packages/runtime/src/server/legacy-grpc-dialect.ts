/*
 * LegacyGrpcDialect: the messages of A2A 0.3's gRPC service as 1.0's, and back.
 *
 * Job: has the SDK translate. It keeps its converters to itself, and its service is the way to them: each translation is a
 *   call of that service, on a handler that only takes the parameters or only gives the answer.
 * Does not own: the call. The SDK's service sees no socket, no caller and no error of ours, and what it would do with
 *   them (it writes streams without waiting for their readers) does not happen.
 */
import { AgentCard } from "@a2a-js/sdk";
import type { StreamResponse } from "@a2a-js/sdk";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { legacyVersion, protocolBindings } from "../a2a/uris.ts";
import type { GrpcDialect, GrpcMethod } from "./grpc-dialect.ts";
import type { GrpcModules, LegacyGrpcModules } from "./import-grpc.ts";

const names: Readonly<Record<GrpcMethod, string | undefined>> = {
  sendMessage: "sendMessage",
  sendStreamingMessage: "sendStreamingMessage",
  getTask: "getTask",
  listTasks: undefined,
  cancelTask: "cancelTask",
  subscribeToTask: "taskSubscription",
  createTaskPushNotificationConfig: "createTaskPushNotificationConfig",
  getTaskPushNotificationConfig: "getTaskPushNotificationConfig",
  listTaskPushNotificationConfigs: "listTaskPushNotificationConfig",
  deleteTaskPushNotificationConfig: "deleteTaskPushNotificationConfig",
  getExtendedAgentCard: "getAgentCard",
};

/** A card on which the SDK's service finds what it asks for. */
const card = AgentCard.fromJSON({
  supportedInterfaces: [{ protocolBinding: protocolBindings.grpc, protocolVersion: legacyVersion }],
});

/** A request to which any event is an answer. */
const anySubscription = { name: "tasks/any" };

type Answer = (params: unknown) => unknown;
type Failure = { readonly details: string };
type Method = (call: object, callback: (failed: Failure | null, message: unknown) => void) => void;

/** The message, or what is wrong. */
type Translation = { readonly message?: unknown; readonly problem?: string };

export class LegacyGrpcDialect implements GrpcDialect {
  readonly isLegacy = true;
  readonly #grpc: GrpcModules["grpc"];
  readonly #legacy: LegacyGrpcModules;

  constructor(grpc: GrpcModules["grpc"], legacy: LegacyGrpcModules) {
    this.#grpc = grpc;
    this.#legacy = legacy;
  }

  nameOf(method: GrpcMethod): string | undefined {
    return names[method];
  }

  async decode(method: GrpcMethod, request: unknown): Promise<unknown> {
    let params: Record<string, unknown> | undefined;
    const take = (given: unknown): void => {
      params = given as Record<string, unknown>;
    };
    // What it makes of no answer does not matter; without parameters it says what is wrong with the request.
    const { problem } = await this.#translate(method, request, take);
    if (params === undefined) {
      throw new WeftError("invalid_argument", problem ?? "The message cannot be read.");
    }
    // A count that is not given is 0 in 0.3, and means all; in 1.0 it would mean none.
    if (params["historyLength"] === 0) delete params["historyLength"];
    return params;
  }

  async encode(method: GrpcMethod, request: unknown, result: unknown): Promise<unknown> {
    const { message, problem } = await this.#translate(method, request, () => result);
    if (message !== undefined) return message;
    throw new WeftError("protocol_error", "A2A 0.3 has no words for the answer.", { details: { problem } });
  }

  encodeEvent(event: StreamResponse): Promise<unknown> {
    return this.encode("subscribeToTask", anySubscription, event);
  }

  #translate(method: GrpcMethod, request: unknown, answer: Answer): Promise<Translation> {
    const service = this.#legacy.server.legacyGrpcService({
      requestHandler: handlerOf(answer),
      userBuilder: async () => ({ isAuthenticated: false, userName: "" }),
    }) as unknown as Record<string, Method>;
    const { promise, resolve } = Promise.withResolvers<Translation>();
    const call = {
      request,
      metadata: new this.#grpc.Metadata(),
      sendMetadata: () => undefined,
      write: (message: unknown) => resolve({ message }),
      emit: (_event: "error", { details }: Failure) => resolve({ problem: details }),
      end: () => undefined,
    };
    service[names[method]!]!(call, (failed, message) =>
      resolve(failed ? { problem: failed.details } : { message }),
    );
    return promise;
  }
}

function handlerOf(answer: Answer): A2ARequestHandler {
  const unary = async (params: unknown): Promise<unknown> => answer(params);
  const stream = async function* (params: unknown): AsyncGenerator {
    yield answer(params);
  };
  return {
    getAgentCard: async () => card,
    sendMessage: unary,
    sendMessageStream: stream,
    getTask: unary,
    listTasks: unary,
    cancelTask: unary,
    resubscribe: stream,
    createTaskPushNotificationConfig: unary,
    getTaskPushNotificationConfig: unary,
    listTaskPushNotificationConfigs: unary,
    deleteTaskPushNotificationConfig: unary,
    getAuthenticatedExtendedAgentCard: unary,
  } as unknown as A2ARequestHandler;
}
