/** Builds OTLP/JSON requests for tests: short ids, attributes as a plain record. */
import type { OtlpAnyValue, OtlpKeyValue, OtlpTraces } from "@weft/tracing/http";

export type Value = string | number | boolean | readonly string[];

export interface SpanInput {
  readonly id: number;
  readonly parent?: number;
  readonly trace?: number;
  readonly name?: string;
  readonly kind?: number;
  /** Milliseconds after the base time. */
  readonly start?: number;
  readonly end?: number;
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly flags?: number;
}

export const baseMs = 1_700_000_000_000;

export function traceId(number = 1): string {
  return number.toString(16).padStart(32, "0");
}

export function spanId(number: number): string {
  return number.toString(16).padStart(16, "0");
}

export function request(spans: readonly SpanInput[], service = "desk"): OtlpTraces {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ "service.name": service }) },
        scopeSpans: [{ scope: { name: "test", version: "1" }, spans: spans.map(span) }],
      },
    ],
  };
}

/** Spans of several services in one request. */
export function requests(
  ...parts: readonly (readonly [service: string, spans: readonly SpanInput[]])[]
): OtlpTraces {
  return { resourceSpans: parts.flatMap(([service, spans]) => request(spans, service).resourceSpans) };
}

export function nanoseconds(ms: number): string {
  return String(BigInt(Math.round((baseMs + ms) * 1000)) * 1000n);
}

function span(input: SpanInput): OtlpTraces["resourceSpans"][number]["scopeSpans"][number]["spans"][number] {
  const {
    id,
    parent,
    trace = 1,
    name = `span ${String(id)}`,
    kind = 1,
    start = id,
    end = start + 10,
  } = input;
  return {
    traceId: traceId(trace),
    spanId: spanId(id),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: attributes(input.attributes ?? {}),
    ...(input.status === undefined ? {} : { status: input.status }),
    ...(input.flags === undefined ? {} : { flags: input.flags }),
  };
}

export function attributes(values: Readonly<Record<string, Value>>): readonly OtlpKeyValue[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Value): OtlpAnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((entry) => ({ stringValue: entry })) } };
}

export interface MessageInput {
  readonly id: string;
  readonly role?: string;
  readonly name?: string;
  readonly text: string;
}

/** Messages as spans record them. */
export function recorded(...messages: readonly MessageInput[]): string {
  return JSON.stringify(
    messages.map(({ id, role = "assistant", name, text }) => ({
      id,
      role,
      ...(name === undefined ? {} : { name }),
      parts: [{ type: "text", content: text }],
    })),
  );
}
