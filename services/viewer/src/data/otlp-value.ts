/** OTLP's JSON values as plain ones. */
import type { OtlpAnyValue, OtlpKeyValue } from "@weft/tracing/http";

export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

export type Attributes = ReadonlyMap<string, PlainValue>;

export function toAttributes(list: readonly OtlpKeyValue[] | undefined): Attributes {
  return new Map((list ?? []).map(({ key, value }) => [key, toPlain(value)]));
}

/** Integers beyond what a number holds stay decimal strings. */
export function toPlain(value: OtlpAnyValue): PlainValue {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) {
    const number = Number(value.intValue);
    return Number.isSafeInteger(number) ? number : String(value.intValue);
  }
  if (value.doubleValue !== undefined) return value.doubleValue;
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(toPlain);
  if (value.kvlistValue !== undefined) return Object.fromEntries(toAttributes(value.kvlistValue.values));
  return value.bytesValue ?? null;
}

/** "" when it is not there or not a text. */
export function textAt(attributes: Attributes, key: string): string {
  const value = attributes.get(key);
  return typeof value === "string" ? value : "";
}

/** The texts of an array attribute, or of one that holds a JSON array; a lone text is a list of one. */
export function textsAt(attributes: Attributes, key: string): readonly string[] {
  const value = attributes.get(key);
  const list = typeof value === "string" ? (parseArray(value) ?? (value === "" ? [] : [value])) : value;
  return Array.isArray(list)
    ? list.map((item: unknown) => (typeof item === "string" ? item : JSON.stringify(item)))
    : [];
}

function parseArray(text: string): readonly unknown[] | undefined {
  if (!text.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A value on one or several lines: texts as they are, structures as JSON. */
export function showValue(value: PlainValue): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}
