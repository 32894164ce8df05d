export { startCollector } from "./collector.ts";
export type { Collector, CollectorLimits, CollectorOptions } from "./collector.ts";
