import { SpanStatusCode } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { recordValue } from "../content/record-value.ts";
import { Attr, Outcomes } from "../vocabulary.ts";
import type { Outcome } from "../vocabulary.ts";
import type { TokenUsage } from "./weft-span.ts";

/** What a `WeftSpan` adds to OpenTelemetry's span, written for any span of the api. */

export function setInputs(span: Span, inputs: unknown): void {
  recordValue(span, Attr.inputs, inputs);
}

export function setOutputs(span: Span, outputs: unknown): void {
  recordValue(span, Attr.outputs, outputs);
}

export function setTokenUsage(span: Span, usage: TokenUsage): void {
  setNumber(span, Attr.usageInputTokens, usage.inputTokens);
  setNumber(span, Attr.usageOutputTokens, usage.outputTokens);
  setNumber(span, Attr.usageCacheReadTokens, usage.cacheReadTokens);
  setNumber(span, Attr.usageCacheWriteTokens, usage.cacheWriteTokens);
  setNumber(span, Attr.usageReasoningTokens, usage.reasoningTokens);
}

export function setOutcome(span: Span, outcome: Outcome): void {
  span.setAttribute(Attr.outcome, outcome);
  if (outcome === Outcomes.lost) span.setStatus({ code: SpanStatusCode.ERROR });
}

function setNumber(span: Span, key: string, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value)) span.setAttribute(key, value);
}
