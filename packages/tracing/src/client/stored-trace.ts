import type { OtlpAnyValue, OtlpKeyValue, OtlpSpan, OtlpTraces, TraceState } from "../http.ts";
import { Attr, Outcomes, tagPrefix } from "../vocabulary.ts";

export interface TraceInfo {
  readonly traceId: string;
  readonly state: TraceState;
  /** ISO 8601 in UTC. */
  readonly startTime: string;
  readonly durationMs: number;
  readonly tokenUsage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly totalTokens: number;
  };
  /** USD; null when no span says what it cost. */
  readonly cost: number | null;
  readonly tags: Readonly<Record<string, string>>;
  /** As `updateCurrentTrace` set it, else the root's inputs: its last message's text, a text, or JSON; at most 1,000 characters. */
  readonly requestPreview?: string | undefined;
  /** The same of the outputs. */
  readonly responsePreview?: string | undefined;
  /** Comes with the collector's assessments. */
  readonly assessments: readonly unknown[];
}

export interface StoredSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string | undefined;
  readonly name: string;
  readonly spanType?: string | undefined;
  readonly service?: string | undefined;
  /** ISO 8601 in UTC. */
  readonly startTime: string;
  readonly durationMs: number;
  readonly status: "UNSET" | "OK" | "ERROR";
  readonly statusMessage?: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
}

export interface StoredTrace {
  readonly info: TraceInfo;
  readonly data: { readonly spans: readonly StoredSpan[] };
}

const statuses = ["UNSET", "OK", "ERROR"] as const;

/** A trace as users read it, from the OTLP JSON that the collector keeps. Spans by their start. */
export function toStoredTrace(traceId: string, otlp: OtlpTraces): StoredTrace {
  const timed = otlp.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = toRecord(resource?.attributes)[Attr.serviceName];
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ span, service })));
  });
  timed.sort((a, b) => compare(BigInt(a.span.startTimeUnixNano), BigInt(b.span.startTimeUnixNano)));
  const spans = timed.map(({ span, service }) =>
    toStoredSpan(span, typeof service === "string" ? service : undefined),
  );
  const durationMs = durationOf(timed.map(({ span }) => span));
  return { info: toInfo(traceId, spans, durationMs), data: { spans } };
}

/** From the first start to the last end. */
function durationOf(spans: readonly OtlpSpan[]): number {
  const [first] = spans;
  if (first === undefined) return 0;
  const start = BigInt(first.startTimeUnixNano);
  return Math.max(0, ...spans.map((span) => Number(BigInt(span.endTimeUnixNano) - start) / 1e6));
}

function toInfo(traceId: string, spans: readonly StoredSpan[], durationMs: number): TraceInfo {
  const root = spans.find((span) => span.parentId === undefined) ?? spans[0];
  const calls = spans.filter(({ attributes }) => typeof attributes[Attr.usageInputTokens] === "number");
  const inputTokens = sum(calls, Attr.usageInputTokens);
  const outputTokens = sum(calls, Attr.usageOutputTokens);
  const priced = spans.some(({ attributes }) => typeof attributes[Attr.cost] === "number");
  return {
    traceId,
    state: stateOf(root),
    startTime: spans[0]?.startTime ?? new Date(0).toISOString(),
    durationMs,
    tokenUsage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    cost: priced ? sum(spans, Attr.cost) : null,
    tags: tagsOf(spans),
    requestPreview: lastText(spans, Attr.requestPreview) ?? previewOf(root?.inputs),
    responsePreview: lastText(spans, Attr.responsePreview) ?? previewOf(root?.outputs),
    assessments: [],
  };
}

function stateOf(root: StoredSpan | undefined): TraceState {
  switch (root?.attributes[Attr.outcome]) {
    case Outcomes.cancelled:
      return "CANCELLED";
    case Outcomes.suspended:
      return "SUSPENDED";
    case Outcomes.lost:
      return "LOST";
    default:
      return root?.status === "ERROR" ? "ERROR" : "OK";
  }
}

function tagsOf(spans: readonly StoredSpan[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { attributes } of spans) {
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith(tagPrefix)) tags[key.slice(tagPrefix.length)] = String(value);
    }
  }
  return tags;
}

function lastText(spans: readonly StoredSpan[], key: string): string | undefined {
  const found = spans.findLast(({ attributes }) => typeof attributes[key] === "string");
  return found?.attributes[key] as string | undefined;
}

const previewLength = 1_000;

function previewOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === "string" ? value : (textOfMessages(value) ?? JSON.stringify(value));
  return text.length <= previewLength ? text : `${text.slice(0, previewLength - 1)}…`;
}

/** The last message's text, of messages in the GenAI schema. */
function textOfMessages(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const { parts } = (value.at(-1) ?? {}) as { readonly parts?: unknown };
  if (!Array.isArray(parts)) return undefined;
  const texts = parts.map((part: { readonly type?: unknown; readonly content?: unknown } | null) =>
    part?.type === "text" && typeof part.content === "string" ? part.content : "",
  );
  return texts.join("");
}

function sum(spans: readonly StoredSpan[], key: string): number {
  return spans.reduce((total, { attributes }) => total + (Number(attributes[key]) || 0), 0);
}

function toStoredSpan(span: OtlpSpan, service: string | undefined): StoredSpan {
  const attributes = toRecord(span.attributes);
  const spanType = attributes[Attr.spanType];
  const start = BigInt(span.startTimeUnixNano);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentSpanId === "" ? undefined : span.parentSpanId,
    name: span.name,
    spanType: typeof spanType === "string" ? spanType : undefined,
    service,
    startTime: new Date(Number(start / 1_000_000n)).toISOString(),
    durationMs: Number(BigInt(span.endTimeUnixNano) - start) / 1e6,
    status: statuses[span.status?.code ?? 0] ?? "UNSET",
    statusMessage: span.status?.message,
    attributes,
    inputs: fromJson(firstOf(attributes, inputKeys)),
    outputs: fromJson(firstOf(attributes, outputKeys)),
  };
}

/** Where what went in stands, by the kind of a span: a step's value, a model's messages, a tool's arguments. */
const inputKeys = [Attr.inputs, Attr.inputMessages, Attr.toolCallArguments];
const outputKeys = [Attr.outputs, Attr.outputMessages, Attr.toolCallResult, Attr.retrievalDocuments];

function firstOf(attributes: Readonly<Record<string, unknown>>, keys: readonly string[]): unknown {
  const key = keys.find((known) => attributes[known] !== undefined);
  return key === undefined ? undefined : attributes[key];
}

function toRecord(pairs: readonly OtlpKeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, toValue(value)]));
}

function toValue(value: OtlpAnyValue): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(toValue);
  if (value.kvlistValue !== undefined) return toRecord(value.kvlistValue.values);
  return value.stringValue ?? value.boolValue ?? value.bytesValue ?? null;
}

function fromJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
