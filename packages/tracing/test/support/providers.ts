import type { Attributes, SpanKind, Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { alwaysOff, parentBased, traceIdRatio } from "../../src/spans/samplers.ts";
import type { SpanRecord } from "../../src/spans/span-record.ts";
import { WeftTracerProvider } from "../../src/spans/weft-tracer-provider.ts";

/** What both keep of a span, in one shape; ids and clocks aside. */
export interface Kept {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parent: string | undefined;
  readonly scope: unknown;
  readonly attributes: unknown;
  readonly events: unknown;
  readonly links: unknown;
  readonly status: unknown;
  readonly dropped: readonly number[];
}

export interface Limits {
  readonly attributeCount?: number;
  readonly attributeValueLength?: number;
  readonly eventCount?: number;
  readonly linkCount?: number;
  readonly attributesPerEvent?: number;
  readonly attributesPerLink?: number;
}

export interface Setup {
  readonly limits?: Limits;
  readonly sampler?: "off" | "parent-off" | "half";
  readonly resource?: Attributes;
}

export interface Subject {
  readonly tracer: Tracer;
  readonly getTracer: (name: string, version?: string) => Tracer;
  /** Ended spans in the order of their ends. */
  kept(): readonly Kept[];
  /** Start and end in milliseconds since the epoch. */
  times(): readonly (readonly [number, number])[];
  resource(): Attributes;
}

export function ours({ limits = {}, sampler, resource = {} }: Setup): Subject {
  const chosen = { off: alwaysOff, "parent-off": parentBased(alwaysOff), half: traceIdRatio(0.5) };
  const provider = new WeftTracerProvider({ limits, resource, ...(sampler && { sampler: chosen[sampler] }) });
  const records: SpanRecord[] = [];
  provider.addSink({ onEnd: (record) => void records.push(record) });
  return {
    tracer: provider.getTracer("test", "1.2.3"),
    getTracer: (name, version) => provider.getTracer(name, version),
    kept: () =>
      records.map((record) => ({
        name: record.name,
        kind: record.kind,
        parent: record.parentSpanId,
        scope: [record.scope.name, record.scope.version],
        attributes: record.attributes,
        events: record.events.map(({ name, attributes }) => [name, attributes]),
        links: record.links.map(({ context, attributes }) => [context.spanId, attributes]),
        status: record.status,
        dropped: [
          record.droppedAttributes,
          record.droppedEvents,
          record.droppedLinks,
          ...[...record.events, ...record.links].map(({ droppedAttributes }) => droppedAttributes),
        ],
      })),
    times: () => records.map(({ startTime, endTime }) => [startTime, endTime] as const),
    resource: () => provider.resource,
  };
}

export function theirs({ limits = {}, sampler, resource = {} }: Setup): Subject {
  const exporter = new InMemorySpanExporter();
  const chosen = {
    off: new AlwaysOffSampler(),
    "parent-off": new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    half: new TraceIdRatioBasedSampler(0.5),
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    spanLimits: {
      ...(limits.attributeCount !== undefined && { attributeCountLimit: limits.attributeCount }),
      ...(limits.attributeValueLength !== undefined && {
        attributeValueLengthLimit: limits.attributeValueLength,
      }),
      ...(limits.eventCount !== undefined && { eventCountLimit: limits.eventCount }),
      ...(limits.linkCount !== undefined && { linkCountLimit: limits.linkCount }),
      ...(limits.attributesPerEvent !== undefined && {
        attributePerEventCountLimit: limits.attributesPerEvent,
      }),
      ...(limits.attributesPerLink !== undefined && { attributePerLinkCountLimit: limits.attributesPerLink }),
    },
    ...(sampler && { sampler: chosen[sampler] }),
  });
  const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans();
  return {
    tracer: provider.getTracer("test", "1.2.3"),
    getTracer: (name, version) => provider.getTracer(name, version),
    kept: () =>
      spans().map((span) => ({
        name: span.name,
        kind: span.kind,
        parent: span.parentSpanContext?.spanId,
        scope: [span.instrumentationScope.name, span.instrumentationScope.version],
        attributes: span.attributes,
        events: span.events.map(({ name, attributes }) => [name, attributes ?? {}]),
        links: span.links.map(({ context, attributes }) => [context.spanId, attributes ?? {}]),
        status: span.status,
        dropped: [
          span.droppedAttributesCount,
          span.droppedEventsCount,
          span.droppedLinksCount,
          ...[...span.events, ...span.links].map(({ droppedAttributesCount }) => droppedAttributesCount ?? 0),
        ],
      })),
    times: () => spans().map(({ startTime, endTime }) => [toMs(startTime), toMs(endTime)] as const),
    resource: () => spans()[0]?.resource.attributes ?? {},
  };
}

function toMs([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1e3 + nanos / 1e6;
}
