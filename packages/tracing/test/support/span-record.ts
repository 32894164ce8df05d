import { SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { SpanRecord } from "../../src/spans/span-record.ts";

const scope = { name: "test", version: "1" };
let made = 0;

/** An ended span; ids count up. */
export function spanRecord(change: Partial<SpanRecord> = {}): SpanRecord {
  made += 1;
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: made.toString(16).padStart(16, "0"),
    parentSpanId: undefined,
    parentIsRemote: false,
    traceFlags: TraceFlags.SAMPLED,
    traceState: "",
    scope,
    kind: SpanKind.INTERNAL,
    name: `span ${made}`,
    startTime: 1_795_311_934_547,
    endTime: 1_795_311_934_548,
    attributes: {},
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: SpanStatusCode.UNSET },
    ...change,
  };
}
