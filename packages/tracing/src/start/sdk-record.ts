/**
 * A span of OpenTelemetry's SDK, 1.x to 3.x, as a record. It reads the span when it is asked, so that a running one is shown as it is.
 */
import { SpanStatusCode } from "@opentelemetry/api";
import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from "@opentelemetry/api";
import type { EventRecord, InstrumentationScope, LinkRecord, SpanRecord } from "../spans/span-record.ts";

/** The SDK's ReadableSpan, as far as it is read here: the package itself is not needed. */
export interface SdkSpan {
  readonly name: string;
  readonly kind: SpanKind;
  spanContext(): SpanContext;
  readonly parentSpanContext?: SpanContext | undefined;
  /** 1.x. */
  readonly parentSpanId?: string | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly ended: boolean;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: readonly (Link & { readonly droppedAttributesCount?: number })[];
  readonly events: readonly SdkEvent[];
  readonly resource: SdkResource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

export interface SdkEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface SdkResource {
  readonly attributes: Attributes;
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

const none = { code: SpanStatusCode.UNSET } as const;

export class SdkRecord implements SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly parentIsRemote: boolean;
  readonly traceFlags: number;
  readonly traceState: string;
  readonly scope: InstrumentationScope;
  readonly kind: SpanKind;
  readonly startTime: number;
  readonly #span: SdkSpan;

  constructor(span: SdkSpan) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    this.#span = span;
    this.traceId = traceId;
    this.spanId = spanId;
    this.traceFlags = traceFlags;
    this.traceState = traceState?.serialize() ?? "";
    this.parentSpanId = span.parentSpanContext?.spanId ?? span.parentSpanId;
    this.parentIsRemote = span.parentSpanContext?.isRemote === true;
    this.scope = span.instrumentationScope;
    this.kind = span.kind;
    this.startTime = toMs(span.startTime);
  }

  get name(): string {
    return this.#span.name;
  }

  get endTime(): number {
    return this.#span.ended ? Math.max(toMs(this.#span.endTime), this.startTime) : 0;
  }

  get attributes(): Attributes {
    return this.#span.attributes;
  }

  get status(): SpanStatus {
    return this.#span.status ?? none;
  }

  get events(): readonly EventRecord[] {
    return this.#span.events.map(({ name, time, attributes, droppedAttributesCount }) => ({
      name,
      time: toMs(time),
      attributes: attributes ?? {},
      droppedAttributes: droppedAttributesCount ?? 0,
    }));
  }

  get links(): readonly LinkRecord[] {
    return this.#span.links.map(({ context, attributes, droppedAttributesCount }) => ({
      context,
      attributes: attributes ?? {},
      droppedAttributes: droppedAttributesCount ?? 0,
    }));
  }

  get droppedAttributes(): number {
    return this.#span.droppedAttributesCount;
  }

  get droppedEvents(): number {
    return this.#span.droppedEventsCount;
  }

  get droppedLinks(): number {
    return this.#span.droppedLinksCount;
  }
}

function toMs([seconds, nanoseconds]: HrTime): number {
  return seconds * 1e3 + nanoseconds / 1e6;
}
