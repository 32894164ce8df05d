/**
 * What runs: starts of spans that have not ended, and the processes that report them.
 *
 * Owns: the tables `starts` and `instance_spans` in the file, and who was heard when, in memory.
 * Does not own: the transaction that starts are written in.
 *
 * I1 A start is kept only until its span comes, as a real end or as a closing; one that comes later than its end is ignored.
 * I2 RUNNING and LOST are derived when somebody looks. Silence counts on this collector's clock and from its own start.
 * I3 Who looked once is told of what has turned since: `turnedTraces`.
 * I4 A process that says goodbye, or whose spool was taken over, has nothing running any more.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { InstanceList, LiveInstance, LiveReport } from "@weft/tracing/http";
import { Attr, Outcomes } from "@weft/tracing/vocabulary";
import { plainValue } from "../otlp/attribute.ts";
import { decodeResource } from "@weft/tracing/internal";
import { textOf } from "../otlp/scan-request.ts";
import type { ScannedSpan, SpanGroup } from "../otlp/scan-request.ts";

const tables = `
CREATE TABLE IF NOT EXISTS starts (
  id INTEGER PRIMARY KEY, trace INTEGER NOT NULL, span_id BLOB NOT NULL, parent_id BLOB, start_ns INTEGER NOT NULL,
  name INTEGER NOT NULL, grp INTEGER NOT NULL, service INTEGER NOT NULL, type INTEGER NOT NULL, agent INTEGER NOT NULL,
  kind INTEGER NOT NULL, flags INTEGER NOT NULL, instance TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (trace, span_id)
) STRICT;
CREATE TABLE IF NOT EXISTS instance_spans (instance TEXT PRIMARY KEY, stored INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TEMP TABLE instances (
  instance TEXT PRIMARY KEY, service TEXT NOT NULL, seen_ms INTEGER NOT NULL, ended INTEGER NOT NULL,
  dropped INTEGER NOT NULL, gone TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

const maxTextLength = 64 * 1024;
const maxTexts = 10_000;

/** What a start is stored with; names are numbers of the `strings` table. */
export interface StartColumns {
  readonly trace: number;
  readonly name: number;
  readonly group: number;
  readonly service: number;
  readonly type: number;
  readonly agent: number;
}

export class LiveRows {
  private readonly database: DatabaseSync;
  private readonly silenceMs: number;
  private readonly startedMs = Date.now();
  private readonly open = new Set<string>();
  private readonly texts = new Map<string, string>();
  private readonly instanceOfGroup = new WeakMap<SpanGroup, string>();
  private readonly stored = new Map<string, number>();
  /** As of the last look. */
  private lost: ReadonlySet<string> = new Set();
  private readonly insertStart: StatementSync;
  private readonly removeStart: StatementSync;
  private readonly addStored: StatementSync;
  private readonly heartbeat: StatementSync;
  private readonly markGone: StatementSync;

  /** @param silenceMs after so long without a word a process is lost */
  constructor(database: DatabaseSync, silenceMs: number) {
    this.database = database;
    this.silenceMs = silenceMs;
    database.exec(tables);
    this.insertStart = database.prepare(
      `INSERT INTO starts (trace, span_id, parent_id, start_ns, name, grp, service, type, agent, kind, flags, instance, body)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
       WHERE NOT EXISTS (SELECT 1 FROM spans WHERE trace = ?1 AND span_id = ?2)
       ON CONFLICT DO UPDATE SET body = excluded.body, instance = excluded.instance`,
    );
    this.removeStart = database.prepare("DELETE FROM starts WHERE trace = ? AND span_id = ?");
    this.addStored = database.prepare(
      "INSERT INTO instance_spans VALUES (?1, ?2) ON CONFLICT DO UPDATE SET stored = stored + ?2",
    );
    this.heartbeat = database.prepare(
      `INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET service = excluded.service, seen_ms = excluded.seen_ms, ended = excluded.ended,
       dropped = excluded.dropped, gone = excluded.gone`,
    );
    this.markGone = database.prepare(
      `INSERT INTO instances VALUES (?, '', 0, 0, 0, 'adopted') ON CONFLICT DO UPDATE SET gone = 'adopted'`,
    );
    this.readOpen();
  }

  /** A process was heard. */
  note(report: LiveReport): void {
    const { instance, service, ended, dropped } = report;
    const gone = report.goodbye === true ? "ended" : "";
    this.heartbeat.run(instance, service, Date.now(), Math.trunc(ended), Math.trunc(dropped), gone);
    for (const other of report.adopted ?? []) this.markGone.run(other);
    for (const { traceId, spanId, at, text } of report.texts ?? []) this.addText(traceId + spanId, at, text);
  }

  /** Returns whether it is news: not known already, and not ended. */
  writeStart(span: ScannedSpan, columns: StartColumns, instance: string): boolean {
    const key = span.traceId + span.spanId;
    const { changes } = this.insertStart.run(
      columns.trace,
      Buffer.from(span.spanId, "hex"),
      span.parentId === "" ? null : Buffer.from(span.parentId, "hex"),
      span.start,
      columns.name,
      columns.group,
      columns.service,
      columns.type,
      columns.agent,
      span.kind,
      span.flags,
      instance,
      span.bytes,
    );
    if (Number(changes) === 0 || this.open.has(key)) return false;
    this.open.add(key);
    return true;
  }

  /** A span was stored: its start goes, and its process lost one span less. */
  spanStored(span: ScannedSpan, trace: number): void {
    if (this.open.size > 0) {
      const key = span.traceId + span.spanId;
      if (this.open.delete(key)) {
        this.removeStart.run(trace, Buffer.from(span.spanId, "hex"));
        this.texts.delete(key);
      }
    }
    // A closing stands for a span that never ended.
    if (textOf(span, Attr.outcome) === Outcomes.lost) return;
    const instance = this.instanceOf(span.group);
    if (instance !== "") this.stored.set(instance, (this.stored.get(instance) ?? 0) + 1);
  }

  /** Before the commit. */
  finish(): void {
    for (const [instance, count] of this.stored) this.addStored.run(instance, count);
    this.stored.clear();
  }

  /** After a rollback, or when traces were deleted: the database is the truth again. */
  forget(): void {
    this.stored.clear();
    this.open.clear();
    this.readOpen();
  }

  /** Text that a running span made so far. */
  textOf(traceId: string, spanId: string): string | undefined {
    return this.texts.get(traceId + spanId);
  }

  /** SQL: whether the process `i` of a start `s` lives, from `starts s LEFT JOIN instances i USING (instance)`. */
  aliveSql(): string {
    return aliveSql(this.deadlineMs(), this.startedMs);
  }

  /** SQL: the state of a trace `t` that is stored as RUNNING. */
  stateSql(): string {
    return `CASE WHEN t.state <> 'RUNNING' THEN t.state ELSE coalesce((
      SELECT CASE WHEN ${this.aliveSql()} THEN 'RUNNING' ELSE 'LOST' END
      FROM starts s LEFT JOIN instances i USING (instance) WHERE s.trace = t.no
      ORDER BY s.parent_id IS NOT NULL, s.start_ns LIMIT 1), t.state) END`;
  }

  /** Numbers of the traces that changed since the last call because a process of theirs was lost, or heard again. */
  turnedTraces(): readonly number[] {
    const rows = this.database
      .prepare(
        `SELECT DISTINCT s.instance AS instance FROM starts s LEFT JOIN instances i USING (instance)
         WHERE NOT ${this.aliveSql()}`,
      )
      .all();
    const lost = new Set(rows.map(({ instance }) => String(instance)));
    const turned = lost.symmetricDifference(this.lost);
    this.lost = lost;
    const select = this.database.prepare("SELECT DISTINCT trace FROM starts WHERE instance = ?");
    const traces = [...turned].flatMap((instance) => select.all(instance).map(({ trace }) => Number(trace)));
    return [...new Set(traces)];
  }

  /** Whether a report is more than a heartbeat of a process that runs. */
  turns({ instance, goodbye, adopted = [] }: LiveReport): boolean {
    return goodbye === true || adopted.length > 0 || this.lost.has(instance);
  }

  instances(): InstanceList {
    const rows = this.database
      .prepare(
        `SELECT i.*, coalesce(n.stored, 0) AS stored FROM instances i LEFT JOIN instance_spans n USING (instance)
         WHERE seen_ms > 0 ORDER BY seen_ms DESC, instance`,
      )
      .all();
    return { instances: rows.map((row) => this.toInstance(row)) };
  }

  /** Spans that processes of these groups dropped, or took with them when they died. */
  missingSpans(instances: ReadonlySet<string>): number {
    return this.instances()
      .instances.filter(({ instance }) => instances.has(instance))
      .reduce((sum, { spansDropped, spansLost }) => sum + spansDropped + spansLost, 0);
  }

  private toInstance(row: Record<string, unknown>): LiveInstance {
    const seen = Number(row["seen_ms"]);
    const ended = Number(row["ended"]);
    const dropped = Number(row["dropped"]);
    const stored = Number(row["stored"]);
    const silent = seen < this.deadlineMs();
    const state =
      row["gone"] === "ended" ? "ENDED" : row["gone"] === "adopted" || silent ? "LOST" : "RUNNING";
    return {
      instance: String(row["instance"]),
      service: String(row["service"]),
      state,
      lastSeen: new Date(seen).toISOString(),
      spansEnded: ended,
      spansStored: stored,
      spansDropped: dropped,
      spansLost: state === "RUNNING" ? 0 : Math.max(0, ended - dropped - stored),
    };
  }

  private deadlineMs(): number {
    return Date.now() - this.silenceMs;
  }

  private addText(key: string, at: number, text: string): void {
    const known = this.texts.get(key) ?? "";
    if (known === "" && this.texts.size >= maxTexts) return;
    // What was sent twice is written over; what is missing in between cannot be guessed.
    if (at <= known.length) this.texts.set(key, (known.slice(0, at) + text).slice(0, maxTextLength));
  }

  private readOpen(): void {
    const rows = this.database
      .prepare(
        "SELECT lower(hex(t.trace_id)) || lower(hex(s.span_id)) AS key FROM starts s JOIN traces t ON t.no = s.trace",
      )
      .all();
    for (const { key } of rows) this.open.add(String(key));
  }

  private instanceOf(group: SpanGroup): string {
    let instance = this.instanceOfGroup.get(group);
    if (instance === undefined) {
      instance = instanceOfResource(group.resource);
      this.instanceOfGroup.set(group, instance);
    }
    return instance;
  }
}

/** `service.instance.id`, or "". */
export function instanceOfResource(resource: Uint8Array): string {
  const found = decodeResource(resource).attributes?.find(({ key }) => key === Attr.serviceInstanceId);
  const value = found === undefined ? undefined : plainValue(found.value);
  return typeof value === "string" ? value : "";
}

/** A process that this collector has not heard since it started has until the silence is over, counted from that start. */
function aliveSql(deadlineMs: number, startedMs: number): string {
  const seen = `max(coalesce(i.seen_ms, 0), ${String(startedMs)})`;
  return `(coalesce(i.gone, '') = '' AND ${seen} >= ${String(deadlineMs)})`;
}
