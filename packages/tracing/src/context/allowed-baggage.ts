/**
 * Job: W3C Baggage over the wire, by allow-list only.
 * Owns: the list of allowed keys of this process (default: none).
 * I1. A key that is not on the list is neither written nor read.
 */
import { baggageEntryMetadataFromString, propagation } from "@opentelemetry/api";
import type { BaggageEntry, Context } from "@opentelemetry/api";
import { trimBlanks } from "./trace-parent.ts";

const maxBytes = 8192;
const keyPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
let allowed: ReadonlySet<string> = new Set();

export function allowBaggage(keys: readonly string[]): void {
  allowed = new Set(keys);
}

export function formatBaggage(context: Context): string | undefined {
  if (allowed.size === 0) return undefined;
  const baggage = propagation.getBaggage(context);
  if (baggage === undefined) return undefined;
  let header = "";
  for (const [key, entry] of baggage.getAllEntries()) {
    if (!allowed.has(key) || !keyPattern.test(key)) continue;
    const metadata = entry.metadata === undefined ? "" : `;${entry.metadata.toString()}`;
    const member = `${key}=${encodeURIComponent(entry.value)}${metadata}`;
    if (header.length + member.length + 1 > maxBytes) break;
    header = header === "" ? member : `${header},${member}`;
  }
  return header === "" ? undefined : header;
}

export function withBaggageFrom(context: Context, header: string): Context {
  if (allowed.size === 0 || header.length > maxBytes) return context;
  const entries: Record<string, BaggageEntry> = {};
  for (const part of header.split(",")) {
    const [pair = "", ...properties] = part.split(";");
    const split = pair.indexOf("=");
    const key = trimBlanks(pair.slice(0, Math.max(split, 0)));
    const value = split < 1 ? undefined : decode(trimBlanks(pair.slice(split + 1)));
    if (value === undefined || !allowed.has(key)) continue;
    entries[key] =
      properties.length === 0
        ? { value }
        : { value, metadata: baggageEntryMetadataFromString(properties.join(";")) };
  }
  return Object.keys(entries).length === 0
    ? context
    : propagation.setBaggage(context, propagation.createBaggage(entries));
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
