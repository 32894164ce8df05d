/**
 * Job: protobuf's wire format, written forwards into one growing buffer.
 * Owns: that buffer; what it hands out is valid until the next `clear`.
 * I1. What was encoded ahead is not copied: it stands between the buffer's parts, and lengths count them.
 * I2. A length that is not known yet gets the room it will most likely take: what follows is moved only where that was wrong.
 * I3. A text is gone through once: it is written first, which counts its bytes, and its lengths are filled in before it.
 */
import type { DeferredText, TextOut } from "../content/deferred-text.ts";
import type { EncodedText, LongText, LongTexts } from "./long-texts.ts";
import { longText } from "./long-texts.ts";

const initialBytes = 64 * 1024;
const keptBytes = 8 * 1024 * 1024;

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
const fixed32Type = 5;

/** Up to this length a text is written here, a character at a time, which is faster than asking. */
const shortText = 40;
/** The same for a text between quotes. */
const shortQuoted = 64;
const quote = 0x22;
const backslash = 0x5c;
/** Up to this length the buffer is made as large as the text can get; beyond, as large as it most likely is. */
const roomyText = 16 * 1024;

export class ProtoBuffer implements TextOut {
  /** Texts that were encoded ahead. */
  longTexts: LongTexts | undefined;
  /** Bytes that the length of the last span took: most likely the next one's takes as many. */
  spanWidth = 2;
  #buffer: Buffer;
  #view: DataView;
  #end = 0;
  /** What stands between the buffer's bytes, by position. */
  #external: { at: number; readonly text: EncodedText }[] = [];

  /** @param bytes it begins with; it grows */
  constructor(bytes: number = initialBytes) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.#buffer);
  }

  get length(): number {
    return this.#end;
  }

  /** Starts anew. A buffer that one huge batch blew up is not kept. */
  clear(): void {
    this.#end = 0;
    if (this.#external.length > 0) this.#external = [];
    if (this.#buffer.length > keptBytes) this.#use(Buffer.allocUnsafeSlow(initialBytes));
  }

  view(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  /** Leaves room that `fillBefore` may use later. */
  skip(bytes: number): void {
    this.#reserve(bytes);
    this.#end += bytes;
  }

  /** Bytes of all that was written since the buffer's length was `from`. */
  lengthSince(from: number): number {
    let length = this.#end - from;
    for (const { at, text } of this.#external) if (at >= from) length += text.bytes;
    return length;
  }

  /** All bytes from `from` to `to`, in order, as parts that are valid until the next `clear`. */
  parts(from: number, to: number): readonly Uint8Array[] {
    const parts: Uint8Array[] = [];
    let start = from;
    for (const { at, text } of this.#external) {
      if (at < from || at > to) continue;
      if (at > start) parts.push(this.view(start, at));
      parts.push(...text.pieces);
      start = at;
    }
    if (to > start) parts.push(this.view(start, to));
    return parts;
  }

  /** Copies `bytes` so that they end at `position`. */
  fillBefore(position: number, bytes: Uint8Array): number {
    const start = position - bytes.length;
    this.#buffer.set(bytes, start);
    return start;
  }

  uint(field: number, value: number): void {
    this.#reserve(16);
    this.#tag(field, varintType);
    this.#varint(value);
  }

  /** A signed 64-bit integer; exact for safe integers. */
  int64(field: number, value: number): void {
    if (value >= 0) return this.uint(field, value);
    this.#reserve(16);
    this.#tag(field, varintType);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#end++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#end++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.#reserve(16);
    this.#tag(field, fixed64Type);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  fixed32(field: number, value: number): void {
    this.#reserve(16);
    this.#tag(field, fixed32Type);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  /** Milliseconds since the epoch as nanoseconds in a fixed64, without BigInt. */
  nanos(field: number, milliseconds: number): void {
    this.#reserve(16);
    this.#tag(field, fixed64Type);
    const whole = Math.floor(milliseconds);
    // In units of 2^16 ms, of 2^16 ns and of 1 ns: every product is exact, and no division has a remainder to look for.
    const units = Math.floor(whole / 0x10000);
    const high = units * 1e6;
    const carried = Math.floor(high / 0x10000);
    const low =
      (whole - units * 0x10000) * 1e6 +
      Math.floor((milliseconds - whole) * 1e6) +
      (high - carried * 0x10000) * 0x10000;
    const over = Math.floor(low / 0x100000000);
    this.#view.setUint32(this.#end, low - over * 0x100000000, true);
    this.#view.setUint32(this.#end + 4, carried + over, true);
    this.#end += 8;
  }

  /** The bytes that an even number of hexadecimal digits stands for. */
  hex(field: number, text: string): void {
    const bytes = text.length >>> 1;
    this.#reserve(bytes + 16);
    this.#tag(field, bytesType);
    this.#varint(bytes);
    const buffer = this.#buffer;
    const start = this.#end;
    for (let index = 0; index < bytes; index += 1) {
      const high = digitValue(text.charCodeAt(index * 2));
      buffer[start + index] = (high << 4) | digitValue(text.charCodeAt(index * 2 + 1));
    }
    this.#end = start + bytes;
  }

  string(field: number, text: string): void {
    const encoded = text.length > longText ? this.longTexts?.get(text) : undefined;
    if (encoded !== undefined) return this.#externalString(field, encoded);
    this.#reserve(32);
    this.#tag(field, bytesType);
    const start = this.#end;
    const width = varintLength(text.length);
    const bytes = this.#text(text, start + width);
    this.#move(start + width, bytes, varintLength(bytes) - width);
    this.#varint(bytes);
    this.#end += bytes;
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length + 16);
    this.#tag(field, bytesType);
    this.#varint(bytes.length);
    this.raw(bytes);
  }

  /** Bytes as they are: fields that are encoded already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** As `raw`, without a copy: the bytes stay where they are and must not change. */
  embed(bytes: Uint8Array): void {
    this.#external.push({ at: this.#end, text: { bytes: bytes.length, pieces: [bytes] } });
  }

  /**
   * `{ 1: key, 2: { 1: text } }`, an attribute with a text, in one go: three lengths stand before the text, and nearly always are what
   * they would be for plain ASCII.
   * @param key the encoded field of the key
   */
  textAttribute(field: number, key: Uint8Array, text: string): void {
    const encoded = text.length > longText ? this.longTexts?.get(text) : undefined;
    if (encoded !== undefined) return this.externalAttribute(field, key, encoded);
    this.#reserve(key.length + 48);
    const expected = attributeHead(key.length, text.length);
    const from = this.#end + 1 + expected;
    const bytes = this.#text(text, from);
    if (bytes !== text.length) this.#move(from, bytes, attributeHead(key.length, bytes) - expected);
    this.#attributeHead(field, key, bytes);
    this.#end += bytes;
  }

  /** As `textAttribute`, with a text that is made only now. */
  deferredAttribute(field: number, key: Uint8Array, text: DeferredText): void {
    const expected = attributeHead(key.length, text.bytes);
    this.#reserve(expected + 48);
    const start = this.#end;
    const from = start + 1 + expected;
    this.#end = from;
    text.writeTo(this);
    const bytes = this.#end - from;
    this.#reserve(16);
    this.#move(from, bytes, attributeHead(key.length, bytes) - expected);
    this.#end = start;
    this.#attributeHead(field, key, bytes);
    this.#end += bytes;
  }

  /** A text without tag and length. */
  text(text: string): void {
    this.#end += this.#text(text, this.#end);
  }

  /** A text as a JSON string: what is short and needs no escape is written as it is. */
  quoted(text: string): void {
    const { length } = text;
    if (length > shortQuoted) return this.text(JSON.stringify(text));
    this.#reserve(length + 2);
    const buffer = this.#buffer;
    const start = this.#end;
    buffer[start] = quote;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash)
        return this.text(JSON.stringify(text));
      buffer[start + 1 + index] = code;
    }
    buffer[start + length + 1] = quote;
    this.#end = start + length + 2;
  }

  /** As `textAttribute`, with a text that was encoded ahead. */
  externalAttribute(field: number, key: Uint8Array, text: EncodedText): void {
    this.#reserve(key.length + 48);
    this.#attributeHead(field, key, text.bytes);
    this.#external.push({ at: this.#end, text });
  }

  /** What was encoded ahead of a text, if it was. */
  encodedAhead(text: LongText): EncodedText | undefined {
    return this.longTexts?.get(text);
  }

  /** Opens a nested message; `close` takes what this returns. `width`: bytes that its length will most likely take. */
  open(field: number, width = 1): number {
    this.#reserve(16);
    this.#tag(field, bytesType);
    this.#end += width;
    return this.#end;
  }

  /**
   * @param width what `open` was told
   * @returns what would have been right
   */
  close(start: number, width = 1): number {
    const inBuffer = this.#end - start;
    const length = this.#external.length === 0 ? inBuffer : this.lengthSince(start);
    const extra = varintLength(length) - width;
    if (extra !== 0) {
      this.#reserve(Math.max(0, extra));
      this.#move(start, inBuffer, extra);
      for (const external of this.#external) if (external.at >= start) external.at += extra;
    }
    this.#end = start - width;
    this.#varint(length);
    this.#end += inBuffer;
    return width + extra;
  }

  #externalString(field: number, text: EncodedText): void {
    this.#reserve(16);
    this.#tag(field, bytesType);
    this.#varint(text.bytes);
    this.#external.push({ at: this.#end, text });
  }

  #attributeHead(field: number, key: Uint8Array, bytes: number): void {
    const value = 1 + varintLength(bytes) + bytes;
    this.#tag(field, bytesType);
    this.#varint(key.length + 1 + varintLength(value) + value);
    this.#buffer.set(key, this.#end);
    this.#end += key.length;
    this.#tag(2, bytesType);
    this.#varint(value);
    this.#tag(1, bytesType);
    this.#varint(bytes);
  }

  /** Writes a text at a position at or after the end, with room before and after for lengths; gives back its bytes. */
  #text(text: string, at: number): number {
    const { length } = text;
    if (length > shortText) return this.#longerText(text, at);
    this.#reserve(at - this.#end + length * 3 + 16);
    const buffer = this.#buffer;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return buffer.write(text, at, length * 3);
      buffer[at + index] = code;
    }
    return length;
  }

  #longerText(text: string, at: number): number {
    const before = at - this.#end + 16;
    const most = text.length * 3;
    this.#reserve(before + (text.length > roomyText ? text.length : most));
    const room = this.#buffer.length - at - 16;
    const bytes = this.#buffer.write(text, at, Math.min(room, most));
    if (bytes >= most || room - bytes > 3) return bytes;
    // It may have been cut off where the buffer ends.
    this.#reserve(before + most);
    return this.#buffer.write(text, at, most);
  }

  #move(from: number, bytes: number, by: number): void {
    if (by !== 0) this.#buffer.copyWithin(from + by, from, from + bytes);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    const buffer = this.#buffer;
    let rest = value;
    while (rest > 0x7f) {
      buffer[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[this.#end++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#use(grown);
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Of a hexadecimal digit's code: letters have bit 6, and their low bits count from 1. */
function digitValue(code: number): number {
  return (code & 0xf) + 9 * (code >> 6);
}

/** Bytes between the tag of an attribute and its text of so many bytes. */
function attributeHead(keyBytes: number, textBytes: number): number {
  const text = 1 + varintLength(textBytes);
  const value = 1 + varintLength(text + textBytes);
  return varintLength(keyBytes + value + text + textBytes) + keyBytes + value + text;
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  let length = 3;
  for (let rest = value / 0x200000; rest >= 1; rest /= 0x80) length += 1;
  return length;
}
