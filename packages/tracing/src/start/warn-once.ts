import { writeSync } from "node:fs";
import process from "node:process";

const said = new Set<string>();

/** To stderr, each text once per process. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  process.emitWarning(message, { type: "WeftTracingWarning", code: "WEFT_TRACING" });
}

/** As `warnOnce`, for the last moment of a process: an ordinary warning is printed a turn later, and there is none. */
export function warnAtExit(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  try {
    writeSync(2, `(node:${String(process.pid)}) [WEFT_TRACING] WeftTracingWarning: ${message}\n`);
  } catch {
    // Nobody listens to stderr any more.
  }
}
