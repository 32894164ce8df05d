import type { InstrumentationScope, SpanRecord } from "../spans/span-record.ts";

/** A span in protobuf: in one piece, and a tenth of its record in memory. */
export interface EncodedSpan {
  readonly traceId: string;
  readonly scope: InstrumentationScope;
  /** The fields of an OTLP Span. */
  readonly fields: Uint8Array;
  /** Ids of the texts that count as recorded because of it. */
  readonly recorded: readonly string[];
}

/** A span that waits to be sent. */
export type QueuedSpan = SpanRecord | EncodedSpan;

export function isEncoded(span: QueuedSpan): span is EncodedSpan {
  return "fields" in span;
}
