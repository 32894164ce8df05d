import type { Attributes } from "@opentelemetry/api";

/** What a record keeps of a value. */
export type StoredValue = string | number | boolean | readonly (string | number | boolean | null)[];

/** https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits */
export interface SpanLimits {
  readonly attributeCount: number;
  /** Characters of a string value, or of each string of an array. */
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

/** The value as it is kept, or undefined when it is none that OpenTelemetry allows. Arrays are copied: callers change theirs. */
export function acceptValue(value: unknown, limits: SpanLimits): StoredValue | undefined {
  if (typeof value === "string") return cutText(value, limits);
  if (typeof value === "number" || typeof value === "boolean") return value;
  return Array.isArray(value) ? acceptArray(value, limits) : undefined;
}

function cutText(text: string, limits: SpanLimits): string {
  return text.length > limits.attributeValueLength ? text.slice(0, limits.attributeValueLength) : text;
}

/** One type throughout; gaps are null. */
function acceptArray(values: readonly unknown[], limits: SpanLimits): StoredValue | undefined {
  const kept: (string | number | boolean | null)[] = [];
  let type: string | undefined;
  for (const value of values) {
    if (value === null || value === undefined) {
      kept.push(null);
      continue;
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      return undefined;
    type ??= typeof value;
    if (typeof value !== type) return undefined;
    kept.push(typeof value === "string" ? cutText(value, limits) : value);
  }
  return kept;
}

/** A copy within the limits, and how many did not make it. */
export function acceptAttributes(
  attributes: Attributes | undefined,
  count: number,
  limits: SpanLimits,
): { readonly attributes: Attributes; readonly dropped: number } {
  const kept: Attributes = {};
  let size = 0;
  let dropped = 0;
  for (const key in attributes) {
    const value = acceptValue(attributes[key], limits);
    if (value === undefined || key === "") continue;
    if (size >= count) {
      dropped += 1;
      continue;
    }
    kept[key] = value;
    size += 1;
  }
  return { attributes: kept, dropped };
}
