import type { OtlpResource, OtlpResourceSpans, OtlpScope, OtlpScopeSpans, OtlpTraces } from "../http.ts";
import { decodeResource, decodeScope, decodeSpan } from "./decode-span.ts";
import { ProtoReader } from "./proto-reader.ts";

/**
 * An ExportTraceServiceRequest as OTLP JSON has it.
 * @throws WeftError `invalid_argument` when the bytes are none
 */
export function decodeRequest(body: Buffer): OtlpTraces {
  const reader = new ProtoReader(body);
  const resourceSpans: OtlpResourceSpans[] = [];
  while (reader.next()) {
    if (reader.field === 1) resourceSpans.push(readResourceSpans(reader.message()));
    else reader.skip();
  }
  return { resourceSpans };
}

function readResourceSpans(reader: ProtoReader): OtlpResourceSpans {
  let resource: OtlpResource | undefined;
  let schemaUrl: string | undefined;
  const scopeSpans: OtlpScopeSpans[] = [];
  while (reader.next()) {
    if (reader.field === 1) resource = decodeResource(reader.bytes());
    else if (reader.field === 2) scopeSpans.push(readScopeSpans(reader.message()));
    else if (reader.field === 3) schemaUrl = reader.string();
    else reader.skip();
  }
  return { ...(resource && { resource }), scopeSpans, ...(schemaUrl && { schemaUrl }) };
}

function readScopeSpans(reader: ProtoReader): OtlpScopeSpans {
  let scope: OtlpScope | undefined;
  let schemaUrl: string | undefined;
  const spans: OtlpScopeSpans["spans"][number][] = [];
  while (reader.next()) {
    if (reader.field === 1) scope = decodeScope(reader.bytes());
    else if (reader.field === 2) spans.push(decodeSpan(reader.bytes()));
    else if (reader.field === 3) schemaUrl = reader.string();
    else reader.skip();
  }
  return { ...(scope && { scope }), spans, ...(schemaUrl && { schemaUrl }) };
}
