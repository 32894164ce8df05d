/** The `traces` table: summaries in, summaries out. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { TraceList, TraceState, TraceSummary } from "@weft/tracing/http";
import { WeftError } from "@weft/tracing";
import type { LiveRows } from "./live-rows.ts";
import type { ListQuery, TraceFilter } from "./store.ts";
import { toSummary } from "./trace-account.ts";
import type { TraceAccount } from "./trace-account.ts";

type Row = Record<string, SQLOutputValue>;

export class SummaryRows {
  private readonly database: DatabaseSync;
  private readonly live: LiveRows;
  private readonly insertTrace: StatementSync;
  private readonly updateTrace: StatementSync;
  private readonly selectTrace: StatementSync;

  constructor(database: DatabaseSync, live: LiveRows) {
    this.database = database;
    this.live = live;
    this.insertTrace = database.prepare(
      `INSERT INTO traces (trace_id, start_ns, end_ns, root_name, state, span_count, error_count, turns, input_tokens,
       output_tokens, services, agents) VALUES (?, ?, ?, '', 'RUNNING', 0, 0, 0, 0, 0, '[]', '[]')`,
    );
    this.updateTrace = database.prepare(
      `UPDATE traces SET start_ns = ?, end_ns = ?, root_name = ?, root_start_ns = ?, state = ?, span_count = ?,
       error_count = ?, turns = ?, input_tokens = ?, output_tokens = ?, cost = ?, services = ?, agents = ?
       WHERE no = ?`,
    );
    this.selectTrace = bigints(database.prepare("SELECT * FROM traces WHERE trace_id = ?"));
  }

  /** Adds an empty row and returns its number. */
  insert(traceId: string, start: bigint): number {
    return Number(this.insertTrace.run(Buffer.from(traceId, "hex"), start, start).lastInsertRowid);
  }

  find(traceId: string): TraceAccount | undefined {
    const row = this.selectTrace.get(Buffer.from(traceId, "hex"));
    return row === undefined ? undefined : toAccount(row);
  }

  /** As `list` has it: with the state that is derived. */
  summary(traceId: string): TraceSummary | undefined {
    return this.read("trace_id = ?", Buffer.from(traceId, "hex"));
  }

  summaryOf(no: number): TraceSummary | undefined {
    return this.read("no = ?", no);
  }

  private read(condition: string, value: Buffer | number): TraceSummary | undefined {
    const select = bigints(this.database.prepare(`${this.selectSql()} WHERE ${condition}`));
    const row = select.get(value);
    return row === undefined ? undefined : toSummary(toAccount(row));
  }

  private selectSql(): string {
    return `SELECT t.*, ${this.live.stateSql()} AS live_state FROM traces t`;
  }

  update(account: TraceAccount): void {
    this.updateTrace.run(
      account.start,
      account.end,
      account.rootName,
      account.rootStart ?? null,
      account.state,
      account.spanCount,
      account.errorCount,
      account.turns,
      account.inputTokens,
      account.outputTokens,
      account.cost,
      JSON.stringify([...account.services]),
      JSON.stringify([...account.agents]),
      account.no,
    );
  }

  /** Newest first, by keyset: a page costs the same wherever it lies. */
  list(query: ListQuery): TraceList {
    const { conditions, values } = toConditions(query.filter, this.live.stateSql());
    if (query.pageToken !== undefined) {
      conditions.push("(start_ns, no) < (?, ?)");
      values.push(...parsePageToken(query.pageToken));
    }
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const statement = bigints(
      this.database.prepare(`${this.selectSql()} ${where} ORDER BY start_ns DESC, no DESC LIMIT ?`),
    );
    const rows = statement.all(...values, query.pageSize + 1).map(toAccount);
    const page = rows.slice(0, query.pageSize);
    const traces: readonly TraceSummary[] = page.map(toSummary);
    const last = page.at(-1);
    if (rows.length <= query.pageSize || last === undefined) return { traces };
    return { traces, nextPageToken: toPageToken(last) };
  }
}

function toConditions(
  filter: TraceFilter | undefined,
  stateSql: string,
): {
  conditions: string[];
  values: (string | bigint)[];
} {
  const conditions: string[] = [];
  const values: (string | bigint)[] = [];
  if (filter?.service !== undefined) {
    conditions.push(
      "no IN (SELECT trace FROM trace_services WHERE service = (SELECT id FROM strings WHERE text = ?))",
    );
    values.push(filter.service);
  }
  if (filter?.state !== undefined) {
    // Derived only where it can differ, so that the other states cost nothing more.
    if (filter.state === "RUNNING") conditions.push(`state = 'RUNNING' AND ${stateSql} = ?`);
    else if (filter.state === "LOST") conditions.push(`state IN ('LOST', 'RUNNING') AND ${stateSql} = ?`);
    else conditions.push("state = ?");
    values.push(filter.state);
  }
  return { conditions, values };
}

function toPageToken(account: TraceAccount): string {
  return Buffer.from(`${String(account.start)}.${String(account.no)}`).toString("base64url");
}

function parsePageToken(token: string): [bigint, bigint] {
  const match = /^(\d{1,19})\.(\d{1,15})$/.exec(Buffer.from(token, "base64url").toString());
  if (match === null) throw new WeftError("invalid_argument", "pageToken is not one this collector gave");
  return [BigInt(match[1] ?? 0), BigInt(match[2] ?? 0)];
}

function toAccount(row: Row): TraceAccount {
  const rootStart = row["root_start_ns"];
  const cost = row["cost"];
  return {
    no: Number(row["no"]),
    traceId: hex(row["trace_id"]),
    start: toBigInt(row["start_ns"]),
    end: toBigInt(row["end_ns"]),
    rootName: String(row["root_name"]),
    rootStart: typeof rootStart === "bigint" ? rootStart : undefined,
    state: String(row["live_state"] ?? row["state"]) as TraceState,
    spanCount: Number(row["span_count"]),
    errorCount: Number(row["error_count"]),
    turns: Number(row["turns"]),
    inputTokens: Number(row["input_tokens"]),
    outputTokens: Number(row["output_tokens"]),
    cost: typeof cost === "number" ? cost : null,
    services: new Set(JSON.parse(String(row["services"])) as string[]),
    agents: new Set(JSON.parse(String(row["agents"])) as string[]),
  };
}

/** Nanoseconds since 1970 do not fit into a number. */
export function bigints(statement: StatementSync): StatementSync {
  statement.setReadBigInts(true);
  return statement;
}

export function toBigInt(value: SQLOutputValue | undefined): bigint {
  return typeof value === "bigint" ? value : 0n;
}

export function hex(value: SQLOutputValue | undefined): string {
  if (!(value instanceof Uint8Array)) return "";
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
}
