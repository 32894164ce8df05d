/**
 * Job: encode spans one by one, soon after their end: what is still in the processor's cache costs half, and no garbage
 *   collection meets it again.
 * Owns: the page that the next ones are written to; a full one lives as long as a span in it waits.
 */
import type { Attributes } from "@opentelemetry/api";
import type { SpanRecord } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";
import type { EncodedSpan } from "./encoded-span.ts";
import { writeAttributes, writeSpan } from "./otlp-writer.ts";
import { ProtoBuffer } from "./proto-buffer.ts";
import { recordedIn } from "./recorded-in.ts";

const pageBytes = 64 * 1024;
/** The part of a page that is left to its last span: one that grows is copied. */
const spareBytes = 8 * 1024;

export class SpanEncoder {
  #page = new ProtoBuffer(pageBytes);

  encode(record: SpanRecord): EncodedSpan {
    if (this.#page.length > pageBytes - spareBytes) this.#page = new ProtoBuffer(pageBytes);
    const page = this.#page;
    const from = page.length;
    writeSpan(page, record);
    const { traceId, scope } = record;
    return { traceId, scope, page, from, to: page.length, recorded: recordedIn(record) };
  }
}

/** Whether to encode it ahead takes no time worth speaking of. Messages in a string, another SDK's, would have to be read for their ids. */
export function isEncodable({ attributes }: SpanRecord): boolean {
  return (
    typeof attributes[Attr.inputMessages] !== "string" && typeof attributes[Attr.outputMessages] !== "string"
  );
}

/** With attributes that it does not have yet. */
export function extendEncoded(span: EncodedSpan, attributes: Attributes): EncodedSpan {
  const bytes = span.page.view(span.from, span.to);
  const out = new ProtoBuffer(bytes.length + 256);
  const message = out.open(2);
  out.raw(bytes.subarray(headLength(bytes)));
  writeAttributes(out, 9, attributes);
  out.close(message);
  return { ...span, page: out, from: 0, to: out.length };
}

/** Of the tag, which is one byte, and the length. */
function headLength(message: Uint8Array): number {
  return message.findIndex((byte, at) => at > 0 && byte < 0x80) + 1;
}
