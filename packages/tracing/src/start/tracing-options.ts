import type { Attributes } from "@opentelemetry/api";
import type { BodyStore, ContentPolicy } from "../content/content-settings.ts";
import type { Redactor } from "../content/redactors.ts";
import type { TracingStats } from "../export/tracing-stats.ts";
import type { Sampler } from "../spans/samplers.ts";
import type { SpanLimits } from "../spans/span-limits.ts";

/** Each option wins over its environment variable. */
export interface TracingOptions {
  /** `OTEL_SERVICE_NAME`. Default: `unknown_service:node`. */
  readonly serviceName?: string;
  readonly serviceVersion?: string;
  /** Further attributes of the resource; `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resource?: Attributes;
  /** A group above services: `weft.experiment`. */
  readonly experiment?: string;
  /** URL of a Weft collector, `http://127.0.0.1:4318`; `WEFT_COLLECTOR`. */
  readonly collector?: string;
  /** The collector's bearer token; `WEFT_TOKEN`. */
  readonly token?: string;
  /** URL of any OTLP/HTTP backend, without `/v1/traces`; `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint?: string;
  /** Headers for `endpoint`; `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Compression of requests. Default: none; `OTEL_EXPORTER_OTLP_COMPRESSION`. */
  readonly compression?: "gzip" | "none";
  /** What of people's words is recorded; `WEFT_CONTENT`. Default: `delta` when spans go to a collector on loopback only, else `none`. */
  readonly content?: ContentPolicy;
  /** What every text goes through before it enters a span: `[redactors.secrets, redactors.emails]`, or functions of your own. Default: none. */
  readonly redact?: readonly Redactor[];
  /** Bytes of content that one attribute and one span may hold, before JSON escapes what it must. Default: 128 KiB and 256 KiB. */
  readonly contentBudget?: { readonly attributeBytes?: number; readonly spanBytes?: number };
  /** Takes whole what was too large for its span; the span then says where it is. Default: what is too large is cut. */
  readonly bodyStore?: BodyStore;
  /** Default: `parentbased_always_on`; `OTEL_TRACES_SAMPLER`. */
  readonly sampler?: Sampler;
  readonly limits?: Partial<SpanLimits>;
  /** Baggage keys that may cross a hop. Default: none. */
  readonly baggage?: readonly string[];
  /** Bounds of what waits in memory for each destination. Default: 128 MiB and 131,072 spans. */
  readonly queue?: { readonly maxBytes?: number; readonly maxSpans?: number };
  /**
   * A folder on a local disk: spans are written there as they end, survive the process, and are sent by the next one that names
   * the folder. `maxBytes`: when it is full, spans are dropped and counted; default 512 MiB. Default: none; `WEFT_SPOOL`.
   */
  readonly spool?: string | { readonly folder: string; readonly maxBytes?: number };
  /** Milliseconds until spans that a destination does not take are given up, without a spool. Default: 120,000. */
  readonly giveUpMs?: number;
  /** Milliseconds until the span of a stream or generator that nobody reads on ends, as abandoned. Default: 600,000; Infinity: never. */
  readonly streamIdleMs?: number;
  /** Milliseconds that a shutdown may take. Default: 5,000. */
  readonly shutdownTimeoutMs?: number;
  /** Default: true, unless `WEFT_TRACING=off` or `OTEL_SDK_DISABLED=true`. */
  readonly enabled?: boolean;
}

/** What startTracing gives back. Disposing it flushes, within its time, and stops tracing. */
export interface Tracing extends AsyncDisposable {
  /** Waits until all spans that ended before the call are delivered or given up. */
  flush(): Promise<void>;
  /** As `await using` does. */
  shutdown(): Promise<void>;
  /** What became of the spans so far. */
  stats(): TracingStats;
}
