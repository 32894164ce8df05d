import type { InstrumentationScope, SpanRecord } from "../spans/span-record.ts";
import type { ProtoBuffer } from "./proto-buffer.ts";

/** A span in protobuf: in one piece, and a tenth of its record in memory. */
export interface EncodedSpan {
  readonly traceId: string;
  readonly scope: InstrumentationScope;
  /** Where it stands, as field 2 of a ScopeSpans: with its neighbours on the page it is sent as one piece. */
  readonly page: ProtoBuffer;
  readonly from: number;
  readonly to: number;
  /** Ids of the texts that count as recorded because of it. */
  readonly recorded: readonly string[];
}

/** A span that waits to be sent. */
export type QueuedSpan = SpanRecord | EncodedSpan;

export function isEncoded(span: QueuedSpan): span is EncodedSpan {
  return "page" in span;
}
