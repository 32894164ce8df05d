import type { Attributes } from "@opentelemetry/api";
import { DeferredText } from "../content/deferred-text.ts";
import { needsRedaction, redactAttribute, redactText } from "../content/redaction.ts";

/** What a record keeps of a value: OpenTelemetry's AnyValue, copied. https://opentelemetry.io/docs/specs/otel/common/#anyvalue */
export type StoredValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly StoredValue[]
  | { readonly [key: string]: StoredValue };

/** https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits */
export interface SpanLimits {
  readonly attributeCount: number;
  /** Characters of a string value, or of each string inside a value; bytes of a byte array. */
  readonly attributeValueLength: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributesPerEvent: number;
  readonly attributesPerLink: number;
}

export const defaultLimits: SpanLimits = {
  attributeCount: 128,
  attributeValueLength: Number.POSITIVE_INFINITY,
  eventCount: 128,
  linkCount: 128,
  attributesPerEvent: 128,
  attributesPerLink: 128,
};

/** The value as it is kept, or undefined when it is none that OpenTelemetry allows. What is not plain is copied: callers change theirs. */
export function acceptValue(value: unknown, limits: SpanLimits): StoredValue | undefined {
  if (typeof value === "string") return cutText(value, limits);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return typeof value === "object" ? acceptObject(value, limits, []) : undefined;
}

/** How many there are, where each can be kept just as it is; else 0. */
export function countPlain(attributes: Attributes, limits: SpanLimits): number {
  if (limits.attributeValueLength !== Number.POSITIVE_INFINITY) return 0;
  let count = 0;
  for (const key in attributes) {
    const type = typeof attributes[key];
    if (type !== "string" && type !== "number" && type !== "boolean") return 0;
    if (key === "" || needsRedaction(key)) return 0;
    count += 1;
  }
  return count <= limits.attributeCount ? count : 0;
}

function cutText(text: string, limits: SpanLimits): string {
  return text.length > limits.attributeValueLength ? text.slice(0, limits.attributeValueLength) : text;
}

/** What belongs to the span already, and a text that is made later, is kept as it is, unless its length has a limit. */
export function acceptRecorded(
  value: StoredValue | DeferredText,
  limits: SpanLimits,
): StoredValue | DeferredText | undefined {
  if (!Number.isFinite(limits.attributeValueLength)) return value;
  return value instanceof DeferredText ? cutText(value.toString(), limits) : acceptValue(value, limits);
}

/** A value is kept whole or not at all: one member that is none makes it invalid, and so does a circle. */
function acceptObject(value: object, limits: SpanLimits, above: readonly object[]): StoredValue | undefined {
  if (value instanceof Uint8Array) return value.slice(0, limits.attributeValueLength);
  if (above.includes(value)) return undefined;
  const path = [...above, value];
  if (Array.isArray(value)) return acceptArray(value, limits, path);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? acceptMap(value, limits, path) : undefined;
}

function acceptInner(value: unknown, limits: SpanLimits, path: readonly object[]): StoredValue | undefined {
  return typeof value === "object" && value !== null
    ? acceptObject(value, limits, path)
    : acceptValue(value, limits);
}

/** Gaps are null. */
function acceptArray(
  values: readonly unknown[],
  limits: SpanLimits,
  path: readonly object[],
): StoredValue | undefined {
  const kept: StoredValue[] = [];
  for (const value of values) {
    const inner = value === undefined ? null : acceptInner(value, limits, path);
    if (inner === undefined) return undefined;
    kept.push(inner);
  }
  return kept;
}

function acceptMap(map: object, limits: SpanLimits, path: readonly object[]): StoredValue | undefined {
  const kept: Record<string, StoredValue> = {};
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue;
    const inner = acceptInner(value, limits, path);
    if (inner === undefined) return undefined;
    kept[key] = inner;
  }
  return kept;
}

/** `value` after redaction, its inner texts by the names they stand under. What is no text is as it was. */
export function redactValue(key: string, value: unknown, above: readonly object[] = []): unknown {
  if (typeof value === "string") return redactAttribute(key, value);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (above.includes(value)) return value;
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(key, item, path));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [redactText(name), redactValue(name, inner, path)]),
  );
}

/** A copy within the limits, and how many did not make it. */
export function acceptAttributes(
  attributes: Attributes | undefined,
  count: number,
  limits: SpanLimits,
): { readonly attributes: Attributes; readonly dropped: number } {
  const kept: Record<string, StoredValue> = {};
  let size = 0;
  let dropped = 0;
  for (const key in attributes) {
    const value: unknown = attributes[key];
    if (value === undefined) continue;
    const stored =
      key === "" || size >= count
        ? undefined
        : acceptValue(needsRedaction(key) ? redactValue(key, value) : value, limits);
    if (stored === undefined) {
      dropped += 1;
      continue;
    }
    kept[key] = stored;
    size += 1;
  }
  return { attributes: kept, dropped };
}
