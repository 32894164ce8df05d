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
import { LEGACY_HTTP_EXTENSION_HEADER } from "@a2a-js/sdk/compat/v0_3";
import type { A2AError } from "@a2a-js/sdk/errors";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { codeOfWireError, toWireError, weftCodeHeader } from "../a2a/wire-errors.ts";
import { createCallContext } from "./call-context.ts";
import type { Caller } from "./call-context.ts";
import type { GrpcDialect, GrpcMethod } from "./grpc-dialect.ts";
import type { GrpcModules } from "./import-grpc.ts";
import { BytesAhead } from "./bytes-ahead.ts";
import { replyHeaders } from "./responses.ts";
import type { VersionCheck } from "./version-check.ts";

const extensionHeaders = [HTTP_EXTENSION_HEADER.toLowerCase(), LEGACY_HTTP_EXTENSION_HEADER.toLowerCase()];

type Call = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

export interface GrpcServiceOptions {
  readonly modules: GrpcModules;
  readonly handler: A2ARequestHandler;
  readonly versions: VersionCheck;
  readonly identify: (call: Call, headers: Readonly<Record<string, string>>) => Promise<Caller>;
  readonly dialect: GrpcDialect;
}

type Invoke = (handler: A2ARequestHandler, request: never, context: ServerCallContext) => Promise<unknown>;
type Open = (
  handler: A2ARequestHandler,
  request: never,
  context: ServerCallContext,
) => AsyncGenerator<StreamResponse, void, undefined>;

const unaryMethods = {
  sendMessage: (handler, request, context) => handler.sendMessage(request, context),
  getTask: (handler, request, context) => handler.getTask(request, context),
  listTasks: (handler, request, context) => handler.listTasks(request, context),
  cancelTask: (handler, request, context) => handler.cancelTask(request, context),
  createTaskPushNotificationConfig: (handler, request, context) =>
    handler.createTaskPushNotificationConfig(request, context),
  getTaskPushNotificationConfig: (handler, request, context) =>
    handler.getTaskPushNotificationConfig(request, context),
  listTaskPushNotificationConfigs: (handler, request, context) =>
    handler.listTaskPushNotificationConfigs(request, context),
  deleteTaskPushNotificationConfig: (handler, request, context) =>
    handler.deleteTaskPushNotificationConfig(request, context),
  getExtendedAgentCard: (handler, request, context) =>
    handler.getAuthenticatedExtendedAgentCard(request, context),
} satisfies Partial<Record<GrpcMethod, Invoke>>;

const streamMethods = {
  sendStreamingMessage: (handler, request, context) => handler.sendMessageStream(request, context),
  subscribeToTask: (handler, request, context) => handler.resubscribe(request, context),
} satisfies Partial<Record<GrpcMethod, Open>>;

/** The service of one version of A2A. */
export function createGrpcService(options: GrpcServiceOptions): UntypedServiceImplementation {
  const { dialect } = options;
  const service: UntypedServiceImplementation = {};
  for (const [method, invoke] of entriesOf<Invoke>(unaryMethods)) {
    const name = dialect.nameOf(method);
    if (name !== undefined) service[name] = answerUnary(options, method, invoke);
  }
  for (const [method, open] of entriesOf<Open>(streamMethods)) {
    const name = dialect.nameOf(method);
    if (name !== undefined) service[name] = answerStream(options, method, open);
  }
  return service;
}

function entriesOf<T>(methods: Partial<Record<GrpcMethod, T>>): [GrpcMethod, T][] {
  return Object.entries(methods) as [GrpcMethod, T][];
}

function answerUnary(
  options: GrpcServiceOptions,
  method: GrpcMethod,
  invoke: Invoke,
): handleUnaryCall<unknown, unknown> {
  const { dialect } = options;
  const answer = async (
    call: ServerUnaryCall<unknown, unknown>,
    callback: sendUnaryData<unknown>,
  ): Promise<void> => {
    let context: ServerCallContext | undefined;
    try {
      context = await createContext(call, options);
      const params = await dialect.decode(method, call.request);
      const result = await invoke(options.handler, params as never, context);
      const message = await dialect.encode(method, call.request, result);
      call.sendMetadata(headMetadata(options, context));
      callback(null, message);
    } catch (error) {
      if (context) call.sendMetadata(headMetadata(options, context));
      callback(grpcStatusOf(options.modules, error), null);
    }
  };
  return (call, callback) => void answer(call, callback);
}

function answerStream(
  options: GrpcServiceOptions,
  method: GrpcMethod,
  open: Open,
): handleServerStreamingCall<unknown, unknown> {
  const { dialect } = options;
  const answer = async (call: ServerWritableStream<unknown, unknown>): Promise<void> => {
    let context: ServerCallContext | undefined;
    try {
      context = await createContext(call, options);
      const params = await dialect.decode(method, call.request);
      const stream = open(options.handler, params as never, context);
      const ahead = new BytesAhead(call);
      let isBegun = false;
      for await (const event of stream) {
        // The extensions in force are known with the first event.
        if (!isBegun) call.sendMetadata(headMetadata(options, context));
        isBegun = true;
        await ahead.write(await dialect.encodeEvent(event), event);
        if (call.cancelled || call.destroyed) break;
      }
      if (!isBegun) call.sendMetadata(headMetadata(options, context));
      call.end();
    } catch (error) {
      if (context) call.sendMetadata(headMetadata(options, context));
      call.emit("error", grpcStatusOf(options.modules, error));
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
  for (const name of extensionHeaders) {
    const values = call.metadata.get(name);
    if (values.length > 1) headers[name] = values.join(",");
  }
  headers[A2A_VERSION_HEADER.toLowerCase()] ??= "";
  const caller = await options.identify(call, headers);
  const { tenant } = call.request as { tenant?: string };
  const context = createCallContext({ binding: "grpc", headers, caller, signal: controller.signal, tenant });
  await options.versions.check(context.requestedVersion, options.dialect.isLegacy);
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
export function grpcStatusOf(modules: GrpcModules, thrown: unknown): GrpcStatus {
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
