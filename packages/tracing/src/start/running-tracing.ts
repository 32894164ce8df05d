/**
 * Job: what startTracing started, for the calls that act on it.
 * Owns: that one reference.
 */
import type { WeftTracerProvider } from "../spans/weft-tracer-provider.ts";
import type { Destination } from "./destinations.ts";
import type { Tracing } from "./tracing-options.ts";

export interface RunningTracing {
  readonly tracing: Tracing;
  readonly provider: WeftTracerProvider;
  readonly collector: Destination | undefined;
}

let running: RunningTracing | undefined;

export function runningTracing(): RunningTracing | undefined {
  return running;
}

export function setRunningTracing(value: RunningTracing | undefined): void {
  running = value;
}
