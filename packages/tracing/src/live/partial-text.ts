/**
 * Job: text that a running span makes, for whoever watches, before the span ends.
 * Owns: who takes it: the live channel, while there is one.
 * I1. Under `none` no text passes; neither does it where a redactor is set, which needs the whole text to judge it.
 */
import type { Span } from "@opentelemetry/api";
import { contentSettings } from "../content/content-settings.ts";

export interface PartialTextTaker {
  take(traceId: string, spanId: string, text: string): void;
}

let taker: PartialTextTaker | undefined;

export function setPartialTextTaker(value: PartialTextTaker | undefined): void {
  taker = value;
}

/** `text`: what came since the last call. */
export function notePartialText(span: Span, text: string): void {
  if (taker === undefined || text === "" || !span.isRecording()) return;
  const { policy, redact } = contentSettings();
  if (policy === "none" || redact.length > 0) return;
  const { traceId, spanId } = span.spanContext();
  taker.take(traceId, spanId, text);
}
