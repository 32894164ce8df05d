import process from "node:process";

const said = new Set<string>();

/** To stderr, each text once per process. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  process.emitWarning(message, { type: "WeftTracingWarning", code: "WEFT_TRACING" });
}
