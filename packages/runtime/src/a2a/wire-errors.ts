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
    super({ message: publicMessage(error), cause: error, metadata: { weftCode: error.code } });
    this.name = "A2AError";
    this.reason = error.code.toUpperCase();
    [this.statusCode, this.status] = statuses[error.code];
    if (binding === "rest" || binding === "grpc") this.transport = binding;
  }
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

/** JSON-RPC keeps the error info of an error it does not know in `data`. */
function weftCodeOf(error: A2AError): unknown {
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
