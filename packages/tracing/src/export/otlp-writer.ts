/**
 * Job: spans as an OTLP ExportTraceServiceRequest in protobuf,
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 * Owns: one buffer, used again for every batch.
 * I1. The segments of a batch are valid until the next call of `write`.
 */
import { SpanStatusCode } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import { DeferredText } from "../content/deferred-text.ts";
import type { EventRecord, InstrumentationScope, LinkRecord, SpanRecord } from "../spans/span-record.ts";
import { attributeKey } from "./attribute-keys.ts";
import type { AttributeKey } from "./attribute-keys.ts";
import { isEncoded } from "./encoded-span.ts";
import type { QueuedSpan } from "./encoded-span.ts";
import type { LongTexts } from "./long-texts.ts";
import { ProtoBuffer } from "./proto-buffer.ts";

const hasIsRemote = 0x100;
const isRemote = 0x200;

export class OtlpWriter {
  readonly #body = new ProtoBuffer();
  readonly #head = new ProtoBuffer();
  readonly #resource: Uint8Array;
  readonly #schemaUrl: string;

  constructor(resource: Attributes, schemaUrl: string) {
    const writer = new ProtoBuffer();
    writeAttributes(writer, 1, resource);
    this.#resource = writer.view(0, writer.length).slice();
    this.#schemaUrl = schemaUrl;
  }

  /** The request's bytes in segments, to be sent one after another. `longTexts`: what was encoded ahead. */
  write(spans: readonly QueuedSpan[], longTexts?: LongTexts): readonly Uint8Array[] {
    this.#body.clear();
    this.#body.longTexts = longTexts;
    const ranges = [...byScope(spans)].map(([scope, group]) => this.#writeScope(scope, group));
    this.#body.longTexts = undefined;
    return ranges.flatMap(([from, to]) => this.#body.parts(from, to));
  }

  /** The lengths of the outer messages are known only after the spans: the head is written last, right before them. */
  #writeScope(
    scope: InstrumentationScope,
    spans: readonly QueuedSpan[],
  ): readonly [from: number, to: number] {
    const body = this.#body;
    body.skip(this.#resource.length + scopeBytes(scope) + this.#schemaUrl.length * 3 + 64);
    const spansStart = body.length;
    for (let at = 0; at < spans.length;) at = this.#writeFrom(spans, at);
    if (scope.schemaUrl !== undefined) body.string(3, scope.schemaUrl);
    const head = this.#writeHead(scope, body.lengthSince(spansStart));
    return [body.fillBefore(spansStart, head), body.length];
  }

  /** Writes the span at `start`, and with one that is encoded all that follow it on its page; gives back where the next begins. */
  #writeFrom(spans: readonly QueuedSpan[], start: number): number {
    const first = spans[start] as QueuedSpan;
    let next = start + 1;
    if (!isEncoded(first)) {
      writeSpan(this.#body, first);
      return next;
    }
    const { page, from } = first;
    let { to } = first;
    for (; next < spans.length; next += 1) {
      const span = spans[next] as QueuedSpan;
      if (!isEncoded(span) || span.page !== page || span.from !== to) break;
      to = span.to;
    }
    this.#body.embed(page.view(from, to));
    return next;
  }

  #writeHead(scope: InstrumentationScope, spanBytes: number): Uint8Array {
    const head = this.#head;
    head.clear();
    head.bytes(1, this.#resource);
    if (this.#schemaUrl !== "") head.string(3, this.#schemaUrl);
    const resourceEnd = head.length;
    const message = head.open(1);
    head.string(1, scope.name);
    if (scope.version !== undefined) head.string(2, scope.version);
    head.close(message);
    const scopeLength = head.length - resourceEnd;
    const scopeSpans = lengthPrefix(2, scopeLength + spanBytes);
    const inner = resourceEnd + scopeSpans.length + scopeLength + spanBytes;
    return Buffer.concat([
      lengthPrefix(1, inner),
      head.view(0, resourceEnd),
      scopeSpans,
      head.view(resourceEnd, head.length),
    ]);
  }
}

function byScope(spans: readonly QueuedSpan[]): ReadonlyMap<InstrumentationScope, readonly QueuedSpan[]> {
  const only = spans[0]?.scope;
  if (only !== undefined && spans.every(({ scope }) => scope === only)) return new Map([[only, spans]]);
  return Map.groupBy(spans, ({ scope }) => scope);
}

function scopeBytes(scope: InstrumentationScope): number {
  return (scope.name.length + (scope.version?.length ?? 0)) * 3;
}

/** Tag and length of a nested message, for fields 1 to 15. */
function lengthPrefix(field: number, length: number): Uint8Array {
  const bytes = [field * 8 + 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.of(...bytes, rest);
}

/** One span as field 2 of a ScopeSpans. */
export function writeSpan(out: ProtoBuffer, record: SpanRecord): void {
  const message = out.open(2, out.spanWidth);
  writeFields(out, record);
  out.spanWidth = out.close(message, out.spanWidth);
}

/** The fields of a Span. One that runs has no end. */
function writeFields(out: ProtoBuffer, record: SpanRecord): void {
  out.hex(1, record.traceId);
  out.hex(2, record.spanId);
  if (record.traceState !== "") out.string(3, record.traceState);
  if (record.parentSpanId !== undefined) out.hex(4, record.parentSpanId);
  out.string(5, record.name);
  out.uint(6, record.kind + 1);
  out.nanos(7, record.startTime);
  if (record.endTime !== 0) out.nanos(8, record.endTime);
  writeAttributes(out, 9, record.attributes);
  if (record.droppedAttributes > 0) out.uint(10, record.droppedAttributes);
  for (const event of record.events) writeEvent(out, event);
  if (record.droppedEvents > 0) out.uint(12, record.droppedEvents);
  for (const link of record.links) writeLink(out, link);
  if (record.droppedLinks > 0) out.uint(14, record.droppedLinks);
  writeStatus(out, record);
  out.fixed32(16, flagsOf(record.traceFlags, record.parentIsRemote));
}

function writeStatus(out: ProtoBuffer, { status }: SpanRecord): void {
  if (status.code === SpanStatusCode.UNSET) return;
  const message = out.open(15);
  if (status.message !== undefined) out.string(2, status.message);
  out.uint(3, status.code);
  out.close(message);
}

function writeEvent(out: ProtoBuffer, event: EventRecord): void {
  const message = out.open(11);
  out.nanos(1, event.time);
  out.string(2, event.name);
  writeAttributes(out, 3, event.attributes);
  if (event.droppedAttributes > 0) out.uint(4, event.droppedAttributes);
  out.close(message);
}

function writeLink(out: ProtoBuffer, link: LinkRecord): void {
  const { context } = link;
  const message = out.open(13);
  out.hex(1, context.traceId);
  out.hex(2, context.spanId);
  const state = context.traceState?.serialize();
  if (state) out.string(3, state);
  writeAttributes(out, 4, link.attributes);
  if (link.droppedAttributes > 0) out.uint(5, link.droppedAttributes);
  out.fixed32(6, flagsOf(context.traceFlags, context.isRemote === true));
  out.close(message);
}

function flagsOf(traceFlags: number, remote: boolean): number {
  return (traceFlags & 0xff) | hasIsRemote | (remote ? isRemote : 0);
}

export function writeAttributes(out: ProtoBuffer, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined || value === null) continue;
    const known = attributeKey(key);
    if (typeof value === "string") writeText(out, field, known, value);
    else if (value instanceof DeferredText) writeDeferred(out, field, known, value);
    else {
      const pair = out.open(field);
      out.raw(known.field);
      writeValue(out, 2, value);
      out.close(pair);
    }
  }
}

function writeText(out: ProtoBuffer, field: number, key: AttributeKey, text: string): void {
  const pair = key.pairOf(text);
  if (pair === undefined) out.textAttribute(field, key.field, text);
  else out.bytes(field, pair);
}

function writeDeferred(out: ProtoBuffer, field: number, key: AttributeKey, text: DeferredText): void {
  const encoded = out.encodedAhead(text);
  if (encoded === undefined) out.deferredAttribute(field, key.field, text);
  else out.externalAttribute(field, key.field, encoded);
}

function writeValue(out: ProtoBuffer, field: number, value: unknown): void {
  const message = out.open(field);
  if (typeof value === "string") out.string(1, value);
  else if (typeof value === "boolean") out.uint(2, value ? 1 : 0);
  else if (typeof value === "number") writeNumber(out, value);
  else if (Array.isArray(value)) writeArray(out, value);
  else if (value instanceof Uint8Array) out.bytes(7, value);
  else if (typeof value === "object" && value !== null) writeMap(out, value);
  out.close(message);
}

function writeNumber(out: ProtoBuffer, value: number): void {
  if (Number.isSafeInteger(value)) out.int64(3, value);
  else out.double(4, value);
}

function writeMap(out: ProtoBuffer, map: object): void {
  const message = out.open(6);
  writeAttributes(out, 1, map as Attributes);
  out.close(message);
}

function writeArray(out: ProtoBuffer, values: readonly unknown[]): void {
  const message = out.open(5);
  for (const value of values) writeValue(out, 1, value);
  out.close(message);
}

/** The fields of a ScopeSpans other than its spans. */
export function writeScopeFields(out: ProtoBuffer, scope: InstrumentationScope): void {
  const message = out.open(1);
  out.string(1, scope.name);
  if (scope.version !== undefined) out.string(2, scope.version);
  out.close(message);
  if (scope.schemaUrl !== undefined) out.string(3, scope.schemaUrl);
}

/** The fields of a Resource. */
export function encodeResource(resource: Attributes): Buffer {
  const out = new ProtoBuffer();
  writeAttributes(out, 1, resource);
  return Buffer.from(out.view(0, out.length));
}
