import { WeftError } from "@weft/tracing";

/** The error of a worker whose task another took over, or that gave it away. What it still does counts for nothing. */
export function fencedError(message: string): WeftError {
  return new WeftError("unavailable", message, { retryable: true, details: { isFenced: true } });
}

export function isFenced(error: unknown): boolean {
  return error instanceof WeftError && error.details?.["isFenced"] === true;
}
