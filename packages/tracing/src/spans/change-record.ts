import type { SpanRecord } from "./span-record.ts";

/** A copy with changes. Not a spread: a record may read another SDK's span when it is asked. */
export function changeRecord(record: SpanRecord, change: Partial<SpanRecord>): SpanRecord {
  return {
    traceId: record.traceId,
    spanId: record.spanId,
    parentSpanId: record.parentSpanId,
    parentIsRemote: record.parentIsRemote,
    traceFlags: record.traceFlags,
    traceState: record.traceState,
    scope: record.scope,
    kind: record.kind,
    name: record.name,
    startTime: record.startTime,
    endTime: record.endTime,
    attributes: record.attributes,
    droppedAttributes: record.droppedAttributes,
    events: record.events,
    droppedEvents: record.droppedEvents,
    links: record.links,
    droppedLinks: record.droppedLinks,
    status: record.status,
    ...change,
  };
}
