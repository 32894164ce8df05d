/**
 * Long strings, encoded ahead in pieces, so that one huge body never stalls the event loop.
 * Turning 10 MB of text that is not ASCII into UTF-8 takes 20 ms in one go.
 */
import type { Attributes } from "@opentelemetry/api";
import type { SpanRecord } from "../spans/span-record.ts";

/** Strings of more characters are encoded in pieces. */
export const longText = 256 * 1024;
const pieceLength = 256 * 1024;

export interface EncodedText {
  readonly bytes: number;
  readonly pieces: readonly Uint8Array[];
}

/** By the string itself: V8 compares equal references first, so looking up a huge one costs nothing. */
export type LongTexts = ReadonlyMap<string, EncodedText>;

const none: LongTexts = new Map();

/** Undefined where waiting is not needed: nearly always. */
export function findLongTexts(records: readonly SpanRecord[]): readonly string[] {
  const found: string[] = [];
  for (const record of records) {
    collect(record.attributes, found);
    for (const event of record.events) collect(event.attributes, found);
  }
  return found;
}

/** Encodes each, a piece a turn of the event loop. */
export async function encodeLongTexts(texts: readonly string[]): Promise<LongTexts> {
  if (texts.length === 0) return none;
  const encoded = new Map<string, EncodedText>();
  for (const text of texts) if (!encoded.has(text)) encoded.set(text, await encodeInPieces(text));
  return encoded;
}

async function encodeInPieces(text: string): Promise<EncodedText> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (let from = 0; from < text.length;) {
    const to = pieceEnd(text, from);
    const piece = Buffer.from(text.slice(from, to), "utf8");
    pieces.push(piece);
    bytes += piece.length;
    from = to;
    await nextTurn();
  }
  return { bytes, pieces };
}

/** A pair of surrogates is not torn apart. */
function pieceEnd(text: string, from: number): number {
  const to = Math.min(text.length, from + pieceLength);
  if (to === text.length) return to;
  const last = text.charCodeAt(to - 1);
  return last >= 0xd800 && last <= 0xdbff ? to - 1 : to;
}

/** Lets the event loop go round once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function collect(attributes: Attributes, into: string[]): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (typeof value === "string" && value.length > longText) into.push(value);
  }
}
