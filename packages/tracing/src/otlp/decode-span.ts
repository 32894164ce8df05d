/** Span, resource and scope in protobuf -> OTLP JSON. */
import type {
  OtlpAnyValue,
  OtlpEvent,
  OtlpKeyValue,
  OtlpLink,
  OtlpResource,
  OtlpScope,
  OtlpSpan,
} from "../http.ts";
import { malformed, ProtoReader } from "./proto-reader.ts";

/** Deeper nested values are refused: they would only serve to exhaust the stack. */
export const maxValueDepth = 32;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function decodeSpan(bytes: Uint8Array): OtlpSpan {
  const reader = readerOver(bytes);
  const attributes: OtlpKeyValue[] = [];
  const events: OtlpEvent[] = [];
  const links: OtlpLink[] = [];
  const span: Mutable<OtlpSpan> = {
    traceId: "",
    spanId: "",
    name: "",
    kind: 0,
    startTimeUnixNano: "0",
    endTimeUnixNano: "0",
    attributes,
    events,
    links,
    status: {},
  };
  while (reader.next()) readSpanField(reader, span, attributes, events, links);
  return span;
}

function readSpanField(
  reader: ProtoReader,
  span: Mutable<OtlpSpan>,
  attributes: OtlpKeyValue[],
  events: OtlpEvent[],
  links: OtlpLink[],
): void {
  if (reader.field === 1) span.traceId = reader.bytes().toString("hex");
  else if (reader.field === 2) span.spanId = reader.bytes().toString("hex");
  else if (reader.field === 3) assignText(span, "traceState", reader.string());
  else if (reader.field === 4) assignText(span, "parentSpanId", reader.bytes().toString("hex"));
  else if (reader.field === 5) span.name = reader.string();
  else if (reader.field === 6) span.kind = reader.unsigned();
  else if (reader.field === 7) span.startTimeUnixNano = String(reader.fixed64());
  else if (reader.field === 8) span.endTimeUnixNano = String(reader.fixed64());
  else if (reader.field === 9) attributes.push(readKeyValue(reader.message(), 0));
  else if (reader.field === 10) span.droppedAttributesCount = reader.unsigned();
  else if (reader.field === 11) events.push(readEvent(reader.message()));
  else if (reader.field === 12) span.droppedEventsCount = reader.unsigned();
  else if (reader.field === 13) links.push(readLink(reader.message()));
  else if (reader.field === 14) span.droppedLinksCount = reader.unsigned();
  else if (reader.field === 15) span.status = readStatus(reader.message());
  else if (reader.field === 16) span.flags = reader.fixed32();
  else reader.skip();
}

/** In protobuf an empty string is an absent one, so JSON leaves it out. */
function assignText<K extends string>(target: { [key in K]?: string }, key: K, text: string): void {
  if (text !== "") target[key] = text as (typeof target)[K];
}

export function decodeResource(bytes: Uint8Array): OtlpResource {
  const reader = readerOver(bytes);
  const attributes: OtlpKeyValue[] = [];
  const resource: Mutable<OtlpResource> = { attributes };
  while (reader.next()) {
    if (reader.field === 1) attributes.push(readKeyValue(reader.message(), 0));
    else if (reader.field === 2) resource.droppedAttributesCount = reader.unsigned();
    else reader.skip();
  }
  return resource;
}

export function decodeScope(bytes: Uint8Array): OtlpScope {
  const reader = readerOver(bytes);
  const attributes: OtlpKeyValue[] = [];
  const scope: Mutable<OtlpScope> = {};
  while (reader.next()) {
    if (reader.field === 1) assignText(scope, "name", reader.string());
    else if (reader.field === 2) assignText(scope, "version", reader.string());
    else if (reader.field === 3) attributes.push(readKeyValue(reader.message(), 0));
    else if (reader.field === 4) scope.droppedAttributesCount = reader.unsigned();
    else reader.skip();
  }
  if (attributes.length > 0) scope.attributes = attributes;
  return scope;
}

function readEvent(reader: ProtoReader): OtlpEvent {
  const attributes: OtlpKeyValue[] = [];
  const event: Mutable<OtlpEvent> = { timeUnixNano: "0", name: "", attributes };
  while (reader.next()) {
    if (reader.field === 1) event.timeUnixNano = String(reader.fixed64());
    else if (reader.field === 2) event.name = reader.string();
    else if (reader.field === 3) attributes.push(readKeyValue(reader.message(), 0));
    else if (reader.field === 4) event.droppedAttributesCount = reader.unsigned();
    else reader.skip();
  }
  return event;
}

function readLink(reader: ProtoReader): OtlpLink {
  const attributes: OtlpKeyValue[] = [];
  const link: Mutable<OtlpLink> = { traceId: "", spanId: "", attributes };
  while (reader.next()) {
    if (reader.field === 1) link.traceId = reader.bytes().toString("hex");
    else if (reader.field === 2) link.spanId = reader.bytes().toString("hex");
    else if (reader.field === 3) assignText(link, "traceState", reader.string());
    else if (reader.field === 4) attributes.push(readKeyValue(reader.message(), 0));
    else if (reader.field === 5) link.droppedAttributesCount = reader.unsigned();
    else if (reader.field === 6) link.flags = reader.fixed32();
    else reader.skip();
  }
  return link;
}

export function readStatus(reader: ProtoReader): NonNullable<OtlpSpan["status"]> {
  const status: Mutable<NonNullable<OtlpSpan["status"]>> = {};
  while (reader.next()) {
    if (reader.field === 2) assignText(status, "message", reader.string());
    else if (reader.field === 3) {
      const code = reader.unsigned();
      if (code !== 0) status.code = code;
    } else reader.skip();
  }
  return status;
}

export function readKeyValue(reader: ProtoReader, depth: number): OtlpKeyValue {
  let key = "";
  let value: OtlpAnyValue = {};
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = readAnyValue(reader.message(), depth);
    else reader.skip();
  }
  return { key, value };
}

/** The value of an attribute. A `oneof`: the last field wins. */
export function readAnyValue(reader: ProtoReader, depth: number): OtlpAnyValue {
  if (depth > maxValueDepth) throw malformed("an attribute is nested too deep");
  let value: OtlpAnyValue = {};
  while (reader.next()) {
    if (reader.field === 1) value = { stringValue: reader.string() };
    else if (reader.field === 2) value = { boolValue: reader.unsigned() !== 0 };
    else if (reader.field === 3) value = { intValue: String(readInt64(reader)) };
    else if (reader.field === 4) value = { doubleValue: jsonDouble(reader.double()) };
    else if (reader.field === 5) value = { arrayValue: { values: readArray(reader.message(), depth + 1) } };
    else if (reader.field === 6)
      value = { kvlistValue: { values: readKeyValues(reader.message(), depth + 1) } };
    else if (reader.field === 7) value = { bytesValue: reader.bytes().toString("base64") };
    else reader.skip();
  }
  return value;
}

function readArray(reader: ProtoReader, depth: number): OtlpAnyValue[] {
  const values: OtlpAnyValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) values.push(readAnyValue(reader.message(), depth));
    else reader.skip();
  }
  return values;
}

function readKeyValues(reader: ProtoReader, depth: number): OtlpKeyValue[] {
  const values: OtlpKeyValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) values.push(readKeyValue(reader.message(), depth));
    else reader.skip();
  }
  return values;
}

function readInt64(reader: ProtoReader): bigint {
  if (reader.wireType !== 0) throw malformed("an integer has another wire type");
  return reader.int64();
}

/** JSON has no NaN and no infinity; proto3 JSON writes them as strings. */
function jsonDouble(value: number): NonNullable<OtlpAnyValue["doubleValue"]> {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "Infinity";
  return value === -Infinity ? "-Infinity" : value;
}

function readerOver(bytes: Uint8Array): ProtoReader {
  return new ProtoReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
