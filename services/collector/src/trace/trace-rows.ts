/** What the views of one trace read from the database. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { OtlpSpan } from "@weft/tracing/http";
import { decodeSpan } from "@weft/tracing/internal";
import type { LiveRows } from "../store/live-rows.ts";
import { errorStatus, SpanMarks } from "../store/span-marks.ts";
import { bigints, toBigInt } from "../store/summary-rows.ts";

/** A span as the tree needs it. Times are nanoseconds after `TraceRef.start`. */
export interface TreeRow {
  readonly id: number;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentId: string;
  readonly offset: number;
  /** 0 also for a span that has not ended: see `open`. */
  readonly duration: number;
  readonly open: boolean;
  readonly name: string;
  readonly service: string;
  readonly type: string;
  readonly agent: string;
  readonly kind: number;
  readonly status: number;
  readonly flags: number;
  readonly marks: number;
  /** Spans that its service dropped before it, and reported with it. */
  readonly dropped: number;
}

export interface TraceRef {
  readonly no: number;
  readonly traceId: string;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
}

/** Where a message stands: on span `span` (a row id), as its output or its input; `time` in ns since 1970. */
export interface TextRow {
  readonly messageId: string;
  readonly made: boolean;
  readonly span: number;
  readonly time: bigint;
}

/** A span whose tool's result is a response of the message. */
export interface ToolResultRow {
  readonly messageId: string;
  readonly span: number;
}

export interface AppendRow {
  readonly span: number;
  readonly position: number;
  readonly entry: string;
}

export interface BodyRow {
  readonly id: number;
  readonly group: number;
  readonly body: Uint8Array;
}

export interface GroupRow {
  readonly service: string;
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
  readonly resourceSchemaUrl: string;
  readonly scopeSchemaUrl: string;
}

export class TraceRows {
  private readonly selectRef: StatementSync;
  private readonly selectTree: StatementSync;
  private readonly live: LiveRows;
  private readonly database: DatabaseSync;
  private readonly selectBodies: StatementSync;
  private readonly selectBody: StatementSync;
  private readonly selectId: StatementSync;
  private readonly selectGroup: StatementSync;
  private readonly selectTexts: StatementSync;
  private readonly selectToolResults: StatementSync;
  private readonly selectAppends: StatementSync;

  constructor(database: DatabaseSync, live: LiveRows) {
    this.live = live;
    this.database = database;
    this.selectRef = bigints(database.prepare("SELECT no, start_ns FROM traces WHERE trace_id = ?"));
    // Offsets are taken in SQL: they fit into a number, times since 1970 do not.
    this.selectTree = database.prepare(
      `SELECT s.id, lower(hex(span_id)), lower(hex(parent_id)), start_ns - ?2, max(end_ns - start_ns, 0), end_ns = 0,
       n.text, v.text, t.text, a.text, kind, status, flags, marks, dropped
       FROM spans s JOIN strings n ON n.id = s.name JOIN strings v ON v.id = s.service
       JOIN strings t ON t.id = s.type JOIN strings a ON a.id = s.agent
       WHERE trace = ?1 ORDER BY start_ns, s.id`,
    );
    this.selectTree.setReturnArrays(true);
    this.selectBodies = database.prepare(
      `SELECT s.id AS id, s.grp AS grp, b.body AS body FROM spans s JOIN bodies b ON b.span = s.id
       WHERE s.trace = ? ORDER BY s.start_ns, s.id`,
    );
    this.selectBody = database.prepare(
      "SELECT s.id AS id, s.grp AS grp, b.body AS body FROM spans s JOIN bodies b ON b.span = s.id WHERE s.id = ?",
    );
    this.selectId = database.prepare("SELECT id FROM spans WHERE trace = ? AND span_id = ?");
    this.selectGroup = database.prepare("SELECT * FROM groups WHERE id = ?");
    this.selectTexts = bigints(
      database.prepare("SELECT message_id, made, span, time_ns FROM texts WHERE trace = ?"),
    );
    this.selectToolResults = database.prepare("SELECT message_id, span FROM tool_results WHERE trace = ?");
    this.selectAppends = database.prepare(
      "SELECT span, position, entry FROM appends WHERE trace = ? ORDER BY span, position",
    );
  }

  find(traceId: string): TraceRef | undefined {
    const row = this.selectRef.get(Buffer.from(traceId, "hex"));
    return row === undefined
      ? undefined
      : { no: Number(row["no"]), traceId, start: toBigInt(row["start_ns"]) };
  }

  /** All spans of the trace by start time. */
  tree(trace: TraceRef): readonly TreeRow[] {
    const rows = this.selectTree.all(trace.no, trace.start) as unknown as readonly SQLOutputValue[][];
    const stored = rows.map(toTreeRow);
    const running = this.running(trace);
    // Both come by start time; running ones are few.
    return running.length === 0 ? stored : [...stored, ...running].sort((a, b) => a.offset - b.offset);
  }

  /** Spans that began and have not ended; those of a process that is lost are lost. Their `id` is negative. */
  private running(trace: TraceRef): readonly TreeRow[] {
    const statement = this.database.prepare(
      `SELECT -s.id, lower(hex(span_id)), lower(hex(parent_id)), start_ns - ?2, 0, ${this.live.aliveSql()},
       n.text, v.text, t.text, a.text, kind, 0, flags, 0
       FROM starts s LEFT JOIN instances i USING (instance) JOIN strings n ON n.id = s.name
       JOIN strings v ON v.id = s.service JOIN strings t ON t.id = s.type JOIN strings a ON a.id = s.agent
       WHERE trace = ?1 ORDER BY start_ns, s.id`,
    );
    statement.setReturnArrays(true);
    const rows = statement.all(trace.no, trace.start) as unknown as readonly SQLOutputValue[][];
    return rows
      .map(toTreeRow)
      .map((row) =>
        row.open ? row : { ...row, status: errorStatus, marks: SpanMarks.lost | SpanMarks.outcome },
      );
  }

  /** The resources of all who took part. */
  resources(trace: TraceRef): readonly Uint8Array[] {
    const rows = this.database
      .prepare(
        `SELECT DISTINCT g.resource AS resource FROM groups g
         WHERE g.id IN (SELECT grp FROM spans WHERE trace = ?1 UNION SELECT grp FROM starts WHERE trace = ?1)`,
      )
      .all(trace.no);
    return rows.map((row) => bytes(row["resource"]));
  }

  /** One at a time: the bodies of a large trace are more than should stand in memory at once. */
  *bodies(trace: TraceRef): Generator<BodyRow> {
    for (const row of this.selectBodies.iterate(trace.no)) yield toBodyRow(row);
  }

  /** A negative `id` is that of a span that runs. */
  body(id: number): BodyRow | undefined {
    const row = id < 0 ? this.runningBody(-id) : this.selectBody.get(id);
    return row === undefined ? undefined : toBodyRow(row);
  }

  private runningBody(id: number): Record<string, SQLOutputValue> | undefined {
    return this.database.prepare("SELECT -id AS id, grp, body FROM starts WHERE id = ?").get(id);
  }

  span(id: number): OtlpSpan | undefined {
    const row = this.body(id);
    return row === undefined ? undefined : decodeSpan(row.body);
  }

  rowId(trace: TraceRef, spanId: string): number | undefined {
    const key = Buffer.from(spanId, "hex");
    const row =
      this.selectId.get(trace.no, key) ??
      this.database
        .prepare("SELECT -id AS id FROM starts WHERE trace = ? AND span_id = ?")
        .get(trace.no, key);
    return row === undefined ? undefined : Number(row["id"]);
  }

  group(id: number): GroupRow {
    const row = this.selectGroup.get(id) ?? {};
    return {
      service: String(row["service"] ?? ""),
      resource: bytes(row["resource"]),
      scope: bytes(row["scope"]),
      resourceSchemaUrl: String(row["resource_schema_url"] ?? ""),
      scopeSchemaUrl: String(row["scope_schema_url"] ?? ""),
    };
  }

  texts(trace: TraceRef): readonly TextRow[] {
    return this.selectTexts.all(trace.no).map((row) => ({
      messageId: String(row["message_id"]),
      made: row["made"] === 1n,
      span: Number(row["span"]),
      time: toBigInt(row["time_ns"]),
    }));
  }

  toolResults(trace: TraceRef): readonly ToolResultRow[] {
    return this.selectToolResults.all(trace.no).map((row) => ({
      messageId: String(row["message_id"]),
      span: Number(row["span"]),
    }));
  }

  appends(trace: TraceRef): readonly AppendRow[] {
    return this.selectAppends.all(trace.no).map((row) => ({
      span: Number(row["span"]),
      position: Number(row["position"]),
      entry: String(row["entry"]),
    }));
  }
}

function toTreeRow(row: readonly SQLOutputValue[]): TreeRow {
  return {
    id: Number(row[0]),
    spanId: String(row[1]),
    parentId: String(row[2] ?? ""),
    offset: Number(row[3]),
    duration: Number(row[4]),
    open: row[5] === 1,
    name: String(row[6]),
    service: String(row[7]),
    type: String(row[8]),
    agent: String(row[9]),
    kind: Number(row[10]),
    status: Number(row[11]),
    flags: Number(row[12]),
    marks: Number(row[13]),
    // A span known only by its start has none yet.
    dropped: Number(row[14] ?? 0),
  };
}

function toBodyRow(row: Record<string, SQLOutputValue>): BodyRow {
  return { id: Number(row["id"]), group: Number(row["grp"]), body: bytes(row["body"]) };
}

function bytes(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}
