/**
 * Job: put tracing together for this process.
 * Owns: the provider, the exporters and the exit hooks, until shutdown.
 * I1. There is one at a time; a second start changes nothing and says so.
 * I2. A provider that another SDK registered first is left alone; Weft's spans then go its way.
 */
import process from "node:process";
import { propagation, trace } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import { configureContent, contentOptions, policyFromEnvironment } from "../content/content-settings.ts";
import type { ContentPolicy } from "../content/content-settings.ts";
import { registerContextManager } from "../context/active-context.ts";
import { allowBaggage } from "../context/allowed-baggage.ts";
import { StrictPropagator } from "../context/strict-propagator.ts";
import { installExitHooks } from "../export/exit-hooks.ts";
import type { Pipeline } from "../export/pipeline.ts";
import { noStats } from "./no-stats.ts";
import { openPipeline } from "./open-pipeline.ts";
import { registerProvider, unregisterProvider, useProvider } from "../spans/current-tracer.ts";
import { configureStreamIdle } from "../spans/idle-limit.ts";
import { samplerByName } from "../spans/samplers.ts";
import type { Sampler } from "../spans/samplers.ts";
import { WeftTracerProvider } from "../spans/weft-tracer-provider.ts";
import { Attr } from "../vocabulary.ts";
import { runningTracing, setRunningTracing } from "./running-tracing.ts";
import { chooseDestinations, isLoopback } from "./destinations.ts";
import type { Destination } from "./destinations.ts";
import { apiSkew, isGlobalUsable } from "./self-check.ts";
import { openForeignLive } from "./foreign-live.ts";
import { buildResource } from "./resource.ts";
import type { Tracing, TracingOptions } from "./tracing-options.ts";
import { hasSpanProcessor } from "./weft-span-processor.ts";
import { warnOnce } from "./warn-once.ts";

/**
 * Starts tracing for this process; options win over the environment.
 * @throws WeftError `invalid_argument` for a URL that is none.
 */
export function startTracing(options: TracingOptions = {}): Tracing {
  const environment = process.env;
  const running = runningTracing();
  if (running !== undefined) {
    warnOnce("Tracing runs already; the second startTracing changes nothing.");
    return running.tracing;
  }
  if (!isEnabled(options, environment)) return nothing;
  const destinations = chooseDestinations(options, environment);
  const sampler = chooseSampler(options, environment);
  const policy = options.content ?? policyFromEnvironment(environment);
  const effective = policy ?? defaultPolicy(destinations);
  const provider = new WeftTracerProvider({
    // Readers who miss a text are told that it was off here.
    resource: { ...buildResource(options, environment), [Attr.contentPolicy]: effective },
    ...(sampler === undefined ? {} : { sampler }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  configureContent(contentOptions(options));
  configureStreamIdle(options.streamIdleMs);
  if (!registerProvider(provider)) {
    if (isGlobalUsable()) return underAnotherSdk(policy, destinations, provider.resource);
    warnOnce(apiSkew(destinations.length > 0));
    useProvider(provider);
  }
  registerContextManager();
  const ownPropagator = propagation.setGlobalPropagator(new StrictPropagator());
  allowBaggage(options.baggage ?? []);
  configureContent({ policy: effective });
  if (destinations.length === 0) warnOnce(nowhere);
  const pipeline = openPipeline(destinations, provider.resource, options, environment);
  provider.addSink(pipeline);
  const stop = (): void => {
    unregisterProvider(provider);
    if (ownPropagator) propagation.disable();
    configureContent(undefined);
    configureStreamIdle(undefined);
    setRunningTracing(undefined);
  };
  const tracing = createTracing(pipeline, options.shutdownTimeoutMs ?? 5000, stop);
  setRunningTracing({ tracing, provider, collector: destinations.find((to) => to.kind === "collector") });
  return tracing;
}

const nowhere =
  "Spans are exported nowhere: neither a collector nor an endpoint is set (WEFT_COLLECTOR, OTEL_EXPORTER_OTLP_ENDPOINT).";

function createTracing(pipeline: Pipeline, timeoutMs: number, stop: () => void): Tracing {
  const flushAll = (): Promise<boolean> => pipeline.flush(timeoutMs);
  const removeHooks = installExitHooks({
    flush: () => pipeline.lastFlush(timeoutMs),
    finish: () => pipeline.finish(),
    flushOnError: !pipeline.hasSpool,
  });
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await pipeline.shutdown(timeoutMs);
    removeHooks();
    stop();
  };
  const shutdown = (): Promise<void> => (ended ??= end());
  const flush = async (): Promise<void> => void (await flushAll());
  return { flush, shutdown, stats: () => pipeline.stats(), [Symbol.asyncDispose]: shutdown };
}

/** The other SDK exports; what is left to us is to say what runs, and to wait. */
function underAnotherSdk(
  policy: ContentPolicy | undefined,
  destinations: readonly Destination[],
  resource: Attributes,
): Tracing {
  if (policy !== undefined) configureContent({ policy });
  const collector = destinations.find(({ kind }) => kind === "collector");
  if (destinations.length > 0 && !hasSpanProcessor()) {
    warnOnce(
      "Another OpenTelemetry SDK was set up first: spans go where it sends them, not where startTracing says. Give it a WeftSpanProcessor.",
    );
  }
  const closeLive =
    collector === undefined || hasSpanProcessor() ? undefined : openForeignLive(collector, resource);
  const provider: unknown = trace.getTracerProvider();
  const inner = hasMethod(provider, "getDelegate") ? provider.getDelegate() : provider;
  const flush = async (): Promise<void> => {
    if (hasMethod(inner, "forceFlush")) await inner.forceFlush();
  };
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await flush();
    await closeLive?.();
  };
  const shutdown = (): Promise<void> => (ended ??= end());
  return { flush, shutdown, stats: () => noStats, [Symbol.asyncDispose]: shutdown };
}

function hasMethod<K extends string>(value: unknown, name: K): value is Record<K, () => unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === "function"
  );
}

const done = async (): Promise<void> => {};
const nothing: Tracing = { flush: done, shutdown: done, stats: () => noStats, [Symbol.asyncDispose]: done };

function isEnabled(options: TracingOptions, environment: NodeJS.ProcessEnv): boolean {
  if (options.enabled !== undefined) return options.enabled;
  const own = environment["WEFT_TRACING"]?.trim().toLowerCase();
  return (
    own !== "off" && own !== "false" && environment["OTEL_SDK_DISABLED"]?.trim().toLowerCase() !== "true"
  );
}

function chooseSampler(options: TracingOptions, environment: NodeJS.ProcessEnv): Sampler | undefined {
  if (options.sampler !== undefined) return options.sampler;
  const name = environment["OTEL_TRACES_SAMPLER"]?.trim();
  if (!name) return undefined;
  const sampler = samplerByName(name, environment["OTEL_TRACES_SAMPLER_ARG"]?.trim());
  if (sampler === undefined)
    warnOnce(`OTEL_TRACES_SAMPLER names no sampler Weft knows: ${name}. All traces are kept.`);
  return sampler;
}

/** Words stay on this machine unless somebody says otherwise. A local OTLP agent may send them on, a Weft collector does not. */
function defaultPolicy(destinations: readonly Destination[]): ContentPolicy {
  const local = destinations.every((to) => to.kind === "collector" && isLoopback(to.url));
  return destinations.length > 0 && local ? "delta" : "none";
}
