/**
 * Job: the time of every start, end and event.
 * Owns: the anchor of the monotonic clock to wall time, taken once when the process began.
 * I1. Times never run backwards, whatever happens to the system's clock.
 * Times are milliseconds since the epoch as a double: a resolution of 0.25 microseconds.
 */
import type { TimeInput } from "@opentelemetry/api";

const origin = performance.timeOrigin;

export function now(): number {
  return origin + performance.now();
}

/** A process runs for less than three years, and no span is from before 1973. */
const longestUptime = 1e11;

/** A caller's own time. A number is epoch milliseconds, or `performance.now()` where it is too small for that. */
export function toEpochMs(time: TimeInput): number {
  if (typeof time === "number") return time < longestUptime ? origin + time : time;
  if (time instanceof Date) return time.getTime();
  return time[0] * 1e3 + time[1] / 1e6;
}
