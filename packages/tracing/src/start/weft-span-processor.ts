/**
 * Job: Weft's way out of the process for an OpenTelemetry SDK, 2.x or 3.x, that the application set up itself.
 * Owns: its pipeline: queue, spool, live channel.
 * Does not own: provider, sampler, resource, propagator: the application chose them.
 * I1. Nothing of the SDK is imported: its spans are read by their shape.
 */
import { randomUUID } from "node:crypto";
import process from "node:process";
import { TraceFlags } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { configureContent, contentOptions } from "../content/content-settings.ts";
import { installExitHooks } from "../export/exit-hooks.ts";
import type { Pipeline } from "../export/pipeline.ts";
import type { TracingStats } from "../export/tracing-stats.ts";
import { Attr } from "../vocabulary.ts";
import { chooseDestinations } from "./destinations.ts";
import type { Destination } from "./destinations.ts";
import { noStats } from "./no-stats.ts";
import { openPipeline } from "./open-pipeline.ts";
import { SdkRecord } from "./sdk-record.ts";
import type { SdkResource, SdkSpan } from "./sdk-record.ts";
import type { TracingOptions } from "./tracing-options.ts";
import { warnOnce } from "./warn-once.ts";

/** As those of `startTracing`; what is missing here the SDK decides. `content`: default `none`, as others may export too. */
export type WeftSpanProcessorOptions = Pick<
  TracingOptions,
  | "collector"
  | "token"
  | "endpoint"
  | "headers"
  | "compression"
  | "content"
  | "redact"
  | "contentBudget"
  | "bodyStore"
  | "queue"
  | "spool"
  | "giveUpMs"
  | "shutdownTimeoutMs"
>;

let made = false;

/** Whether the process has one: then it tells what runs. */
export function hasSpanProcessor(): boolean {
  return made;
}

/** `new NodeTracerProvider({ spanProcessors: [new WeftSpanProcessor({ collector })] })` */
export class WeftSpanProcessor {
  readonly #options: WeftSpanProcessorOptions;
  readonly #destinations: readonly Destination[];
  readonly #records = new WeakMap<SdkSpan, SdkRecord>();
  readonly #timeoutMs: number;
  #pipeline: Pipeline | undefined;
  #opening: Promise<void> | undefined;
  #early: ((pipeline: Pipeline) => void)[] = [];
  #removeHooks: (() => void) | undefined;
  #ended: Promise<void> | undefined;

  /** @throws WeftError `invalid_argument` for a URL that is none */
  constructor(options: WeftSpanProcessorOptions = {}) {
    made = true;
    this.#options = options;
    this.#timeoutMs = options.shutdownTimeoutMs ?? 5000;
    this.#destinations = chooseDestinations(options, process.env);
    configureContent(contentOptions(options));
    if (options.content !== undefined) configureContent({ policy: options.content });
    if (this.#destinations.length === 0)
      warnOnce("WeftSpanProcessor exports nowhere: neither a collector nor an endpoint is set.");
  }

  onStart(span: SdkSpan, _parentContext?: Context): void {
    if (!isSampled(span)) return;
    const record = new SdkRecord(span);
    this.#records.set(span, record);
    this.#with(span.resource, (pipeline) => pipeline.onStart?.(record));
  }

  onEnd(span: SdkSpan): void {
    if (!isSampled(span)) return;
    const record = this.#records.get(span) ?? new SdkRecord(span);
    this.#with(span.resource, (pipeline) => pipeline.onEnd(record));
  }

  /** Waits until all spans that ended before the call are delivered or given up, within the shutdown time. */
  async forceFlush(): Promise<void> {
    await this.#opening;
    await this.#pipeline?.flush(this.#timeoutMs);
  }

  shutdown(): Promise<void> {
    return (this.#ended ??= this.#end());
  }

  /** What became of the spans so far. */
  stats(): TracingStats {
    return this.#pipeline?.stats() ?? noStats;
  }

  async #end(): Promise<void> {
    await this.#opening;
    await this.#pipeline?.shutdown(this.#timeoutMs);
    this.#removeHooks?.();
  }

  /** The resource is known with the first span; detectors may still be at work on it. */
  #with(resource: SdkResource, work: (pipeline: Pipeline) => void): void {
    if (this.#pipeline !== undefined) return work(this.#pipeline);
    if (resource.asyncAttributesPending !== true) return work(this.#open(resource));
    this.#early.push(work);
    this.#opening ??= this.#openLater(resource);
  }

  async #openLater(resource: SdkResource): Promise<void> {
    await resource.waitForAsyncAttributes?.();
    const pipeline = this.#open(resource);
    for (const work of this.#early) work(pipeline);
    this.#early = [];
  }

  #open(resource: SdkResource): Pipeline {
    const attributes = { [Attr.serviceInstanceId]: randomUUID(), ...resource.attributes };
    const pipeline = openPipeline(this.#destinations, attributes, this.#options, process.env);
    this.#removeHooks = installExitHooks({
      flush: () => pipeline.lastFlush(this.#timeoutMs),
      finish: () => pipeline.finish(),
      flushOnError: !pipeline.hasSpool,
    });
    this.#pipeline = pipeline;
    return pipeline;
  }
}

function isSampled(span: SdkSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}
