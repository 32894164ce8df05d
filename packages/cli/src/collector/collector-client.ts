/** Reads a collector over its HTTP interface. */
import { WeftError } from "@weft/tracing";
import type { CollectorError, OtlpTraces, TraceHealth, TraceList, Transcript } from "@weft/tracing/http";

export const defaultCollector = "http://127.0.0.1:4318";

export interface CollectorTarget {
  /** Default `http://127.0.0.1:4318`. */
  readonly collector?: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface ListTracesOptions {
  readonly filter?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** A whole trace as OTLP JSON. @throws WeftError `not_found`, `unavailable`, … */
export function fetchTrace(traceId: string, target: CollectorTarget = {}): Promise<OtlpTraces> {
  return getJson(`/api/traces/${encodeURIComponent(traceId)}`, target);
}

export function fetchTraceHealth(traceId: string, target: CollectorTarget = {}): Promise<TraceHealth> {
  return getJson(`/api/traces/${encodeURIComponent(traceId)}/health`, target);
}

export function fetchTranscript(traceId: string, target: CollectorTarget = {}): Promise<Transcript> {
  return getJson(`/api/traces/${encodeURIComponent(traceId)}/transcript`, target);
}

export function fetchTraceList(
  options: ListTracesOptions = {},
  target: CollectorTarget = {},
): Promise<TraceList> {
  const query = new URLSearchParams();
  if (options.filter !== undefined) query.set("filter", options.filter);
  if (options.pageSize !== undefined) query.set("pageSize", String(options.pageSize));
  if (options.pageToken !== undefined) query.set("pageToken", options.pageToken);
  return getJson(`/api/traces?${query.toString()}`, target);
}

async function getJson<T>(
  path: string,
  { collector = defaultCollector, token, signal }: CollectorTarget,
): Promise<T> {
  const timeout = AbortSignal.timeout(30_000);
  const url = address(collector, path);
  try {
    const response = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const body: unknown = await response.json();
    if (!response.ok) throw refusal(body, response.status, collector);
    return body as T;
  } catch (error) {
    if (error instanceof WeftError || signal?.aborted === true) throw WeftError.from(error);
    throw new WeftError("unavailable", `no Weft collector answers at ${collector}; weft view starts one`, {
      cause: error,
    });
  }
}

function address(collector: string, path: string): URL {
  const base = URL.parse(collector);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new WeftError("invalid_argument", `${collector} is not the http address of a collector`);
  }
  return new URL(base.pathname.replace(/\/+$/, "") + path, base);
}

function refusal(body: unknown, status: number, collector: string): WeftError {
  const error = (body as Partial<CollectorError> | null)?.error;
  const message = error?.message ?? `${collector} answered with status ${String(status)}`;
  if (status === 404) return new WeftError("not_found", message);
  if (status === 401) return new WeftError("unauthenticated", `${message} (--token, or WEFT_TOKEN)`);
  return new WeftError(status < 500 ? "invalid_argument" : "unavailable", message);
}
