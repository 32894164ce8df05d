/** `traceparent` of W3C Trace Context Level 2, https://www.w3.org/TR/trace-context-2/#traceparent-header */
import type { SpanContext } from "@opentelemetry/api";

const version00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** A later version may append fields after another dash; the four we know are read. */
const laterVersion = /^(?!ff|00)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

/** The flags that Level 2 defines: sampled and random trace id. Others are not passed on. */
export const sampledFlag = 0x01;
export const randomFlag = 0x02;
const knownFlags = sampledFlag | randomFlag;

/** Undefined for anything that the recommendation says to ignore. Surrounding blanks are HTTP's, not the value's. */
export function parseTraceParent(header: string): SpanContext | undefined {
  const value = trimBlanks(header);
  const match = version00.exec(value) ?? laterVersion.exec(value);
  if (match === null) return undefined;
  const [, traceId = "", spanId = "", flags = "00"] = match;
  if (traceId === zeroTraceId || spanId === zeroSpanId) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & knownFlags, isRemote: true };
}

export function formatTraceParent(context: SpanContext): string {
  const flags = (context.traceFlags & knownFlags).toString(16).padStart(2, "0");
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}

/** Optional white space of HTTP: blanks and tabs only. */
export function trimBlanks(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}
