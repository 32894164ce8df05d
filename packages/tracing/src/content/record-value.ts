import type { Span } from "@opentelemetry/api";
import { boundedJson, cutToBytes } from "./bounded-json.ts";
import { contentSettings } from "./content-settings.ts";
import { contentRoom, countCut, setContent } from "./span-content.ts";

/** Any value as the JSON text of attribute `key`, under the content policy and within the budget. */
export function recordValue(span: Span, key: string, value: unknown): void {
  if (value === undefined || contentSettings().policy === "none" || !span.isRecording()) return;
  const json = boundedJson(value, contentRoom(span, key));
  setContent(span, key, json.text);
  countCut(span, json.cutBytes, json.cutItems);
}

/** A text as it is, or any other value as JSON: for attributes that hold what a tool or a person said. */
export function recordText(span: Span, key: string, value: unknown): void {
  if (typeof value !== "string") return recordValue(span, key, value);
  if (contentSettings().policy === "none" || !span.isRecording()) return;
  const kept = cutToBytes(value, Math.max(0, contentRoom(span, key)));
  setContent(span, key, kept);
  if (kept.length < value.length) countCut(span, Buffer.byteLength(value) - Buffer.byteLength(kept), 0);
}
