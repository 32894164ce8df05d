import {
  A2AError,
  RequestMalformedError,
  restStatusFor,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { isErrorCode } from "@weft/tracing/internal";
import type { WeftErrorCode } from "@weft/tracing";
import { isRecord } from "../agent/message.ts";
import type { Binding } from "./uris.ts";

/** HTTP status and gRPC status of each code. */
const statuses: Record<WeftErrorCode, readonly [http: number, grpc: number]> = {
  invalid_argument: [400, 3],
  not_found: [404, 5],
  already_exists: [409, 6],
  unauthenticated: [401, 16],
  permission_denied: [403, 7],
  failed_precondition: [409, 9],
  limit_exceeded: [413, 8],
  deadline_exceeded: [504, 4],
  aborted: [409, 10],
  unavailable: [503, 14],
  unimplemented: [501, 12],
  protocol_error: [400, 3],
  invalid_card: [500, 13],
  model_failed: [500, 13],
  tool_failed: [500, 13],
  budget_exceeded: [429, 8],
  missing_dependency: [500, 13],
  internal: [500, 13],
};

/** Limits on how much at once: a later call may pass. The others are on size. */
const limitsOfRate: ReadonlySet<unknown> = new Set([
  "callsPerSecond",
  "callsPerCaller",
  "streamsPerCaller",
  "callsPerConnection",
  "tasksPerCaller",
]);

/** A refusal for a limit, by its name. */
export function limitError(limit: string, message: string): WeftError {
  return new WeftError("limit_exceeded", message, {
    details: { limit },
    retryable: limitsOfRate.has(limit),
  });
}

const messageOfInternal = "The agent failed. Its own log and trace say why.";

/** A Weft error on an A2A wire. The code rides in the error info's metadata (gRPC: in the status). */
export class WireError extends A2AError {
  override readonly reason: string;
  readonly transport?: "rest" | "grpc";
  /** HTTP status, where there is one. */
  readonly statusCode: number;
  /** gRPC status, where there is one. */
  readonly status: number;

  constructor(error: WeftError, binding: Binding) {
    super({ message: publicMessage(error), cause: error, metadata: metadataOf(error) });
    this.name = "A2AError";
    this.reason = error.code.toUpperCase();
    [this.statusCode, this.status] = statuses[error.code];
    if (limitsOfRate.has(error.details?.["limit"])) this.statusCode = 429;
    if (binding === "rest" || binding === "grpc") this.transport = binding;
  }
}

function metadataOf(error: WeftError): Record<string, string> {
  const limit = error.details?.["limit"];
  return { weftCode: error.code, ...(typeof limit === "string" ? { limit } : {}) };
}

/** What may be said outside: the message of a classified error, never that of an unknown one. */
export function publicMessage(error: WeftError): string {
  return error.code === "internal" ? messageOfInternal : error.message;
}

/** Anything thrown, as the A2A error that may cross this binding: no stack, no unknown error's text. */
export function toWireError(thrown: unknown, binding: Binding): A2AError {
  if (thrown instanceof A2AError) return thrown;
  const error = WeftError.from(thrown);
  if (error.code === "invalid_argument") {
    return new RequestMalformedError({
      message: error.message,
      cause: error,
      metadata: { weftCode: error.code },
    });
  }
  if (error.code === "unimplemented")
    return new UnsupportedOperationError({ message: error.message, cause: error });
  return new WireError(error, binding);
}

/** HTTP status for an error that any HTTP binding answers with. */
export function httpStatusOf(error: A2AError): number {
  return error instanceof WireError ? error.statusCode : restStatusFor(error);
}

/** What an HTTP answer says with a refusal: a body that was not read ends the connection, a rate may be met later. */
export function refusalHeaders(error: A2AError): Record<string, string> {
  const status = httpStatusOf(error);
  if (status === 413) return { connection: "close" };
  return status === 429 && error.reason === "LIMIT_EXCEEDED" ? { "retry-after": "1" } : {};
}

const statusNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name of an error's `google.rpc.Code`, where it is one of ours; undefined leaves it to the SDK. */
export function statusNameOf(error: A2AError): string | undefined {
  return error instanceof WireError ? statusNames[error.status] : undefined;
}

const codesByName: Readonly<Record<string, WeftErrorCode>> = {
  TaskNotFoundError: "not_found",
  TaskNotCancelableError: "failed_precondition",
  PushNotificationNotSupportedError: "unimplemented",
  UnsupportedOperationError: "unimplemented",
  ContentTypeNotSupportedError: "invalid_argument",
  InvalidAgentResponseError: "protocol_error",
  ExtendedAgentCardNotConfiguredError: "unimplemented",
  ExtensionSupportRequiredError: "failed_precondition",
  VersionNotSupportedError: "unimplemented",
  RequestMalformedError: "invalid_argument",
};

/** The Weft code of an A2A error, whichever binding it came over. */
export function codeOfWireError(thrown: unknown): WeftErrorCode {
  if (thrown instanceof WeftError) return thrown.code;
  if (!(thrown instanceof A2AError)) return "internal";
  const given = weftCodeOf(thrown);
  if (isErrorCode(given)) return given;
  const known = codesByName[thrown.name.replace(/^(JsonRpc|Rest|Grpc)/, "")];
  if (known) return known;
  const { statusCode, status } = thrown as { statusCode?: unknown; status?: unknown };
  const codes = typeof statusCode === "number" ? codesByHttpStatus : codesByGrpcStatus;
  return codes[Number(statusCode ?? status)] ?? "internal";
}

/** gRPC: trailing metadata with the Weft code, for clients that do not decode `google.rpc.Status`. */
export const weftCodeHeader = "x-weft-code";

/** JSON-RPC keeps the error info of an error it does not know in `data`, gRPC the trailers in the cause. */
function weftCodeOf(error: A2AError): unknown {
  const trailers = (error.cause as { metadata?: { get?: (key: string) => unknown[] } } | undefined)?.metadata;
  if (typeof trailers?.get === "function") return trailers.get(weftCodeHeader)[0];
  const { data } = error as { data?: unknown };
  const info: unknown = Array.isArray(data) ? data[0] : undefined;
  const metadata = error.metadata ?? (info as { metadata?: unknown } | undefined)?.metadata;
  return isRecord(metadata) ? metadata["weftCode"] : undefined;
}

const codesByHttpStatus: Readonly<Record<number, WeftErrorCode>> = {
  400: "invalid_argument",
  401: "unauthenticated",
  403: "permission_denied",
  404: "not_found",
  408: "deadline_exceeded",
  409: "failed_precondition",
  413: "limit_exceeded",
  429: "limit_exceeded",
  501: "unimplemented",
  502: "unavailable",
  503: "unavailable",
  504: "deadline_exceeded",
};

const codesByGrpcStatus: Readonly<Record<number, WeftErrorCode>> = {
  1: "aborted",
  3: "invalid_argument",
  4: "deadline_exceeded",
  5: "not_found",
  6: "already_exists",
  7: "permission_denied",
  8: "limit_exceeded",
  9: "failed_precondition",
  10: "aborted",
  12: "unimplemented",
  14: "unavailable",
  16: "unauthenticated",
};
