/*
 * grpcService: A2A's gRPC service over a request handler.
 *
 * Job: what the SDK's own does, and what that leaves out: a stream waits for its reader, every reply carries its trace
 *   id, and every error its ErrorInfo.
 * Owns: the answer to a call. Does not own: sockets (the endpoint's), the login (asked here).
 *
 * I1  Of a stream at most aheadBytes and one event are ahead of its reader.
 * I2  A call is answered exactly once, also when its caller left.
 */
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { StreamResponse } from "@a2a-js/sdk";
import { A2A_VERSION_HEADER, HTTP_EXTENSION_HEADER } from "@a2a-js/sdk";
import type { A2AError } from "@a2a-js/sdk/errors";
import { validateVersion } from "@a2a-js/sdk/server";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { codeOfWireError, toWireError, weftCodeHeader } from "../a2a/wire-errors.ts";
import { createCallContext } from "./call-context.ts";
import type { Caller } from "./call-context.ts";
import type { GrpcModules } from "./import-grpc.ts";
import { BytesAhead } from "./bytes-ahead.ts";
import { replyHeaders } from "./responses.ts";

type Call = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

export interface GrpcServiceOptions {
  readonly modules: GrpcModules;
  readonly handler: A2ARequestHandler;
  readonly identify: (call: Call, headers: Readonly<Record<string, string>>) => Promise<Caller>;
}

type Invoke = (handler: A2ARequestHandler, request: never, context: ServerCallContext) => Promise<unknown>;
type Open = (
  handler: A2ARequestHandler,
  request: never,
  context: ServerCallContext,
) => AsyncGenerator<StreamResponse, void, undefined>;

const unaryMethods: Readonly<Record<string, Invoke>> = {
  sendMessage: async (handler, request, context) => {
    const value = await handler.sendMessage(request, context);
    return { payload: { $case: "messageId" in value ? "message" : "task", value } };
  },
  getTask: (handler, request, context) => handler.getTask(request, context),
  listTasks: (handler, request, context) => handler.listTasks(request, context),
  cancelTask: (handler, request, context) => handler.cancelTask(request, context),
  createTaskPushNotificationConfig: (handler, request, context) =>
    handler.createTaskPushNotificationConfig(request, context),
  getTaskPushNotificationConfig: (handler, request, context) =>
    handler.getTaskPushNotificationConfig(request, context),
  listTaskPushNotificationConfigs: (handler, request, context) =>
    handler.listTaskPushNotificationConfigs(request, context),
  deleteTaskPushNotificationConfig: async (handler, request, context) => {
    await handler.deleteTaskPushNotificationConfig(request, context);
    return {};
  },
  getExtendedAgentCard: (handler, request, context) =>
    handler.getAuthenticatedExtendedAgentCard(request, context),
};

const streamMethods: Readonly<Record<string, Open>> = {
  sendStreamingMessage: (handler, request, context) => handler.sendMessageStream(request, context),
  subscribeToTask: (handler, request, context) => handler.resubscribe(request, context),
};

export function createGrpcService(options: GrpcServiceOptions): UntypedServiceImplementation {
  const unary = Object.entries(unaryMethods).map(([name, invoke]) => [name, answerUnary(options, invoke)]);
  const streams = Object.entries(streamMethods).map(([name, open]) => [name, answerStream(options, open)]);
  return Object.fromEntries([...unary, ...streams]) as UntypedServiceImplementation;
}

function answerUnary(options: GrpcServiceOptions, invoke: Invoke): handleUnaryCall<unknown, unknown> {
  const answer = async (
    call: ServerUnaryCall<unknown, unknown>,
    callback: sendUnaryData<unknown>,
  ): Promise<void> => {
    let context: ServerCallContext | undefined;
    try {
      context = await createContext(call, options);
      const result = await invoke(options.handler, call.request as never, context);
      call.sendMetadata(headMetadata(options, context));
      callback(null, result);
    } catch (error) {
      if (context) call.sendMetadata(headMetadata(options, context));
      callback(statusOf(options, error), null);
    }
  };
  return (call, callback) => void answer(call, callback);
}

function answerStream(options: GrpcServiceOptions, open: Open): handleServerStreamingCall<unknown, unknown> {
  const answer = async (call: ServerWritableStream<unknown, unknown>): Promise<void> => {
    let context: ServerCallContext | undefined;
    try {
      context = await createContext(call, options);
      const stream = open(options.handler, call.request as never, context);
      call.sendMetadata(headMetadata(options, context));
      const ahead = new BytesAhead(call);
      for await (const event of stream) {
        await ahead.write(event);
        if (call.cancelled || call.destroyed) break;
      }
      call.end();
    } catch (error) {
      if (context) call.sendMetadata(headMetadata(options, context));
      call.emit("error", statusOf(options, error));
    }
  };
  return (call) => void answer(call);
}

async function createContext(call: Call, options: GrpcServiceOptions): Promise<ServerCallContext> {
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort());
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(call.metadata.getMap())) headers[name] = String(value);
  // Repeated keys: all of them, as a list is written in HTTP.
  const extensions = call.metadata.get(HTTP_EXTENSION_HEADER.toLowerCase());
  if (extensions.length > 1) headers[HTTP_EXTENSION_HEADER.toLowerCase()] = extensions.join(",");
  headers[A2A_VERSION_HEADER.toLowerCase()] ??= "";
  const caller = await options.identify(call, headers);
  const { tenant } = call.request as { tenant?: string };
  const context = createCallContext({ binding: "grpc", headers, caller, signal: controller.signal, tenant });
  validateVersion(context.requestedVersion, await options.handler.getAgentCard(), "GRPC");
  return context;
}

/** Initial metadata. grpc-js sends it once and ignores a second time. */
function headMetadata({ modules }: GrpcServiceOptions, context: ServerCallContext): Metadata {
  const metadata = new modules.grpc.Metadata();
  for (const [name, value] of Object.entries(replyHeaders(context))) metadata.set(name, value);
  return metadata;
}

interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Status, and `google.rpc.Status` with ErrorInfo in the trailers (A2A 1.0, 10.6). */
function statusOf({ modules }: GrpcServiceOptions, thrown: unknown): GrpcStatus {
  const error: A2AError = toWireError(thrown, "grpc");
  const { grpcStatusFor, encodeGrpcStatusDetails, GRPC_STATUS_DETAILS_BIN } = modules.errors;
  const code = grpcStatusFor(error);
  const metadata = new modules.grpc.Metadata();
  const info = stringsOf(error.metadata);
  metadata.set(GRPC_STATUS_DETAILS_BIN, encodeGrpcStatusDetails(code, error.message, error.reason, info));
  metadata.set(weftCodeHeader, codeOfWireError(error));
  return { code, details: error.message, metadata };
}

function stringsOf(metadata: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, String(value)]));
}
