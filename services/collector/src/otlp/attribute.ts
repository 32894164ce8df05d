import type { OtlpAnyValue, OtlpKeyValue } from "@weft/tracing/http";

/** An attribute's value as plain data: scalars and arrays of them; undefined for what is neither. */
export function plainValue(value: OtlpAnyValue | undefined): unknown {
  if (value === undefined) return undefined;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  return undefined;
}

export function attribute(attributes: readonly OtlpKeyValue[] | undefined, key: string): unknown {
  return plainValue(attributes?.find((entry) => entry.key === key)?.value);
}

/** The strings of a string or an array; [] for anything else. */
export function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
