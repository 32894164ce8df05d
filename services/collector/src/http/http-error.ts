/** How error codes read in HTTP and in `google.rpc.Status`. */
import { WeftError } from "@weft/tracing";
import type { WeftErrorCode } from "@weft/tracing";

/** An error whose HTTP status says more than its code does. */
export class HttpError extends WeftError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: WeftErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}

const statuses: Partial<Record<WeftErrorCode, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  limit_exceeded: 429,
  unavailable: 503,
};

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const grpcCodes: Partial<Record<WeftErrorCode, number>> = {
  invalid_argument: 3,
  not_found: 5,
  permission_denied: 7,
  limit_exceeded: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly grpcCode: number;
  readonly code: WeftErrorCode;
  /** What an error of this process's own making says; anything else says nothing of its insides. */
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function toErrorAnswer(thrown: unknown): ErrorAnswer {
  const error = thrown instanceof WeftError ? thrown : undefined;
  const code = error?.code ?? "internal";
  const status = thrown instanceof HttpError ? thrown.status : (statuses[code] ?? 500);
  const retry = status === 429 || status === 503 ? { "retry-after": "1" } : {};
  return {
    status,
    grpcCode: grpcCodes[code] ?? 2,
    code,
    message: error?.message ?? "the collector failed on this request",
    headers: { ...retry, ...(thrown instanceof HttpError ? thrown.headers : {}) },
  };
}
