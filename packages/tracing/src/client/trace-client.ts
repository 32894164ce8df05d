import { WeftError } from "../errors/weft-error.ts";
import type { OtlpTraces, TraceList } from "../http.ts";
import { flushTraces } from "../fluent/current-trace.ts";
import { runningTracing } from "../start/running-tracing.ts";
import { getJson } from "./get-json.ts";
import type { CollectorAddress } from "./get-json.ts";
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

/** Reads traces from a collector. */
export class TraceClient {
  readonly #options: TraceClientOptions;

  constructor(options: TraceClientOptions = {}) {
    this.#options = options;
  }

  /**
   * A whole trace, after this process's own spans have been flushed.
   * @throws WeftError `not_found`, `unavailable`, or `failed_precondition` when no collector is known.
   */
  async getTrace(traceId: string): Promise<StoredTrace> {
    await flushTraces();
    const otlp = await getJson(this.#address(), `/api/traces/${encodeURIComponent(traceId)}`);
    return toStoredTrace(traceId, otlp as OtlpTraces);
  }

  /** @throws WeftError `invalid_argument` for a filter that the collector cannot read. */
  async searchTraces(search: TraceSearch = {}): Promise<TraceList> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(search)) if (value !== undefined) query.set(key, String(value));
    return (await getJson(this.#address(), `/api/traces?${query.toString()}`)) as TraceList;
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
