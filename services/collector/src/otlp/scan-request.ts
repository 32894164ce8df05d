/**
 * ExportTraceServiceRequest bytes -> what the store keeps in columns, plus each span's own bytes.
 *
 * Ingest's hot path: it builds no attribute objects. Of the attributes it reads those the tree, the list and the
 * transcript need; the others are walked, so that what is stored can be read back later.
 *
 * Spec: https://github.com/open-telemetry/opentelemetry-proto (trace/v1/trace.proto)
 */
import { malformed, maxValueDepth, ProtoReader, readAnyValue, readStatus } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { plainValue, texts } from "./attribute.ts";

/** One span on its way into the store. Buffers are views on the request's body. */
export interface ScannedSpan {
  readonly group: SpanGroup;
  readonly bytes: Buffer;
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentId: string;
  name: string;
  kind: number;
  /** Nanoseconds since 1970; `end` is 0 for a span that has not ended. */
  start: bigint;
  end: bigint;
  statusCode: number;
  flags: number;
  readonly values: Map<string, unknown>;
}

/** What spans of one resource and scope share. */
export interface SpanGroup {
  readonly service: string;
  readonly resource: Buffer;
  readonly scope: Buffer;
  readonly resourceSchemaUrl: string;
  readonly scopeSchemaUrl: string;
}

export interface ScannedRequest {
  readonly spans: readonly ScannedSpan[];
  readonly rejected: number;
  /** Why the first rejected span was rejected. */
  readonly reason: string;
}

/** Attributes that are decoded at ingest. */
const wanted: ReadonlySet<string> = new Set([
  Attr.spanType,
  Attr.operationName,
  Attr.agentName,
  Attr.outcome,
  Attr.usageInputTokens,
  Attr.usageOutputTokens,
  Attr.cost,
  Attr.droppedSpans,
  Attr.historyAppends,
  Attr.inputMessages,
  Attr.outputMessages,
  Attr.systemInstructions,
  Attr.toolAnsweredIn,
]);

const empty: Buffer = Buffer.alloc(0);
const maxSigned64 = 0x7fff_ffff_ffff_ffffn;

/** @throws WeftError `invalid_argument` when the bytes are not such a request: then nothing of it is stored. */
export function scanRequest(body: Buffer): ScannedRequest {
  const spans: ScannedSpan[] = [];
  let rejected = 0;
  let reason = "";
  const reader = new ProtoReader(body);
  while (reader.next()) {
    if (reader.field !== 1) reader.skip();
    else {
      for (const span of scanResourceSpans(reader.message())) {
        const fault = faultOf(span);
        if (fault === undefined) spans.push(span);
        else {
          rejected += 1;
          reason ||= fault;
        }
      }
    }
  }
  return { spans, rejected, reason };
}

/** Why a well-formed span cannot be stored; the others of its request still are. */
function faultOf(span: ScannedSpan): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(span.traceId) || /^0+$/.test(span.traceId)) {
    return `span "${span.name}" has no valid trace id`;
  }
  if (!/^[0-9a-f]{16}$/.test(span.spanId) || /^0+$/.test(span.spanId)) {
    return `span "${span.name}" has no valid span id`;
  }
  if (span.parentId !== "" && span.parentId.length !== 16)
    return `span "${span.name}" has no valid parent id`;
  if (span.start === 0n) return `span "${span.name}" has no start time`;
  if (span.start > maxSigned64 || span.end > maxSigned64) return `span "${span.name}" has an impossible time`;
  return undefined;
}

function* scanResourceSpans(reader: ProtoReader): Generator<ScannedSpan> {
  let resource: Buffer = empty;
  let resourceSchemaUrl = "";
  const scopes: ProtoReader[] = [];
  while (reader.next()) {
    if (reader.field === 1) resource = reader.bytes();
    else if (reader.field === 2) scopes.push(reader.message());
    else if (reader.field === 3) resourceSchemaUrl = reader.string();
    else reader.skip();
  }
  const service = serviceOf(resource);
  for (const scope of scopes) yield* scanScopeSpans(scope, { service, resource, resourceSchemaUrl });
}

function* scanScopeSpans(
  reader: ProtoReader,
  shared: Pick<SpanGroup, "service" | "resource" | "resourceSchemaUrl">,
): Generator<ScannedSpan> {
  let scope: Buffer = empty;
  let scopeSchemaUrl = "";
  const bodies: Buffer[] = [];
  while (reader.next()) {
    if (reader.field === 1) scope = checked(reader.bytes(), scanScope);
    else if (reader.field === 2) bodies.push(reader.bytes());
    else if (reader.field === 3) scopeSchemaUrl = reader.string();
    else reader.skip();
  }
  const group: SpanGroup = { ...shared, scope, scopeSchemaUrl };
  for (const bytes of bodies) yield scanSpan(bytes, group);
}

function scanSpan(bytes: Buffer, group: SpanGroup): ScannedSpan {
  const span: ScannedSpan = {
    group,
    bytes,
    traceId: "",
    spanId: "",
    parentId: "",
    name: "",
    kind: 0,
    start: 0n,
    end: 0n,
    statusCode: 0,
    flags: 0,
    values: new Map(),
  };
  const reader = new ProtoReader(bytes);
  while (reader.next()) scanSpanField(reader, span);
  if (/^0+$/.test(span.parentId)) span.parentId = "";
  return span;
}

function scanSpanField(reader: ProtoReader, span: ScannedSpan): void {
  if (reader.field === 9) scanAttribute(reader.message(), span.values, 0);
  else if (reader.field === 1) span.traceId = reader.bytes().toString("hex");
  else if (reader.field === 2) span.spanId = reader.bytes().toString("hex");
  else if (reader.field === 4) span.parentId = reader.bytes().toString("hex");
  else if (reader.field === 5) span.name = reader.string();
  else if (reader.field === 6) span.kind = reader.unsigned();
  else if (reader.field === 7) span.start = reader.fixed64();
  else if (reader.field === 8) span.end = reader.fixed64();
  else if (reader.field === 11) scanEvent(reader.message());
  else if (reader.field === 13) scanLink(reader.message());
  else if (reader.field === 15) span.statusCode = readStatus(reader.message()).code ?? 0;
  else if (reader.field === 16) span.flags = reader.fixed32();
  else if (reader.field === 3) reader.bytes();
  else if (reader.field === 10 || reader.field === 12 || reader.field === 14) reader.unsigned();
  else reader.skip();
}

function serviceOf(resource: Buffer): string {
  const values = new Map<string, unknown>();
  const reader = new ProtoReader(resource);
  while (reader.next()) {
    if (reader.field === 1) scanAttribute(reader.message(), values, 0, serviceKeys);
    else if (reader.field === 2) reader.unsigned();
    else reader.skip();
  }
  const name = values.get(Attr.serviceName);
  return typeof name === "string" && name !== "" ? name : "unknown_service";
}

const serviceKeys: ReadonlySet<string> = new Set([Attr.serviceName]);
const noKeys: ReadonlySet<string> = new Set();
const nothing = new Map<string, unknown>();

function scanScope(reader: ProtoReader): void {
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) reader.bytes();
    else if (reader.field === 3) scanAttribute(reader.message(), nothing, 0, noKeys);
    else if (reader.field === 4) reader.unsigned();
    else reader.skip();
  }
}

function scanEvent(reader: ProtoReader): void {
  while (reader.next()) {
    if (reader.field === 1) reader.fixed64();
    else if (reader.field === 2) reader.bytes();
    else if (reader.field === 3) scanAttribute(reader.message(), nothing, 0, noKeys);
    else if (reader.field === 4) reader.unsigned();
    else reader.skip();
  }
}

function scanLink(reader: ProtoReader): void {
  while (reader.next()) {
    if (reader.field >= 1 && reader.field <= 3) reader.bytes();
    else if (reader.field === 4) scanAttribute(reader.message(), nothing, 0, noKeys);
    else if (reader.field === 5) reader.unsigned();
    else if (reader.field === 6) reader.fixed32();
    else reader.skip();
  }
}

function scanAttribute(
  reader: ProtoReader,
  values: Map<string, unknown>,
  depth: number,
  keys = wanted,
): void {
  let key = "";
  let value: ProtoReader | undefined;
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.message();
    else reader.skip();
  }
  if (value === undefined) return;
  if (keys.has(key)) values.set(key, plainValue(readAnyValue(value, depth)));
  else walkValue(value, depth);
}

/** Checks a value without building it. */
function walkValue(reader: ProtoReader, depth: number): void {
  if (depth > maxValueDepth) throw malformed("an attribute is nested too deep");
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 7) reader.bytes();
    else if (reader.field === 2) reader.unsigned();
    else if (reader.field === 3) reader.unsigned();
    else if (reader.field === 4) reader.double();
    else if (reader.field === 5) walkValues(reader.message(), (entry) => walkValue(entry, depth + 1));
    else if (reader.field === 6) {
      walkValues(reader.message(), (entry) => scanAttribute(entry, nothing, depth + 1, noKeys));
    } else reader.skip();
  }
}

function walkValues(reader: ProtoReader, walk: (entry: ProtoReader) => void): void {
  while (reader.next()) {
    if (reader.field === 1) walk(reader.message());
    else reader.skip();
  }
}

function checked(bytes: Buffer, scan: (reader: ProtoReader) => void): Buffer {
  scan(new ProtoReader(bytes));
  return bytes;
}

/** A wanted attribute as text, as a number, as texts. */
export function textOf(span: ScannedSpan, key: string): string {
  const value = span.values.get(key);
  return typeof value === "string" ? value : "";
}

export function numberOf(span: ScannedSpan, key: string): number {
  const value = span.values.get(key);
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

export function textsOf(span: ScannedSpan, key: string): readonly string[] {
  return texts(span.values.get(key));
}
