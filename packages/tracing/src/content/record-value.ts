import type { Span } from "@opentelemetry/api";
import { boundedJson } from "./bounded-json.ts";
import { contentSettings } from "./content-settings.ts";
import { bytesAfter, cutToBytes } from "./cut-text.ts";
import { redactStart, redactText, redactionCount } from "./redaction.ts";
import { contentRoom, countCut, countRedacted, setContent } from "./span-content.ts";
import { storeBody } from "./store-body.ts";

/** Any value as the JSON text of attribute `key`, under the content policy and within the budget. */
export function recordValue(span: Span, key: string, value: unknown): void {
  if (value === undefined || contentSettings().policy === "none" || !span.isRecording()) return;
  const before = redactionCount();
  const bounded = boundedJson(value, contentRoom(span, key), key);
  setContent(span, key, bounded.json, bounded.bytes);
  countRedacted(span, redactionCount() - before);
  if (bounded.cutBytes === 0 && bounded.cutItems === 0) return;
  countCut(span, bounded.cutBytes, bounded.cutItems);
  storeBody(span, key, () => String(boundedJson(value, Number.POSITIVE_INFINITY, key).json));
}

/** A text as it is, or any other value as JSON: for attributes that hold what a tool or a person said. */
export function recordText(span: Span, key: string, value: unknown): void {
  if (typeof value !== "string") return recordValue(span, key, value);
  if (contentSettings().policy === "none" || !span.isRecording()) return;
  const room = Math.max(0, contentRoom(span, key));
  const before = redactionCount();
  const text = redactStart(value, room, key);
  const kept = cutToBytes(text, room);
  setContent(span, key, kept, Buffer.byteLength(kept));
  countRedacted(span, redactionCount() - before);
  if (kept.length === text.length) return;
  countCut(span, bytesAfter(value, kept.length), 0);
  storeBody(span, key, () => redactText(value, key));
}
