import { SpanStatusCode } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { recordValue } from "../content/record-value.ts";
import { Attr, Outcomes, SpanType, SpanTypes } from "../vocabulary.ts";
import type { Outcome } from "../vocabulary.ts";
import type { TokenUsage } from "./weft-span.ts";

/** What a `WeftSpan` adds to OpenTelemetry's span, written for any span of the api. */

export function setInputs(span: Span, inputs: unknown): void {
  recordValue(span, Attr.inputs, inputs);
}

export function setOutputs(span: Span, outputs: unknown): void {
  recordValue(span, Attr.outputs, outputs);
}

/**
 * What a retrieval found, in the conventions' form, when `outputs` is a list of documents and the span says it is a retrieval. False
 * otherwise: then they are outputs like any other.
 */
export function setDocuments(span: Span, spanType: unknown, outputs: unknown): boolean {
  if (spanType !== SpanType.RETRIEVER && spanType !== SpanTypes.retrieval) return false;
  if (!Array.isArray(outputs)) return false;
  recordValue(span, Attr.retrievalDocuments, outputs.map(toDocument));
  return true;
}

/** Spellings of the field: MLflow's and LangChain's `page_content`, `pageContent`; a bare text is a document too. */
function toDocument(found: unknown): unknown {
  if (typeof found === "string") return { content: found };
  if (typeof found !== "object" || found === null) return { content: found };
  const { page_content, pageContent, content, text, ...others } = found as Record<string, unknown>;
  const body = content ?? page_content ?? pageContent ?? text;
  return body === undefined ? others : { ...others, content: body };
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
