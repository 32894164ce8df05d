import { errorCodes, retryableCodes } from "./error-codes.ts";
import type { WeftErrorCode } from "./error-codes.ts";

export interface WeftErrorOptions {
  /** What led to it. Stays in this process: neither it nor a stack crosses a wire. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later. Default: by code. */
  readonly retryable?: boolean;
  /** Plain JSON for whoever handles the error. It may cross a wire, so nothing secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const brand = Symbol.for("weft.error");

/** The one root of Weft's errors: a code of a closed set, and a message that says what to do. */
export class WeftError extends Error {
  readonly code: WeftErrorCode;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;

  constructor(code: WeftErrorCode, message: string, options: WeftErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = code === "aborted" ? "AbortError" : "WeftError";
    this.code = code;
    this.retryable = options.retryable ?? retryableCodes.has(code);
    if (options.details !== undefined) this.details = options.details;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Holds for errors of another copy of this package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== WeftError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }

  /** Takes anything thrown: a WeftError as it is, an abort as `aborted`, a timeout as `deadline_exceeded`, the rest as `code`. */
  static from(thrown: unknown, code: WeftErrorCode = "internal"): WeftError {
    if (thrown instanceof WeftError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const name = thrown instanceof Error ? thrown.name : "";
    if (name === "AbortError") return new WeftError("aborted", message, { cause: thrown });
    if (name === "TimeoutError") return new WeftError("deadline_exceeded", message, { cause: thrown });
    return new WeftError(code, message, { cause: thrown });
  }

  /** Code and message only: never a stack, never a cause. */
  toJSON(): { readonly code: WeftErrorCode; readonly message: string } {
    return { code: this.code, message: this.message };
  }
}

export function isErrorCode(value: unknown): value is WeftErrorCode {
  return typeof value === "string" && Object.hasOwn(errorCodes, value);
}
