import type { Attributes, SpanContext, SpanKind, SpanStatus } from "@opentelemetry/api";

export interface EventRecord {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
}

export interface LinkRecord {
  readonly context: SpanContext;
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
}

/** All that leaves the process of a span: plain data, no reference to contexts or to other spans. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly parentIsRemote: boolean;
  readonly traceFlags: number;
  /** As it goes over the wire; "" when there is none. */
  readonly traceState: string;
  readonly scope: InstrumentationScope;
  readonly kind: SpanKind;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** Milliseconds since the epoch; 0 while the span runs. */
  readonly endTime: number;
  /** A text that is not made yet stands here as a `DeferredText`. */
  readonly attributes: Attributes;
  readonly droppedAttributes: number;
  readonly events: readonly EventRecord[];
  readonly droppedEvents: number;
  readonly links: readonly LinkRecord[];
  readonly droppedLinks: number;
  readonly status: SpanStatus;
}

/** Takes ended spans, and started ones if it wants to. Must not throw and must not block. */
export interface SpanSink {
  onEnd(record: SpanRecord): void;
  /** Takes started spans: the record goes on changing until its end. */
  readonly onStart?: ((record: SpanRecord) => void) | undefined;
}

/** The record while its span is open. */
export type OpenRecord = { -readonly [K in keyof SpanRecord]: SpanRecord[K] };
