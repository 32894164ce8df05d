import type { Attributes } from "@opentelemetry/api";
import { DeferredText } from "../content/deferred-text.ts";
import type { SpanRecord } from "../spans/span-record.ts";

/** About what a record takes in memory: exact for what is long, a guess for the rest. */
export function estimateBytes(record: SpanRecord): number {
  let bytes = 300 + record.name.length + attributeBytes(record.attributes);
  for (const event of record.events) bytes += 64 + event.name.length + attributeBytes(event.attributes);
  for (const link of record.links) bytes += 128 + attributeBytes(link.attributes);
  return bytes;
}

function attributeBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const key in attributes) {
    const value = attributes[key];
    bytes += key.length + 24;
    if (typeof value === "string") bytes += value.length;
    else if (value instanceof DeferredText) bytes += value.bytes;
    else if (Array.isArray(value)) {
      for (const item of value) bytes += 16 + (typeof item === "string" ? item.length : 0);
    }
  }
  return bytes;
}
