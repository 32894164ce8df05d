/** Starting tracing in a Node process. */
export { startTracing } from "./start/start-tracing.ts";
export { WeftSpanProcessor } from "./start/weft-span-processor.ts";
export { alwaysOff, alwaysOn, parentBased, traceIdRatio } from "./spans/samplers.ts";

export type { WeftSpanProcessorOptions } from "./start/weft-span-processor.ts";
export type { SdkEvent, SdkResource, SdkSpan } from "./start/sdk-record.ts";
export type { Tracing, TracingOptions } from "./start/tracing-options.ts";
export type { DestinationStats, SpoolStats, TracingStats } from "./export/tracing-stats.ts";
export type { BodyStore, ContentPolicy, LargeBody } from "./content/content-settings.ts";
export type { Sampler } from "./spans/samplers.ts";
export type { SpanLimits } from "./spans/span-limits.ts";
