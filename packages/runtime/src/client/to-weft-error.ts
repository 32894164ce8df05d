import { A2AError } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import type { WeftErrorCode } from "@weft/tracing";
import { codeOfWireError } from "../a2a/wire-errors.ts";

const codesOfConnections: Readonly<Record<string, readonly [WeftErrorCode, string]>> = {
  ECONNREFUSED: ["unavailable", "nothing listens there"],
  ECONNRESET: ["unavailable", "the connection broke"],
  EPIPE: ["unavailable", "the connection broke"],
  ENOTFOUND: ["unavailable", "the host has no address"],
  EAI_AGAIN: ["unavailable", "the host's address cannot be looked up now"],
  EHOSTUNREACH: ["unavailable", "the host cannot be reached"],
  ENETUNREACH: ["unavailable", "the network cannot be reached"],
  ETIMEDOUT: ["unavailable", "the connection timed out"],
  UND_ERR_SOCKET: ["unavailable", "the connection broke"],
  UND_ERR_CONNECT_TIMEOUT: ["unavailable", "no connection within connectMs"],
  UND_ERR_HEADERS_TIMEOUT: ["deadline_exceeded", "no answer within the deadline"],
  UND_ERR_BODY_TIMEOUT: ["deadline_exceeded", "no sign of life within the idle limit"],
};

/** Whatever a transport threw, as a WeftError that names the far side. */
export function toWeftError(thrown: unknown, where: string): WeftError {
  if (thrown instanceof WeftError) return thrown;
  if (thrown instanceof A2AError) return fromA2AError(thrown, where);
  const known = connectionCode(thrown);
  if (known) return new WeftError(known[0], `${where}: ${known[1]}.`, { cause: thrown });
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (cause instanceof A2AError) return fromA2AError(cause, where);
  const isAbort = thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "TimeoutError");
  if (isAbort) return WeftError.from(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new WeftError("protocol_error", `${where}: ${text}`, { cause: thrown });
}

function fromA2AError(error: A2AError, where: string): WeftError {
  const code = codeOfWireError(error);
  const details = (error.cause as { details?: unknown } | undefined)?.details;
  const text = typeof details === "string" && details !== "" ? details : error.message;
  return new WeftError(code, `${where}: ${text}`, { cause: error, details: { reason: error.reason } });
}

/** undici wraps what the socket said; several addresses make an AggregateError. */
function connectionCode(thrown: unknown): readonly [WeftErrorCode, string] | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 4; depth++) {
    const { code, errors } = error as Error & { code?: unknown; errors?: unknown };
    if (typeof code === "string" && Object.hasOwn(codesOfConnections, code)) return codesOfConnections[code];
    error = Array.isArray(errors) && errors.length > 0 ? (errors[0] as unknown) : error.cause;
  }
  return undefined;
}
