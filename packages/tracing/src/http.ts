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
  /** Text that a running span made so far. */
  readonly text?: string;
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

/** A `span-end` event of `GET /api/live`; a `span-start` event has the same form, with `durationMs` 0. */
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

/** The body of `POST /api/live`: what runs in one process. A report without starts and texts is a heartbeat. */
export interface LiveReport {
  /** `service.instance.id` of its resource. */
  readonly instance: string;
  readonly service: string;
  /** The process's clock, epoch milliseconds. */
  readonly clock: number;
  /** Spans that ended in it so far. */
  readonly ended: number;
  /** Of these, spans that did not get out. */
  readonly dropped: number;
  /** Spans that are open, `endTimeUnixNano` "0". */
  readonly starts?: OtlpTraces;
  readonly texts?: readonly LiveText[];
  /** Instances whose spools were taken over: what they had open is lost. */
  readonly adopted?: readonly string[];
  /** The process ends in order and will not be heard again. */
  readonly goodbye?: true;
}

/** Text that a running span made so far; `at`: characters that were sent before. */
export interface LiveText {
  readonly traceId: string;
  readonly spanId: string;
  readonly at: number;
  readonly text: string;
}

/** The answer to `POST /api/live`. Another epoch than before: the collector was started anew and knows no starts. */
export interface LiveAnswer {
  readonly epoch: string;
}

/** `GET /api/instances`: processes that report, or reported until they were silent. */
export interface InstanceList {
  readonly instances: readonly LiveInstance[];
}

export interface LiveInstance {
  readonly instance: string;
  readonly service: string;
  readonly state: "RUNNING" | "LOST" | "ENDED";
  readonly lastSeen: string;
  /** As of its last report. */
  readonly spansEnded: number;
  readonly spansStored: number;
  readonly spansDropped: number;
  /** Of a process that is lost: what ended by its last report and is not stored. 0 while it runs. */
  readonly spansLost: number;
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
