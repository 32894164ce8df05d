/** JSON types of the collector's HTTP interface. Times are ISO 8601 in UTC, durations milliseconds, costs US dollars. */

export type TraceState = "RUNNING" | "SUSPENDED" | "OK" | "ERROR" | "CANCELLED" | "LOST";

/** One row of `GET /api/traces`. */
export interface TraceSummary {
  readonly traceId: string;
  readonly rootName: string;
  readonly startTime: string;
  readonly durationMs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly services: readonly string[];
  readonly agents: readonly string[];
  readonly turns: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: number | null;
  readonly state: TraceState;
}

/** `GET /api/traces?filter=&orderBy=&pageSize=&pageToken=` */
export interface TraceList {
  readonly traces: readonly TraceSummary[];
  readonly nextPageToken?: string;
}

export interface TranscriptToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

export interface TranscriptToolResponse {
  readonly toolCallId: string;
  readonly name?: string;
  readonly content: string;
  readonly isError?: boolean;
}

export interface TranscriptMessage {
  /** The message's id; empty where a foreign producer gave none. */
  readonly id: string;
  readonly role: string;
  /** The speaker; empty when the trace does not say. */
  readonly from: string;
  readonly service: string;
  readonly spanId: string;
  readonly time: string;
  /** Empty when the message has no text, and when its text is nowhere in the trace (`missing`). */
  readonly text: string;
  readonly missing?: true;
  readonly toolCalls?: readonly TranscriptToolCall[];
  readonly toolResponses?: readonly TranscriptToolResponse[];
}

/** `GET /api/traces/{id}/transcript` */
export interface Transcript {
  readonly messages: readonly TranscriptMessage[];
}

export interface BrokenHop {
  readonly spanId: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** `GET /api/traces/{id}/health` */
export interface TraceHealth {
  readonly ok: boolean;
  readonly roots: number;
  readonly orphans: number;
  readonly brokenHops: readonly BrokenHop[];
  readonly openSpans: number;
  readonly lostSpans: number;
  readonly droppedSpans: number;
}

/** `GET /api/traces/{id}/spans?ids=`: whole spans, in the order asked for; unknown ids are left out. */
export interface SpanDetails {
  readonly spans: readonly SpanDetail[];
  /** Messages that the spans' contexts name, by id, as the trace recorded them: the GenAI message schema. */
  readonly messages: Readonly<Record<string, unknown>>;
}

export interface SpanDetail {
  readonly span: OtlpSpan;
  readonly service: string;
  readonly resource: OtlpResource;
  readonly scope: OtlpScope;
  /** Ids of the messages a model was sent, in order; present on model calls whose trace says it. */
  readonly context?: readonly string[];
}

/** `GET /api/services` */
export interface ServiceList {
  readonly services: readonly { readonly name: string; readonly traces: number }[];
}

/** The answer to `DELETE /api/traces?ids=`. */
export interface DeletedTraces {
  readonly deleted: number;
}

/** A `span-end` event of `GET /api/live`. */
export interface LiveSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly service: string;
  readonly type: string;
  readonly kind: number;
  readonly startTime: string;
  readonly durationMs: number;
  readonly error: boolean;
}

/** The body of every answer that is not a success. `position`: where in a filter the fault is, from 0. */
export interface CollectorError {
  readonly error: { readonly code: string; readonly message: string; readonly position?: number };
}

/** `GET /healthz` */
export interface CollectorHealth {
  readonly weft: string;
}

/** OTLP's JSON encoding: ids are hex, 64-bit numbers are decimal strings, enums are numbers. */
export interface OtlpTraces {
  readonly resourceSpans: readonly OtlpResourceSpans[];
}

export interface OtlpResourceSpans {
  readonly resource?: OtlpResource;
  readonly scopeSpans: readonly OtlpScopeSpans[];
  readonly schemaUrl?: string;
}

export interface OtlpResource {
  readonly attributes?: readonly OtlpKeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface OtlpScope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly OtlpKeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface OtlpScopeSpans {
  readonly scope?: OtlpScope;
  readonly spans: readonly OtlpSpan[];
  readonly schemaUrl?: string;
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly flags?: number;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpKeyValue[];
  readonly droppedAttributesCount?: number;
  readonly events?: readonly OtlpEvent[];
  readonly droppedEventsCount?: number;
  readonly links?: readonly OtlpLink[];
  readonly droppedLinksCount?: number;
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface OtlpEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes?: readonly OtlpKeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly attributes?: readonly OtlpKeyValue[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
}

export interface OtlpKeyValue {
  readonly key: string;
  readonly value: OtlpAnyValue;
}

/** Exactly one of the members is present. */
export interface OtlpAnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number | "NaN" | "Infinity" | "-Infinity";
  readonly arrayValue?: { readonly values?: readonly OtlpAnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly OtlpKeyValue[] };
  /** base64 */
  readonly bytesValue?: string;
}
