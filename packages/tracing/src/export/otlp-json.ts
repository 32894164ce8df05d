/** Spans in OTLP's JSON encoding. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
import { randomUUID } from "node:crypto";
import type { Attributes, AttributeValue } from "@opentelemetry/api";
import { DeferredText } from "../content/deferred-text.ts";
import type { OtlpAnyValue, OtlpKeyValue, OtlpLink, OtlpSpan, OtlpTraces } from "../http.ts";
import type { InstrumentationScope, LinkRecord, SpanRecord } from "../spans/span-record.ts";
import type { EncodedText, LongText, LongTexts } from "./long-texts.ts";
import type { RequestWriter } from "./span-queue.ts";

/** For backends that take nothing else; protobuf is three times as fast. */
export function otlpJsonWriter(resource: Attributes, schemaUrl: string): RequestWriter {
  return {
    write(records: readonly SpanRecord[], longTexts = noTexts) {
      const marks = new LongTextMarks(longTexts);
      const json = JSON.stringify(toOtlpTraces(records, resource, schemaUrl, (text) => marks.put(text)));
      return marks.replace(json);
    },
    encodePiece: (piece) => Buffer.from(JSON.stringify(piece).slice(1, -1)),
  };
}

const noTexts: LongTexts = new Map();

/** What stands for the texts that were encoded ahead, until all else is JSON. */
class LongTextMarks {
  readonly #texts: LongTexts;
  /** No text holds it but by an accident that does not happen. */
  readonly #mark = `weft-${randomUUID()}`;
  readonly #marked: EncodedText[] = [];

  constructor(texts: LongTexts) {
    this.#texts = texts;
  }

  put(text: LongText): string {
    const encoded = this.#texts.get(text);
    if (encoded === undefined) return text.toString();
    return `${this.#mark}${String(this.#marked.push(encoded) - 1)};`;
  }

  replace(json: string): readonly Uint8Array[] {
    const [first = "", ...others] = json.split(this.#mark);
    const parts: Uint8Array[] = [Buffer.from(first)];
    for (const other of others) {
      const end = other.indexOf(";");
      parts.push(...(this.#marked[Number(other.slice(0, end))]?.pieces ?? []));
      parts.push(Buffer.from(other.slice(end + 1)));
    }
    return parts;
  }
}

/** Makes the text of an attribute's value. */
type ToText = (text: LongText) => string;
const wholeText: ToText = (text) => text.toString();

export function toOtlpTraces(
  records: readonly SpanRecord[],
  resource: Attributes,
  schemaUrl: string,
  toText: ToText = wholeText,
): OtlpTraces {
  const groups = new Map<InstrumentationScope, OtlpSpan[]>();
  for (const record of records) {
    const group = groups.get(record.scope);
    if (group === undefined) groups.set(record.scope, [toOtlpSpan(record, toText)]);
    else group.push(toOtlpSpan(record, toText));
  }
  const scopeSpans = [...groups].map(([scope, spans]) => ({
    scope: { name: scope.name, ...(scope.version === undefined ? {} : { version: scope.version }) },
    spans,
    ...(scope.schemaUrl === undefined ? {} : { schemaUrl: scope.schemaUrl }),
  }));
  return {
    resourceSpans: [{ resource: { attributes: keyValues(resource, toText) }, scopeSpans, schemaUrl }],
  };
}

function toOtlpSpan(record: SpanRecord, toText: ToText): OtlpSpan {
  return {
    traceId: record.traceId,
    spanId: record.spanId,
    ...(record.traceState === "" ? {} : { traceState: record.traceState }),
    ...(record.parentSpanId === undefined ? {} : { parentSpanId: record.parentSpanId }),
    flags: flagsOf(record.traceFlags, record.parentIsRemote),
    name: record.name,
    kind: record.kind + 1,
    startTimeUnixNano: nanoseconds(record.startTime),
    endTimeUnixNano: nanoseconds(record.endTime),
    attributes: keyValues(record.attributes, toText),
    droppedAttributesCount: record.droppedAttributes,
    events: record.events.map((event) => ({
      timeUnixNano: nanoseconds(event.time),
      name: event.name,
      attributes: keyValues(event.attributes, toText),
      droppedAttributesCount: event.droppedAttributes,
    })),
    droppedEventsCount: record.droppedEvents,
    links: record.links.map((link) => toOtlpLink(link, toText)),
    droppedLinksCount: record.droppedLinks,
    status: { ...record.status },
  };
}

function toOtlpLink({ context, attributes, droppedAttributes }: LinkRecord, toText: ToText): OtlpLink {
  const traceState = context.traceState?.serialize();
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(traceState ? { traceState } : {}),
    attributes: keyValues(attributes, toText),
    droppedAttributesCount: droppedAttributes,
    flags: flagsOf(context.traceFlags, context.isRemote === true),
  };
}

function flagsOf(traceFlags: number, remote: boolean): number {
  return (traceFlags & 0xff) | 0x100 | (remote ? 0x200 : 0);
}

function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.floor((milliseconds - whole) * 1e6)));
}

function keyValues(attributes: Attributes, toText: ToText): readonly OtlpKeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined || value === null ? [] : [{ key, value: anyValue(value, toText) }],
  );
}

function anyValue(value: AttributeValue, toText: ToText): OtlpAnyValue {
  if (typeof value === "string" || value instanceof DeferredText) return { stringValue: toText(value) };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return { intValue: String(value) };
    return { doubleValue: Number.isFinite(value) ? value : (String(value) as "NaN") };
  }
  const items = Array.isArray(value) ? (value as readonly AttributeValue[]) : [];
  return {
    arrayValue: {
      values: items.map((item) => (item === null || item === undefined ? {} : anyValue(item, wholeText))),
    },
  };
}
