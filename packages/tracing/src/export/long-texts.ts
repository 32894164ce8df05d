/**
 * Long texts, made and encoded ahead, a slice a turn of the event loop, so that one huge body never stalls it:
 * writing 10 MB of JSON takes 30 ms in one go, and turning as much text that is not ASCII into UTF-8 another 20.
 */
import type { Attributes } from "@opentelemetry/api";
import { textPieces } from "../content/deferred-json.ts";
import { DeferredText } from "../content/deferred-text.ts";
import type { SpanRecord } from "../spans/span-record.ts";

export type LongText = string | DeferredText;

/** Records of more bytes have texts encoded ahead. */
export const longRecord = 64 * 1024;
/** Of those, texts of more characters, or bytes where it is not made yet. */
export const longText = 16 * 1024;
/** Pieces are collected until they are worth a buffer of their own. */
const bufferLength = 64 * 1024;
/** Characters until the event loop has its turn: a millisecond or two of work. */
const sliceLength = 256 * 1024;

export interface EncodedText {
  readonly bytes: number;
  readonly pieces: readonly Uint8Array[];
}

/** By the text itself: V8 compares equal references first, so looking up a huge string costs nothing. */
export type LongTexts = ReadonlyMap<LongText, EncodedText>;

/** One whole piece of text as the bytes that a request holds. */
export type EncodePiece = (piece: string) => Uint8Array;

const toUtf8: EncodePiece = (piece) => Buffer.from(piece, "utf8");

export function findLongTexts(records: readonly SpanRecord[]): readonly LongText[] {
  const found: LongText[] = [];
  for (const record of records) {
    collect(record.attributes, found);
    for (const event of record.events) collect(event.attributes, found);
  }
  return found;
}

/** Encodes each. @param encode default: UTF-8 */
export async function encodeLongTexts(
  texts: readonly LongText[],
  encode: EncodePiece = toUtf8,
): Promise<LongTexts> {
  const encoded = new Map<LongText, EncodedText>();
  let slice = 0;
  for (const text of texts) {
    if (encoded.has(text)) continue;
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for (const part of bufferfuls(typeof text === "string" ? textPieces(text) : text.pieces())) {
      const piece = encode(part);
      pieces.push(piece);
      bytes += piece.length;
      slice += part.length;
      if (slice < sliceLength) continue;
      slice = 0;
      await nextTurn();
    }
    encoded.set(text, { bytes, pieces });
  }
  return encoded;
}

/** The same text in parts that are not small. No part ends inside a character, for no piece does. */
function* bufferfuls(pieces: Iterable<string>): Generator<string> {
  let part = "";
  for (const piece of pieces) {
    part += piece;
    if (part.length < bufferLength) continue;
    yield part;
    part = "";
  }
  if (part !== "") yield part;
}

/** Lets the event loop go round once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function collect(attributes: Attributes, into: LongText[]): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (typeof value === "string" ? value.length > longText : isLong(value)) into.push(value as LongText);
  }
}

function isLong(value: unknown): boolean {
  return value instanceof DeferredText && value.bytes > longText;
}
