import type { SpanContext, TraceState } from "@opentelemetry/api";

/** A span of another process, as its strings name it. They were looked at when this was made, so it is valid. */
export class RemoteSpanContext implements SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote = true;
  readonly traceState?: TraceState;

  constructor(traceId: string, spanId: string, traceFlags: number, traceState?: TraceState) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.traceFlags = traceFlags;
    if (traceState !== undefined) this.traceState = traceState;
  }
}
