/** For Weft's own packages; no promise is made to anyone else. */
export { spawnNode } from "./process/spawn-node.ts";
export { formatTrace } from "./trace/format-trace.ts";
export {
  fetchTrace,
  fetchTraceHealth,
  fetchTraceList,
  fetchTranscript,
} from "./collector/collector-client.ts";

export type { SpawnNodeOptions } from "./process/spawn-node.ts";
export type { FormatTraceOptions } from "./trace/format-trace.ts";
export type { CollectorTarget, ListTracesOptions } from "./collector/collector-client.ts";
