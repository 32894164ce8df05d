import type { OtlpAnyValue, OtlpKeyValue, OtlpSpan, OtlpTraces } from "../../src/http.ts";
import type { CapturedSpan } from "../../src/internal.ts";

/** Captured spans as the collector gives a trace back: OTLP JSON, one resource a service. */
export function toOtlp(
  services: readonly {
    readonly service: string;
    readonly policy?: string;
    readonly spans: readonly CapturedSpan[];
  }[],
): OtlpTraces {
  return {
    resourceSpans: services.map(({ service, policy, spans }) => ({
      resource: {
        attributes: pairs({
          "service.name": service,
          ...(policy === undefined ? {} : { "weft.content.policy": policy }),
        }),
      },
      scopeSpans: [{ spans: spans.map(toSpan) }],
    })),
  };
}

function toSpan(span: CapturedSpan): OtlpSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: nanos(span.startTime),
    endTimeUnixNano: nanos(span.endTime),
    attributes: pairs(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      timeUnixNano: nanos(time),
      attributes: pairs(attributes),
    })),
    status: span.status,
  };
}

function nanos(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1e3)) * 1000n);
}

function pairs(record: Readonly<Record<string, unknown>>): OtlpKeyValue[] {
  return Object.entries(record).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: unknown): OtlpAnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toValue) } };
  return typeof value === "object" && value !== null
    ? { kvlistValue: { values: pairs(value as Record<string, unknown>) } }
    : {};
}
