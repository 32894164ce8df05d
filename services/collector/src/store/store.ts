/**
 * What the collector asks of a store. SQLite is the one in the box; others follow by implementing this.
 *
 * Every method rejects with a `WeftError`: `unavailable` when the store cannot answer now, `invalid_argument` for
 * input that no store could take. Methods that name a trace answer `undefined` when it is not stored.
 */
import type {
  LiveSpan,
  ServiceList,
  SpanDetails,
  TraceHealth,
  TraceList,
  InstanceList,
  LiveReport,
  TraceSummary,
  Transcript,
} from "@weft/tracing/http";
import type { OtlpEncoding } from "../otlp/export-response.ts";

export interface AppendRequest {
  readonly encoding: OtlpEncoding;
  /** An inflated OTLP request body. The store owns it from here on: its memory may move to another thread. */
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface AppendResult {
  /** Spans of the request that are stored now, whether this request brought them or an earlier one. */
  readonly accepted: number;
  /** Spans that no store can take (no id, no start time), and why the first was refused. */
  readonly rejected: number;
  readonly reason: string;
}

export interface ListQuery {
  /** Traces a page, 1 to 1000. */
  readonly pageSize: number;
  readonly pageToken?: string;
  readonly filter?: TraceFilter;
}

/** All conditions must hold. */
export interface TraceFilter {
  readonly service?: string;
  readonly state?: string;
}

/** What a commit added, told to the store's listener after it is durable; and traces that changed by a process's silence. */
export interface Committed {
  readonly spans: readonly LiveSpan[];
  /** Spans that began and have not ended. */
  readonly starts: readonly LiveSpan[];
  readonly traces: readonly TraceSummary[];
}

export interface Store {
  /**
   * Stores a request's spans and resolves when they are durable. A span that is stored already, by trace id and
   * span id, is left as it is.
   * @throws WeftError `limit_exceeded` (retryable) when too many bytes wait already
   */
  append(request: AppendRequest): Promise<AppendResult>;
  /** Another one with every start of a collector: whoever reports sees that it must tell its starts again. */
  readonly epoch: string;
  /**
   * What runs in a process. Resolves when views show it.
   * @throws WeftError `invalid_argument` when its starts are no spans
   */
  report(report: LiveReport): Promise<void>;
  /** Processes that reported since this collector started. */
  instances(): Promise<InstanceList>;
  listSummaries(query: ListQuery): Promise<TraceList>;
  /** The whole trace as OTLP JSON, encoded. */
  getTrace(traceId: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The tree in binary; the layout stands in `trace/skeleton.ts`. */
  getSkeleton(traceId: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  getSpans(traceId: string, spanIds: readonly string[]): Promise<SpanDetails | undefined>;
  transcript(traceId: string): Promise<Transcript | undefined>;
  health(traceId: string): Promise<TraceHealth | undefined>;
  summary(traceId: string): Promise<TraceSummary | undefined>;
  services(): Promise<ServiceList>;
  /** Resolves to how many were stored. */
  deleteTraces(traceIds: readonly string[]): Promise<number>;
  /** One listener for commits; undefined stops the reports, which cost time only while someone listens. */
  listen(listener: ((committed: Committed) => void) | undefined): void;
  /** Ends after what was accepted is durable. */
  close(): Promise<void>;
}
