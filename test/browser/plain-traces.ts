import { randomBytes } from "node:crypto";
import type { OtlpSpan, OtlpTraces } from "@weft/tracing/http";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";
import { toKeyValues } from "./otlp-json.ts";

const internal = 1;

/** Many small traces, one second apart, the newest starting `startMs`. */
export function plainTraces(count: number, startMs = Date.now()): OtlpTraces {
  const spans = Array.from({ length: count }, (_, index): OtlpSpan => {
    const start = BigInt(Math.round(startMs - index * 1_000)) * 1_000_000n;
    return {
      traceId: randomBytes(16).toString("hex"),
      spanId: randomBytes(8).toString("hex"),
      name: `conversation ${index}`,
      kind: internal,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + 250_000_000n),
      attributes: toKeyValues({ [Attr.spanType]: SpanTypes.conversation }),
    };
  });
  return {
    resourceSpans: [
      { resource: { attributes: toKeyValues({ [Attr.serviceName]: "plain" }) }, scopeSpans: [{ spans }] },
    ],
  };
}

/** One trace of `count` spans, ten below each but the last. */
export function largeTrace(count: number): { readonly traceId: string; readonly body: OtlpTraces } {
  const traceId = randomBytes(16).toString("hex");
  const start = BigInt(Date.now() - 60_000) * 1_000_000n;
  const idOf = (index: number): string => (index + 1).toString(16).padStart(16, "0");
  const spans = Array.from({ length: count }, (_, index): OtlpSpan => ({
    traceId,
    spanId: idOf(index),
    ...(index === 0 ? {} : { parentSpanId: idOf(Math.floor((index - 1) / 10)) }),
    name: `step ${index}`,
    kind: internal,
    startTimeUnixNano: String(start + BigInt(index) * 1_000_000n),
    endTimeUnixNano: String(start + BigInt(index) * 1_000_000n + 5_000_000n),
    attributes: toKeyValues({ [Attr.spanType]: SpanTypes.tool }),
  }));
  return {
    traceId,
    body: {
      resourceSpans: [
        { resource: { attributes: toKeyValues({ [Attr.serviceName]: "large" }) }, scopeSpans: [{ spans }] },
      ],
    },
  };
}
