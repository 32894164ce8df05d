/**
 * The SQLite store, synchronous: what runs inside the worker thread.
 *
 * Job: many requests, one transaction; and the views of stored traces.
 * Owns: the database connection and the transaction.
 * Does not own: when requests are committed (the worker does), threads, HTTP.
 *
 * I1 `appendAll` returns after the commit; what it reported is in the file.
 * I2 A request that is not OTLP stores nothing and harms no other request of its transaction.
 */
import type {
  InstanceList,
  LiveReport,
  ServiceList,
  SpanDetails,
  TraceHealth,
  TraceList,
  TraceSummary,
  Transcript,
} from "@weft/tracing/http";
import { WeftError } from "@weft/tracing";
import type { DatabaseSync } from "node:sqlite";
import { encodeRequest } from "../otlp/encode-request.ts";
import { scanRequest } from "../otlp/scan-request.ts";
import type { ScannedRequest, ScannedSpan } from "../otlp/scan-request.ts";
import { healthOf } from "../trace/health.ts";
import { encodeTrace } from "../trace/otlp-trace.ts";
import { encodeSkeleton } from "../trace/skeleton.ts";
import { spanDetails } from "../trace/span-details.ts";
import { TraceRows } from "../trace/trace-rows.ts";
import type { TraceRef } from "../trace/trace-rows.ts";
import { transcriptOf } from "../trace/transcript.ts";
import { openDatabase } from "./schema.ts";
import { instanceOfResource, LiveRows } from "./live-rows.ts";
import { SpanWriter, toLiveSpan } from "./span-writer.ts";
import type { AppendRequest, AppendResult, Committed, ListQuery } from "./store.ts";
import { SummaryRows } from "./summary-rows.ts";

export interface CommitOutcome {
  readonly results: readonly (AppendResult | WeftError)[];
  /** For each report: what was wrong with it. */
  readonly reported: readonly (WeftError | undefined)[];
  readonly committed: Committed;
}

interface ScannedReport {
  readonly report: LiveReport;
  readonly starts: readonly ScannedSpan[];
}

const nothing: Committed = { spans: [], starts: [], traces: [] };

const defaultSilenceMs = 15_000;

export class SqliteStore {
  readonly close: () => void;
  private readonly database: DatabaseSync;
  private readonly writer: SpanWriter;
  private readonly summaries: SummaryRows;
  private readonly rows: TraceRows;
  private readonly live: LiveRows;

  /**
   * @param path the file; undefined: in memory
   * @param silenceMs after so long without a word a process is lost
   */
  constructor(path: string | undefined, silenceMs = defaultSilenceMs) {
    const { database, close } = openDatabase(path);
    this.database = database;
    this.close = close;
    this.live = new LiveRows(database, silenceMs);
    this.writer = new SpanWriter(database, this.live);
    this.summaries = new SummaryRows(database, this.live);
    this.rows = new TraceRows(database, this.live);
  }

  /**
   * One transaction; `committed` is filled only when someone listens (`live`). When the database itself fails, every request fails with
   * `unavailable` and nothing is stored.
   */
  appendAll(
    requests: readonly AppendRequest[],
    live: boolean,
    reports: readonly LiveReport[] = [],
  ): CommitOutcome {
    const scanned = requests.map(scan);
    const scannedReports = reports.map(scanReport);
    const reported = scannedReports.map((report) => (report instanceof WeftError ? report : undefined));
    for (const report of scannedReports) if (!(report instanceof WeftError)) this.live.note(report.report);
    const added: ScannedSpan[] = [];
    const started: ScannedSpan[] = [];
    const turned = live && reports.some((report) => this.live.turns(report)) ? this.turned() : [];
    if (requests.length === 0 && !scannedReports.some(hasStarts))
      return { results: [], reported, committed: { ...nothing, traces: turned } };
    try {
      const traces = this.transaction(() => {
        for (const request of scanned) {
          if (request instanceof WeftError) continue;
          for (const span of request.spans) if (this.writer.write(span) && live) added.push(span);
        }
        for (const report of scannedReports) {
          if (report instanceof WeftError) continue;
          for (const span of report.starts)
            if (this.writer.writeStart(span, report.report.instance)) started.push(span);
        }
        return this.writer.finish();
      });
      const news = { spans: added.map(toLiveSpan), starts: live ? started.map(toLiveSpan) : [] };
      const changed = live ? traces.map((trace) => this.derived(trace)) : [];
      return {
        results: scanned.map(toResult),
        reported,
        committed: { ...news, traces: [...turned, ...changed] },
      };
    } catch (error) {
      this.writer.forget();
      const failure = new WeftError("unavailable", `the spans could not be stored: ${messageOf(error)}`, {
        cause: error,
      });
      const results = scanned.map((request) => (request instanceof WeftError ? request : failure));
      const failed = reported.map((fault) => fault ?? failure);
      return { results, reported: failed, committed: nothing };
    }
  }

  /** Traces that changed since this was called last without that anything was stored: a process of theirs was lost, or is heard again. */
  turned(): readonly TraceSummary[] {
    return this.live.turnedTraces().flatMap((no) => this.summaries.summaryOf(no) ?? []);
  }

  /** Running or lost is not stored. */
  private derived(trace: TraceSummary): TraceSummary {
    return trace.state === "RUNNING" ? (this.summary(trace.traceId) ?? trace) : trace;
  }

  listSummaries(query: ListQuery): TraceList {
    return this.summaries.list(query);
  }

  summary(traceId: string): TraceSummary | undefined {
    return this.summaries.summary(traceId);
  }

  getTrace(traceId: string): Uint8Array<ArrayBuffer> | undefined {
    return this.view(traceId, (trace) => encodeTrace(this.rows, trace));
  }

  getSkeleton(traceId: string): Uint8Array<ArrayBuffer> | undefined {
    return this.view(traceId, (trace) => encodeSkeleton(trace, this.rows.tree(trace)));
  }

  getSpans(traceId: string, spanIds: readonly string[]): SpanDetails | undefined {
    return this.view(traceId, (trace) => {
      const details = spanDetails(this.rows, trace, spanIds);
      const spans = details.spans.map((detail) => {
        const text = this.live.textOf(traceId, detail.span.spanId);
        return text === undefined ? detail : { ...detail, text };
      });
      return { ...details, spans };
    });
  }

  transcript(traceId: string): Transcript | undefined {
    return this.view(traceId, (trace) => transcriptOf(this.rows, trace));
  }

  health(traceId: string): TraceHealth | undefined {
    return this.view(traceId, (trace) => {
      const instances = new Set(this.rows.resources(trace).map(instanceOfResource));
      return healthOf(this.rows.tree(trace), this.live.missingSpans(instances));
    });
  }

  instances(): InstanceList {
    return this.live.instances();
  }

  services(): ServiceList {
    const rows = this.database
      .prepare(
        `SELECT n.text AS name, count(*) AS traces FROM trace_services s JOIN strings n ON n.id = s.service
         GROUP BY s.service ORDER BY n.text`,
      )
      .all();
    return { services: rows.map((row) => ({ name: String(row["name"]), traces: Number(row["traces"]) })) };
  }

  deleteTraces(traceIds: readonly string[]): number {
    const deleted = this.transaction(() => traceIds.filter((traceId) => this.deleteTrace(traceId)).length);
    this.writer.forget();
    return deleted;
  }

  private deleteTrace(traceId: string): boolean {
    const trace = this.rows.find(traceId);
    if (trace === undefined) return false;
    const run = (sql: string): void => void this.database.prepare(sql).run(trace.no);
    run("DELETE FROM bodies WHERE span IN (SELECT id FROM spans WHERE trace = ?)");
    for (const table of ["spans", "texts", "tool_results", "appends", "trace_services", "starts"])
      run(`DELETE FROM ${table} WHERE trace = ?`);
    run("DELETE FROM traces WHERE no = ?");
    return true;
  }

  private view<T>(traceId: string, make: (trace: TraceRef) => T): T | undefined {
    const trace = this.rows.find(traceId);
    return trace === undefined ? undefined : make(trace);
  }

  private transaction<T>(work: () => T): T {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.database.isTransaction) this.database.exec("ROLLBACK");
      throw error;
    }
  }
}

function scan(request: AppendRequest): ScannedRequest | WeftError {
  const { buffer, byteOffset, byteLength } = request.body;
  const body = Buffer.from(buffer, byteOffset, byteLength);
  try {
    return scanRequest(request.encoding === "json" ? encodeRequest(body.toString("utf8")) : body);
  } catch (error) {
    return WeftError.from(error);
  }
}

function hasStarts(report: ScannedReport | WeftError): boolean {
  return !(report instanceof WeftError) && report.starts.length > 0;
}

/** Starts are spans like others, but for their end. */
function scanReport(report: LiveReport): ScannedReport | WeftError {
  if (report.starts === undefined) return { report, starts: [] };
  try {
    return { report, starts: scanRequest(encodeRequest(JSON.stringify(report.starts))).spans };
  } catch (error) {
    return WeftError.from(error);
  }
}

function toResult(request: ScannedRequest | WeftError): AppendResult | WeftError {
  if (request instanceof WeftError) return request;
  return { accepted: request.spans.length, rejected: request.rejected, reason: request.reason };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
