import type { Attributes } from "@opentelemetry/api";
import { WeftError } from "../errors/weft-error.ts";
import type { OtlpTraces, TraceList } from "../http.ts";
import { flushTraces } from "../fluent/current-trace.ts";
import type { WeftSpan } from "../spans/weft-span.ts";
import { tagPrefix } from "../vocabulary.ts";
import { runningTracing } from "../start/running-tracing.ts";
import { OpenTraces } from "./open-traces.ts";
import type { ChildSpan, SpanEnd } from "./open-traces.ts";
import { requestJson } from "./request-json.ts";
import type { CollectorAddress } from "./request-json.ts";
import { toStoredTrace } from "./stored-trace.ts";
import type { StoredTrace } from "./stored-trace.ts";

export interface TraceClientOptions {
  /** URL of a Weft collector. Default: startTracing's, else `WEFT_COLLECTOR`. */
  readonly collector?: string;
  /** Default: startTracing's with its collector, else `WEFT_TOKEN`. */
  readonly token?: string;
}

export interface TraceSearch {
  /** `trace.status = 'ERROR' AND tag.env = 'prod'` */
  readonly filter?: string;
  /** `start_time DESC` */
  readonly orderBy?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface TraceStart {
  readonly spanType?: string;
  readonly inputs?: unknown;
  readonly attributes?: Attributes;
  readonly tags?: Readonly<Record<string, string>>;
}

/** One for the process: a span that one client started another may end. */
const open = new OpenTraces();

/** Makes traces with explicit parents, for queues, callbacks and threads; reads, exports and imports those of a collector. */
export class TraceClient {
  readonly #options: TraceClientOptions;

  constructor(options: TraceClientOptions = {}) {
    this.#options = options;
  }

  /** A new trace; its root span, which `endTrace` ends. Nothing becomes active. */
  startTrace(name: string, start: TraceStart = {}): WeftSpan {
    const { spanType, inputs, attributes, tags = {} } = start;
    const tagged = Object.entries(tags).map(([key, value]) => [tagPrefix + key, value] as const);
    const root = open.start(name, spanType, { ...attributes, ...Object.fromEntries(tagged) });
    if (inputs !== undefined) root.setInputs(inputs);
    return root;
  }

  /**
   * A span under `parentId`, or under the trace's root. The parent may be of another process or thread.
   * @throws WeftError `not_found` without a `parentId` in a trace that was not started here, `invalid_argument` for ids that are none.
   */
  startSpan(span: ChildSpan): WeftSpan {
    return open.startChild(span);
  }

  /** @throws WeftError `not_found` for a span that was not started here, or whose trace has ended. */
  endSpan(traceId: string, spanId: string, end: SpanEnd = {}): void {
    open.end(traceId, spanId, end);
  }

  /** Ends the root and whatever of the trace is still open. @throws WeftError `not_found` for a trace that is not open here. */
  endTrace(traceId: string, end: SpanEnd = {}): void {
    open.endTrace(traceId, end);
  }

  /** The whole trace as OTLP JSON, as `importTrace` takes it. @throws WeftError as `getTrace` does. */
  async exportTrace(traceId: string): Promise<OtlpTraces> {
    await flushTraces();
    return (await requestJson(this.#address(), `/api/traces/${encodeURIComponent(traceId)}`)) as OtlpTraces;
  }

  /** Stores a trace that `exportTrace` gave. What the collector has already it keeps once. Gives back the ids of the traces. */
  async importTrace(trace: OtlpTraces): Promise<{ readonly traceIds: readonly string[] }> {
    const answer = await requestJson(this.#address(), "/api/import", trace);
    return answer as { readonly traceIds: readonly string[] };
  }

  /**
   * A whole trace, after this process's own spans have been flushed.
   * @throws WeftError `not_found`, `unavailable`, or `failed_precondition` when no collector is known.
   */
  async getTrace(traceId: string): Promise<StoredTrace> {
    return toStoredTrace(traceId, await this.exportTrace(traceId));
  }

  /** @throws WeftError `invalid_argument` for a filter that the collector cannot read. */
  async searchTraces(search: TraceSearch = {}): Promise<TraceList> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(search)) if (value !== undefined) query.set(key, String(value));
    return (await requestJson(this.#address(), `/api/traces?${query.toString()}`)) as TraceList;
  }

  #address(): CollectorAddress {
    const { collector, token } = this.#options;
    const started = runningTracing()?.collector;
    if (collector === undefined && started !== undefined) return started;
    const base = collector ?? process.env["WEFT_COLLECTOR"];
    if (!base) {
      throw new WeftError(
        "failed_precondition",
        "No collector is known: pass { collector } or set WEFT_COLLECTOR.",
      );
    }
    const bearer = token ?? process.env["WEFT_TOKEN"];
    return { base: base.replace(/\/+$/, ""), headers: bearer ? { authorization: `Bearer ${bearer}` } : {} };
  }
}
