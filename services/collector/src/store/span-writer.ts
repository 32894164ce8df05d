/**
 * Scanned spans -> rows. Runs inside a transaction that its caller opens and ends.
 *
 * Owns: the prepared statements of ingest, and caches of names, groups and open traces.
 * Does not own: the transaction; after a rollback its caller calls `forget`.
 *
 * I1 A span (trace id, span id) is stored at most once; the first wins, but a real end replaces a closing (outcome lost).
 * I2 A trace's summary counts exactly the spans that are stored.
 * I3 A cache only holds what the database holds; what a rollback took back is forgotten.
 */
import { createHash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LiveSpan, TraceSummary } from "@weft/tracing/http";
import { parseToolAnswer } from "@weft/tracing/internal";
import { Attr, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { numberOf, textOf, textsOf } from "../otlp/scan-request.ts";
import type { ScannedSpan, SpanGroup } from "../otlp/scan-request.ts";
import { messageIds } from "../trace/messages.ts";
import { errorStatus, SpanMarks } from "./span-marks.ts";
import type { LiveRows } from "./live-rows.ts";
import { SummaryRows } from "./summary-rows.ts";
import {
  addToAccount,
  isoTime,
  milliseconds,
  newAccount,
  removeClosing,
  toSummary,
  typeOf,
} from "./trace-account.ts";
import type { TraceAccount } from "./trace-account.ts";

const maxCachedNames = 50_000;
const maxCachedTraces = 5_000;

export class SpanWriter {
  private readonly database: DatabaseSync;
  private readonly summaries: SummaryRows;
  private readonly live: LiveRows;
  private readonly selectMarks: StatementSync;
  private readonly insertSpan: StatementSync;
  private readonly insertBody: StatementSync;
  private readonly insertText: StatementSync;
  private readonly insertToolResult: StatementSync;
  private readonly insertAppend: StatementSync;
  private readonly insertString: StatementSync;
  private readonly insertGroup: StatementSync;
  private readonly insertService: StatementSync;
  private readonly strings = new Map<string, number>();
  private readonly groups = new Map<string, number>();
  private readonly groupsOfRequest = new WeakMap<SpanGroup, number>();
  private readonly accounts = new Map<string, TraceAccount>();
  private readonly dirty = new Set<TraceAccount>();

  constructor(database: DatabaseSync, live: LiveRows) {
    this.live = live;
    this.summaries = new SummaryRows(database, live);
    this.database = database;
    this.selectMarks = database.prepare("SELECT id, marks FROM spans WHERE trace = ? AND span_id = ?");
    this.insertSpan = database.prepare(
      `INSERT INTO spans (trace, span_id, parent_id, start_ns, end_ns, name, grp, service, type, agent, kind, status,
       flags, marks, dropped) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.insertBody = database.prepare("INSERT INTO bodies (span, body) VALUES (?, ?)");
    this.insertText = database.prepare(
      `INSERT INTO texts (trace, message_id, made, span, time_ns) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET span = excluded.span, time_ns = excluded.time_ns
       WHERE excluded.time_ns < texts.time_ns`,
    );
    this.insertToolResult = database.prepare(
      "INSERT INTO tool_results (trace, message_id, place, span) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.insertAppend = database.prepare(
      "INSERT INTO appends (trace, span, position, entry) VALUES (?, ?, ?, ?)",
    );
    // The no-op update makes RETURNING answer for rows that exist, too.
    this.insertString = database.prepare(
      "INSERT INTO strings (text) VALUES (?) ON CONFLICT (text) DO UPDATE SET text = text RETURNING id",
    );
    this.insertGroup = database.prepare(
      `INSERT INTO groups (digest, service, resource, scope, resource_schema_url, scope_schema_url)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET digest = digest RETURNING id`,
    );
    this.insertService = database.prepare(
      "INSERT INTO trace_services (service, trace) VALUES (?, ?) ON CONFLICT DO NOTHING",
    );
  }

  /** Returns whether the span is new. */
  write(span: ScannedSpan): boolean {
    const type = typeOf(span);
    const account = this.account(span);
    const id = this.insert(span, type, account.no) ?? this.replaceClosing(span, type, account);
    if (id === undefined) return false;
    this.live.spanStored(span, account.no);
    this.insertBody.run(id, span.bytes);
    this.writeTexts(span, account.no, id);
    if (!account.services.has(span.group.service)) {
      this.insertService.run(this.string(span.group.service), account.no);
    }
    addToAccount(account, span, type);
    this.dirty.add(account);
    return true;
  }

  /** Keeps that a span began. Returns whether it is news. */
  writeStart(span: ScannedSpan, instance: string): boolean {
    const type = typeOf(span);
    const account = this.account(span);
    const service = this.string(span.group.service);
    const columns = {
      trace: account.no,
      name: this.string(span.name),
      group: this.group(span.group),
      service,
      type: this.string(type),
      agent: this.string(textOf(span, Attr.agentName)),
    };
    if (!this.live.writeStart(span, columns, instance)) return false;
    if (span.parentId === "" && account.rootStart === undefined) account.rootName = span.name;
    if (span.start < account.start) account.start = span.start;
    if (!account.services.has(span.group.service)) this.insertService.run(service, account.no);
    account.services.add(span.group.service);
    this.dirty.add(account);
    return true;
  }

  /** Writes the summaries that changed and returns them. */
  finish(): readonly TraceSummary[] {
    this.live.finish();
    const changed = [...this.dirty];
    for (const account of changed) this.summaries.update(account);
    this.dirty.clear();
    if (this.accounts.size > maxCachedTraces) this.accounts.clear();
    return changed.map(toSummary);
  }

  /** After a rollback, or when rows were deleted: the database is the truth again. */
  forget(): void {
    this.dirty.clear();
    this.accounts.clear();
    this.strings.clear();
    this.groups.clear();
    this.live.forget();
  }

  /** The number of the new row, when a closing stood in the way of a real end. */
  private replaceClosing(span: ScannedSpan, type: string, account: TraceAccount): number | undefined {
    if (textOf(span, Attr.outcome) === Outcomes.lost) return undefined;
    const row = this.selectMarks.get(account.no, Buffer.from(span.spanId, "hex"));
    if (row === undefined || (Number(row["marks"]) & SpanMarks.lost) === 0) return undefined;
    const id = Number(row["id"]);
    for (const sql of [
      "DELETE FROM bodies WHERE span = ?",
      "DELETE FROM texts WHERE span = ?",
      "DELETE FROM tool_results WHERE span = ?",
      "DELETE FROM appends WHERE span = ?",
      "DELETE FROM spans WHERE id = ?",
    ])
      this.database.prepare(sql).run(id);
    removeClosing(account, span, type);
    return this.insert(span, type, account.no);
  }

  private insert(span: ScannedSpan, type: string, trace: number): number | undefined {
    const { changes, lastInsertRowid } = this.insertSpan.run(
      trace,
      Buffer.from(span.spanId, "hex"),
      span.parentId === "" ? null : Buffer.from(span.parentId, "hex"),
      span.start,
      span.end,
      this.string(span.name),
      this.group(span.group),
      this.string(span.group.service),
      this.string(type),
      this.string(textOf(span, Attr.agentName)),
      span.kind,
      span.statusCode,
      span.flags,
      marksOf(span, type),
      Math.trunc(numberOf(span, Attr.droppedSpans)),
    );
    return Number(changes) === 0 ? undefined : Number(lastInsertRowid);
  }

  private writeTexts(span: ScannedSpan, trace: number, id: number): void {
    for (const messageId of messageIds(span.values.get(Attr.outputMessages))) {
      this.insertText.run(trace, messageId, 1, id, span.end || span.start);
    }
    for (const key of [Attr.inputMessages, Attr.systemInstructions]) {
      for (const messageId of messageIds(span.values.get(key)))
        this.insertText.run(trace, messageId, 0, id, span.start);
    }
    const answer = parseToolAnswer(textOf(span, Attr.toolAnsweredIn));
    if (answer !== undefined) this.insertToolResult.run(trace, answer.messageId, answer.place, id);
    for (const [position, entry] of textsOf(span, Attr.historyAppends).entries()) {
      this.insertAppend.run(trace, id, position, entry);
    }
  }

  private account(span: ScannedSpan): TraceAccount {
    const cached = this.accounts.get(span.traceId);
    if (cached !== undefined) return cached;
    const account =
      this.summaries.find(span.traceId) ?? newAccount(this.summaries.insert(span.traceId, span.start), span);
    this.accounts.set(span.traceId, account);
    return account;
  }

  private string(text: string): number {
    const cached = this.strings.get(text);
    if (cached !== undefined) return cached;
    const id = Number(this.insertString.get(text)?.["id"]);
    if (this.strings.size >= maxCachedNames) this.strings.clear();
    this.strings.set(text, id);
    return id;
  }

  private group(group: SpanGroup): number {
    const known = this.groupsOfRequest.get(group);
    if (known !== undefined) return known;
    const { service, resource, scope, resourceSchemaUrl, scopeSchemaUrl } = group;
    const hash = createHash("sha256");
    for (const part of [resource, scope, resourceSchemaUrl, scopeSchemaUrl]) {
      hash.update(`${String(part.length)}:`).update(part);
    }
    const digest = hash.digest();
    const key = digest.toString("latin1");
    const id =
      this.groups.get(key) ??
      Number(
        this.insertGroup.get(digest, service, resource, scope, resourceSchemaUrl, scopeSchemaUrl)?.["id"],
      );
    if (this.groups.size >= maxCachedNames) this.groups.clear();
    this.groups.set(key, id);
    this.groupsOfRequest.set(group, id);
    return id;
  }
}

function marksOf(span: ScannedSpan, type: string): number {
  const outcome = textOf(span, Attr.outcome);
  let marks = 0;
  if (outcome !== "") marks |= SpanMarks.outcome;
  if (outcome === Outcomes.lost) marks |= SpanMarks.lost;
  if (span.values.has(Attr.inputMessages) || span.values.has(Attr.outputMessages))
    marks |= SpanMarks.hasMessages;
  if (span.values.has(Attr.historyAppends)) marks |= SpanMarks.hasAppends;
  if (type === SpanTypes.llm) marks |= SpanMarks.model;
  return marks;
}

/** What listeners are told of a span. */
export function toLiveSpan(span: ScannedSpan): LiveSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === "" ? {} : { parentSpanId: span.parentId }),
    name: span.name,
    service: span.group.service,
    type: typeOf(span),
    kind: span.kind,
    startTime: isoTime(span.start),
    durationMs: milliseconds(span.end - span.start),
    error: span.statusCode === errorStatus,
  };
}
