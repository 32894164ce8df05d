/**
 * An OTLP/JSON request -> the same request as protobuf, so that JSON takes the one way in: everything after this
 * line sees protobuf only, and equal requests store equal bytes.
 *
 * Unknown fields are ignored, as the spec asks of receivers; a known field of a wrong type is an error that names it.
 */
import { WeftError } from "@weft/tracing";
import { maxValueDepth } from "@weft/tracing/internal";
import { ProtoWriter } from "./proto-writer.ts";

type Json = Readonly<Record<string, unknown>>;

/** @throws WeftError `invalid_argument` when the text is not OTLP/JSON. */
export function encodeRequest(text: string): Buffer {
  const writer = new ProtoWriter();
  for (const [index, entry] of list(parse(text), "resourceSpans", "").entries()) {
    const path = `resourceSpans[${String(index)}]`;
    writer.message(1, () => writeResourceSpans(writer, object(entry, path), path));
  }
  return writer.finish();
}

function parse(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WeftError("invalid_argument", "the body is not JSON");
  }
  return object(value, "the body");
}

function writeResourceSpans(writer: ProtoWriter, entry: Json, path: string): void {
  const resource = entry["resource"];
  if (resource !== undefined && resource !== null) {
    writer.message(1, () => writeResource(writer, object(resource, `${path}.resource`), `${path}.resource`));
  }
  for (const [index, scopeSpans] of list(entry, "scopeSpans", path).entries()) {
    const here = `${path}.scopeSpans[${String(index)}]`;
    writer.message(2, () => writeScopeSpans(writer, object(scopeSpans, here), here));
  }
  writeText(writer, 3, entry, "schemaUrl", path);
}

function writeResource(writer: ProtoWriter, resource: Json, path: string): void {
  writeAttributes(writer, 1, resource, path);
  writeCount(writer, 2, resource, "droppedAttributesCount", path);
}

function writeScopeSpans(writer: ProtoWriter, entry: Json, path: string): void {
  const scope = entry["scope"];
  if (scope !== undefined && scope !== null) {
    writer.message(1, () => writeScope(writer, object(scope, `${path}.scope`), `${path}.scope`));
  }
  for (const [index, span] of list(entry, "spans", path).entries()) {
    const here = `${path}.spans[${String(index)}]`;
    writer.message(2, () => writeSpan(writer, object(span, here), here));
  }
  writeText(writer, 3, entry, "schemaUrl", path);
}

function writeScope(writer: ProtoWriter, scope: Json, path: string): void {
  writeText(writer, 1, scope, "name", path);
  writeText(writer, 2, scope, "version", path);
  writeAttributes(writer, 3, scope, path);
  writeCount(writer, 4, scope, "droppedAttributesCount", path);
}

function writeSpan(writer: ProtoWriter, span: Json, path: string): void {
  writeId(writer, 1, span, "traceId", path);
  writeId(writer, 2, span, "spanId", path);
  writeText(writer, 3, span, "traceState", path);
  writeId(writer, 4, span, "parentSpanId", path);
  writeText(writer, 5, span, "name", path);
  writeCount(writer, 6, span, "kind", path);
  writeTime(writer, 7, span, "startTimeUnixNano", path);
  writeTime(writer, 8, span, "endTimeUnixNano", path);
  writeAttributes(writer, 9, span, path);
  writeCount(writer, 10, span, "droppedAttributesCount", path);
  for (const [index, event] of list(span, "events", path).entries()) {
    const here = `${path}.events[${String(index)}]`;
    writer.message(11, () => writeEvent(writer, object(event, here), here));
  }
  writeCount(writer, 12, span, "droppedEventsCount", path);
  for (const [index, link] of list(span, "links", path).entries()) {
    const here = `${path}.links[${String(index)}]`;
    writer.message(13, () => writeLink(writer, object(link, here), here));
  }
  writeCount(writer, 14, span, "droppedLinksCount", path);
  writeStatus(writer, span, path);
  writeFlags(writer, 16, span, path);
}

function writeStatus(writer: ProtoWriter, span: Json, path: string): void {
  if (span["status"] === undefined || span["status"] === null) return;
  const status = object(span["status"], `${path}.status`);
  writer.message(15, () => {
    writeText(writer, 2, status, "message", `${path}.status`);
    writeCount(writer, 3, status, "code", `${path}.status`);
  });
}

function writeEvent(writer: ProtoWriter, event: Json, path: string): void {
  writeTime(writer, 1, event, "timeUnixNano", path);
  writeText(writer, 2, event, "name", path);
  writeAttributes(writer, 3, event, path);
  writeCount(writer, 4, event, "droppedAttributesCount", path);
}

function writeLink(writer: ProtoWriter, link: Json, path: string): void {
  writeId(writer, 1, link, "traceId", path);
  writeId(writer, 2, link, "spanId", path);
  writeText(writer, 3, link, "traceState", path);
  writeAttributes(writer, 4, link, path);
  writeCount(writer, 5, link, "droppedAttributesCount", path);
  writeFlags(writer, 6, link, path);
}

function writeAttributes(writer: ProtoWriter, field: number, owner: Json, path: string): void {
  for (const [index, entry] of list(owner, "attributes", path).entries()) {
    const here = `${path}.attributes[${String(index)}]`;
    writer.message(field, () => writeKeyValue(writer, object(entry, here), here, 0));
  }
}

function writeKeyValue(writer: ProtoWriter, entry: Json, path: string, depth: number): void {
  writeText(writer, 1, entry, "key", path);
  const value = entry["value"];
  if (value === undefined || value === null) return;
  writer.message(2, () => writeAnyValue(writer, object(value, `${path}.value`), `${path}.value`, depth));
}

function writeAnyValue(writer: ProtoWriter, value: Json, path: string, depth: number): void {
  if (depth > maxValueDepth) throw wrong(path, "nested less deep");
  if (typeof value["stringValue"] === "string") writer.string(1, value["stringValue"]);
  else if (typeof value["boolValue"] === "boolean") writer.uint32(2, value["boolValue"] ? 1 : 0);
  else if (value["intValue"] !== undefined) writer.int64(3, integer(value["intValue"], `${path}.intValue`));
  else if (value["doubleValue"] !== undefined) writer.double(4, double(value["doubleValue"], path));
  else if (value["arrayValue"] !== undefined) {
    writeValues(writer, 5, object(value["arrayValue"], path), path, (entry, here) =>
      writeAnyValue(writer, entry, here, depth + 1),
    );
  } else if (value["kvlistValue"] !== undefined) {
    writeValues(writer, 6, object(value["kvlistValue"], path), path, (entry, here) =>
      writeKeyValue(writer, entry, here, depth + 1),
    );
  } else if (value["bytesValue"] !== undefined) {
    writer.bytes(7, Buffer.from(string(value["bytesValue"], `${path}.bytesValue`), "base64"));
  } else if (Object.keys(value).length > 0) throw wrong(path, "an attribute value");
}

function writeValues(
  writer: ProtoWriter,
  field: number,
  owner: Json,
  path: string,
  write: (entry: Json, path: string) => void,
): void {
  writer.message(field, () => {
    for (const [index, entry] of list(owner, "values", path).entries()) {
      const here = `${path}.values[${String(index)}]`;
      writer.message(1, () => write(object(entry, here), here));
    }
  });
}

function writeText(writer: ProtoWriter, field: number, owner: Json, key: string, path: string): void {
  const value = owner[key];
  if (value === undefined || value === null || value === "") return;
  writer.string(field, string(value, `${path}.${key}`));
}

function writeId(writer: ProtoWriter, field: number, owner: Json, key: string, path: string): void {
  const value = owner[key];
  if (value === undefined || value === null || value === "") return;
  const text = string(value, `${path}.${key}`);
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(text)) throw wrong(`${path}.${key}`, "hex digits");
  writer.bytes(field, Buffer.from(text, "hex"));
}

function writeTime(writer: ProtoWriter, field: number, owner: Json, key: string, path: string): void {
  const value = owner[key];
  if (value === undefined || value === null) return;
  const time = integer(value, `${path}.${key}`);
  if (time < 0n || time > 0xffff_ffff_ffff_ffffn) throw wrong(`${path}.${key}`, "nanoseconds since 1970");
  if (time > 0n) writer.fixed64(field, time);
}

function writeCount(writer: ProtoWriter, field: number, owner: Json, key: string, path: string): void {
  const value = unsigned(owner, key, path);
  if (value > 0) writer.uint32(field, value);
}

function writeFlags(writer: ProtoWriter, field: number, owner: Json, path: string): void {
  const value = unsigned(owner, "flags", path);
  if (value > 0) writer.fixed32(field, value);
}

function unsigned(owner: Json, key: string, path: string): number {
  const value = owner[key] ?? 0;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw wrong(`${path}.${key}`, "a whole number");
  }
  return value;
}

function list(owner: Json, key: string, path: string): readonly unknown[] {
  const value = owner[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(path === "" ? key : `${path}.${key}`, "an array");
  return value;
}

function object(value: unknown, path: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object");
  return value as Json;
}

function string(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrong(path, "a string");
  return value;
}

/** 64-bit integers come as decimal strings; numbers are taken where they are exact. */
function integer(value: unknown, path: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw wrong(path, "a 64-bit integer as a decimal string");
}

function double(value: unknown, path: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  throw wrong(`${path}.doubleValue`, "a number");
}

function wrong(path: string, expected: string): WeftError {
  return new WeftError("invalid_argument", `the body is not OTLP/JSON: ${path} must be ${expected}`);
}
