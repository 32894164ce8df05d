/** `traceparent` of W3C Trace Context Level 2, https://www.w3.org/TR/trace-context-2/#traceparent-header */
import type { SpanContext, TraceState } from "@opentelemetry/api";
import { RemoteSpanContext } from "./remote-span-context.ts";

/** A later version may append fields after another dash; the four we know are read. */
const laterVersion = /^(?!ff|00)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);
/** Of version 00. */
const length00 = 55;

/** The flags that Level 2 defines: sampled and random trace id. Others are not passed on. */
export const sampledFlag = 0x01;
export const randomFlag = 0x02;
const knownFlags = sampledFlag | randomFlag;

/** Undefined for anything that the recommendation says to ignore. Surrounding blanks are HTTP's, not the value's. */
export function parseTraceParent(header: string, traceState?: TraceState): RemoteSpanContext | undefined {
  const value = trimBlanks(header);
  if (!isVersion00(value) && !laterVersion.test(value)) return undefined;
  const traceId = value.slice(3, 35);
  const spanId = value.slice(36, 52);
  if (traceId === zeroTraceId || spanId === zeroSpanId) return undefined;
  return new RemoteSpanContext(traceId, spanId, hexDigit(value.charCodeAt(54)) & knownFlags, traceState);
}

/** Every request comes by here: looking at each character is faster than a regular expression. */
function isVersion00(value: string): boolean {
  if (value.length !== length00 || !value.startsWith("00-")) return false;
  for (let at = 3; at < length00; at += 1) {
    const code = value.charCodeAt(at);
    if (at === 35 || at === 52 ? code !== dash : !isLowerHex(code)) return false;
  }
  return true;
}

const dash = 0x2d;

function isLowerHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
}

function hexDigit(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}

export function formatTraceParent(context: SpanContext): string {
  return `00-${context.traceId}-${context.spanId}-0${context.traceFlags & knownFlags}`;
}

/** Optional white space of HTTP: blanks and tabs only. */
export function trimBlanks(value: string): string {
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1))
    ? value.replace(/^[ \t]+|[ \t]+$/g, "")
    : value;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
