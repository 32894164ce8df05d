import type { OtlpAnyValue, OtlpKeyValue } from "@weft/tracing/http";

export type Value = string | number | boolean | readonly string[];

/** Attributes as OTLP's JSON has them. */
export function toKeyValues(record: Readonly<Record<string, Value>>): readonly OtlpKeyValue[] {
  return Object.entries(record).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: Value): OtlpAnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((item) => ({ stringValue: item })) } };
}
