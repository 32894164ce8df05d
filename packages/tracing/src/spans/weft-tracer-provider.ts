/**
 * Job: OpenTelemetry's TracerProvider, Weft's own.
 * Owns: sampler, limits, resource, and the sinks that ended spans go to.
 * Does not own: export; a sink does that.
 * I1. Every ended span reaches every sink that was there at its end, once.
 */
import type { Attributes, Tracer, TracerOptions, TracerProvider } from "@opentelemetry/api";
import { schemaUrl as defaultSchemaUrl } from "../vocabulary.ts";
import { alwaysOn, parentBased } from "./samplers.ts";
import type { Sampler } from "./samplers.ts";
import { defaultLimits } from "./span-limits.ts";
import type { SpanLimits } from "./span-limits.ts";
import type { SpanRecord, SpanSink } from "./span-record.ts";
import { WeftTracer } from "./weft-tracer.ts";
import type { TracerCore } from "./weft-tracer.ts";

export interface TracerProviderOptions {
  readonly resource?: Attributes;
  readonly sampler?: Sampler;
  readonly limits?: Partial<SpanLimits>;
}

export class WeftTracerProvider implements TracerProvider, TracerCore {
  /** While false, spans pass on the context they are given and record nothing. */
  enabled = true;
  readonly resource: Attributes;
  readonly sampler: Sampler;
  readonly limits: SpanLimits;
  readonly sink: Pick<SpanSink, "onEnd"> = this;
  readonly #tracers = new Map<string, WeftTracer>();
  #sinks: readonly SpanSink[] = [];
  /** Undefined while no sink wants to know of starts: then a start costs nothing. */
  onStart: ((record: SpanRecord) => void) | undefined;

  constructor(options: TracerProviderOptions = {}) {
    this.resource = Object.freeze({ ...options.resource });
    this.sampler = options.sampler ?? parentBased(alwaysOn);
    this.limits = { ...defaultLimits, ...options.limits };
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const schemaUrl = options?.schemaUrl;
    const key = `${name}\n${version ?? ""}\n${schemaUrl ?? ""}`;
    let tracer = this.#tracers.get(key);
    if (tracer === undefined) {
      tracer = new WeftTracer({ name, version, schemaUrl }, this);
      this.#tracers.set(key, tracer);
    }
    return tracer;
  }

  addSink(sink: SpanSink): void {
    this.#setSinks([...this.#sinks, sink]);
  }

  removeSink(sink: SpanSink): void {
    this.#setSinks(this.#sinks.filter((other) => other !== sink));
  }

  #setSinks(sinks: readonly SpanSink[]): void {
    this.#sinks = sinks;
    const starts = sinks.filter((sink) => sink.onStart !== undefined);
    this.onStart =
      starts.length === 0
        ? undefined
        : (record) => {
            for (const sink of starts) sink.onStart?.(record);
          };
  }

  onEnd(record: SpanRecord): void {
    for (const sink of this.#sinks) sink.onEnd(record);
  }
}

export const tracerOptions: TracerOptions = { schemaUrl: defaultSchemaUrl };
