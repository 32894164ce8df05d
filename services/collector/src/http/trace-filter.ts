/** The filters that lists understand: equality of service and state, joined by AND. */
import { WeftError } from "@weft/tracing";
import type { TraceFilter } from "../store/store.ts";

const states: ReadonlySet<string> = new Set(["RUNNING", "SUSPENDED", "OK", "ERROR", "CANCELLED", "LOST"]);

/** @throws WeftError `invalid_argument` that says what is understood */
export function parseFilter(text: string): TraceFilter {
  const filter: { service?: string; state?: string } = {};
  for (const part of text.split(/\s+AND\s+/i)) {
    const match = /^\s*(service\.name|trace\.status)\s*=\s*(?:'([^']*)'|"([^"]*)")\s*$/.exec(part);
    if (match === null) throw notUnderstood(part);
    const value = match[2] ?? match[3] ?? "";
    if (match[1] === "service.name") filter.service = value;
    else filter.state = parseState(value);
  }
  return filter;
}

function parseState(value: string): string {
  const state = value === "IN_PROGRESS" ? "RUNNING" : value;
  if (states.has(state)) return state;
  throw new WeftError("invalid_argument", `'${value}' is no trace.status; known: ${[...states].join(", ")}`);
}

function notUnderstood(part: string): WeftError {
  return new WeftError(
    "invalid_argument",
    `the filter "${part.trim()}" is not understood; this version knows service.name = '…' AND trace.status = '…'`,
  );
}
