import { INVALID_SPAN_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Context, Link, Span, SpanContext, SpanOptions, Tracer } from "@opentelemetry/api";
import { activeContext, isTracingSuppressed, runInContext } from "../context/active-context.ts";
import { contextWithSpan } from "../context/context-with-span.ts";
import { redactText } from "../content/redaction.ts";
import { inheritedAttributes } from "../context/inherited.ts";
import { randomFlag, sampledFlag } from "../context/trace-parent.ts";
import { now, toEpochMs } from "./clock.ts";
import { newSpanId, newTraceId } from "./random-ids.ts";
import { rootOpened } from "./last-trace.ts";
import { RecordingSpan } from "./recording-span.ts";
import type { Sampler } from "./samplers.ts";
import type { SpanLimits } from "./span-limits.ts";
import type { InstrumentationScope, OpenRecord, SpanRecord, SpanSink } from "./span-record.ts";
import { validSpanContext } from "./valid-span-context.ts";

/** What all tracers of one provider share. */
export interface TracerCore {
  readonly enabled: boolean;
  readonly sampler: Sampler;
  readonly limits: SpanLimits;
  readonly sink: Pick<SpanSink, "onEnd">;
  readonly onStart: ((record: SpanRecord) => void) | undefined;
}

export class WeftTracer implements Tracer {
  readonly #scope: InstrumentationScope;
  readonly #core: TracerCore;

  constructor(scope: InstrumentationScope, core: TracerCore) {
    this.#scope = scope;
    this.#core = core;
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = activeContext()): Span {
    const parent = options.root === true ? undefined : validSpanContext(context);
    if (!this.#core.enabled || isTracingSuppressed(context))
      return trace.wrapSpanContext(parent ?? INVALID_SPAN_CONTEXT);
    const traceId = parent === undefined ? newTraceId() : parent.traceId;
    const sampled = this.#core.sampler.shouldSample(traceId, parent);
    const spanContext = newSpanContext(traceId, parent, sampled);
    if (sampled && parent === undefined) rootOpened();
    if (!sampled) return trace.wrapSpanContext(spanContext);
    const record = openRecord(name, options, spanContext, parent, this.#scope);
    const parentContext = options.root === true ? trace.deleteSpan(context) : context;
    const span = new RecordingSpan(record, spanContext, parentContext, this.#core.limits, this.#core.sink);
    span.begin(options.attributes, inheritedAttributes(context));
    if (options.links !== undefined) addValidLinks(span, options.links);
    this.#core.onStart?.(record);
    return span;
  }

  startActiveSpan<F extends (span: Span) => ReturnType<F>>(
    name: string,
    second: SpanOptions | F,
    third?: Context | F,
    fourth?: F,
  ): ReturnType<F> {
    const fn = [second, third, fourth].find((argument): argument is F => typeof argument === "function");
    const options = typeof second === "function" ? {} : second;
    const context = third === undefined || typeof third === "function" ? activeContext() : third;
    const span = this.startSpan(name, options, context);
    return runInContext(contextWithSpan(context, span), () => (fn as F)(span));
  }
}

/** The random flag is kept when it was received; our own roots do not claim it. */
function newSpanContext(traceId: string, parent: SpanContext | undefined, sampled: boolean): SpanContext {
  const inherited = parent === undefined ? TraceFlags.NONE : parent.traceFlags & randomFlag;
  const traceFlags = sampled ? inherited | sampledFlag : inherited;
  const spanContext = { traceId, spanId: newSpanId(), traceFlags };
  return parent?.traceState === undefined ? spanContext : { ...spanContext, traceState: parent.traceState };
}

function openRecord(
  name: string,
  options: SpanOptions,
  spanContext: SpanContext,
  parent: SpanContext | undefined,
  scope: InstrumentationScope,
): OpenRecord {
  return {
    traceId: spanContext.traceId,
    spanId: spanContext.spanId,
    parentSpanId: parent?.spanId,
    parentIsRemote: parent?.isRemote === true,
    traceFlags: spanContext.traceFlags,
    traceState: spanContext.traceState === undefined ? "" : spanContext.traceState.serialize(),
    scope,
    kind: options.kind ?? SpanKind.INTERNAL,
    name: redactText(name),
    startTime: options.startTime === undefined ? now() : toEpochMs(options.startTime),
    endTime: 0,
    attributes: {},
    droppedAttributes: 0,
    events: none,
    droppedEvents: 0,
    links: none,
    droppedLinks: 0,
    status: unset,
  };
}

/** Most spans have neither events nor links. */
const none: readonly never[] = Object.freeze([]);
const unset = { code: SpanStatusCode.UNSET } as const;

/** A link to nowhere is worth keeping for what is said about it. https://opentelemetry.io/docs/specs/otel/trace/api/#link */
function addValidLinks(span: RecordingSpan, links: readonly Link[]): void {
  for (const link of links) {
    if (trace.isSpanContextValid(link.context) || link.attributes !== undefined) span.addLink(link);
  }
}
