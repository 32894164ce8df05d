/** Starting tracing in a Node process. */
export { startTracing } from "./start/start-tracing.ts";
export { alwaysOff, alwaysOn, parentBased, traceIdRatio } from "./spans/samplers.ts";

export type { Tracing, TracingOptions } from "./start/tracing-options.ts";
export type { ContentPolicy } from "./content/content-settings.ts";
export type { Sampler } from "./spans/samplers.ts";
export type { SpanLimits } from "./spans/span-limits.ts";
