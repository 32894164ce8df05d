/**
 * Job: protobuf's wire format, written forwards into one growing buffer.
 * Owns: that buffer; what it hands out is valid until the next `clear`.
 * I1. Long texts that were encoded ahead are not copied: they stand between the buffer's parts, and lengths count them.
 * I2. A nested message is written in place; its length goes in afterwards, and only a body over 127 bytes moves, by 1 to 4 bytes.
 */
import type { EncodedText, LongTexts } from "./long-texts.ts";
import { longText } from "./long-texts.ts";

const initialBytes = 64 * 1024;
const keptBytes = 4 * 1024 * 1024;

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
const fixed32Type = 5;

export class ProtoBuffer {
  /** Texts that were encoded ahead. */
  longTexts: LongTexts | undefined;
  #buffer = Buffer.allocUnsafeSlow(initialBytes);
  #end = 0;
  /** What stands between the buffer's bytes, by position. */
  #external: { at: number; readonly text: EncodedText }[] = [];

  get length(): number {
    return this.#end;
  }

  /** Bytes of `text` in UTF-8. */
  utf8Length(text: string): number {
    if (text.length > longText) return this.longTexts?.get(text)?.bytes ?? Buffer.byteLength(text);
    return utf8Length(text);
  }

  /** Starts anew. A buffer that one huge batch blew up is not kept. */
  clear(): void {
    this.#end = 0;
    if (this.#external.length > 0) this.#external = [];
    if (this.#buffer.length > keptBytes) this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
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
      parts.push(this.view(start, at), ...text.pieces);
      start = at;
    }
    parts.push(this.view(start, to));
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
    this.#end = this.#buffer.writeDoubleLE(value, this.#end);
  }

  fixed32(field: number, value: number): void {
    this.#reserve(16);
    this.#tag(field, fixed32Type);
    this.#end = this.#buffer.writeUInt32LE(value >>> 0, this.#end);
  }

  /** Milliseconds since the epoch as nanoseconds in a fixed64, without BigInt. */
  nanos(field: number, milliseconds: number): void {
    this.#reserve(16);
    this.#tag(field, fixed64Type);
    const whole = Math.floor(milliseconds);
    const high = Math.floor(whole / 0x10000) * 1e6;
    const low =
      (whole % 0x10000) * 1e6 + Math.floor((milliseconds - whole) * 1e6) + (high % 0x10000) * 0x10000;
    this.#end = this.#buffer.writeUInt32LE(low % 0x100000000, this.#end);
    this.#end = this.#buffer.writeUInt32LE(
      Math.floor(high / 0x10000) + Math.floor(low / 0x100000000),
      this.#end,
    );
  }

  hex(field: number, text: string): void {
    const bytes = text.length >>> 1;
    this.#reserve(bytes + 16);
    this.#tag(field, bytesType);
    this.#varint(bytes);
    this.#buffer.write(text, this.#end, bytes, "hex");
    this.#end += bytes;
  }

  /** `bytes`: the text's length in UTF-8, for whoever has counted it already. */
  string(field: number, text: string, bytes: number = this.utf8Length(text)): void {
    const encoded = text.length > longText ? this.longTexts?.get(text) : undefined;
    this.#reserve(encoded === undefined ? bytes + 16 : 16);
    this.#tag(field, bytesType);
    this.#varint(bytes);
    if (encoded === undefined) this.#utf8(text, bytes);
    else this.#external.push({ at: this.#end, text: encoded });
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#reserve(bytes.length + 16);
    this.#tag(field, bytesType);
    this.#varint(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Tag and length of a nested message whose length is known; its fields follow. */
  lengthOf(field: number, length: number): void {
    this.#reserve(16);
    this.#tag(field, bytesType);
    this.#varint(length);
  }

  /** Opens a nested message; `close` takes what this returns. */
  open(field: number): number {
    this.#reserve(16);
    this.#tag(field, bytesType);
    this.#end += 1;
    return this.#end;
  }

  close(start: number): void {
    const inBuffer = this.#end - start;
    const length = this.#external.length === 0 ? inBuffer : this.lengthSince(start);
    const extra = varintLength(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#buffer.copyWithin(start + extra, start, this.#end);
      for (const external of this.#external) if (external.at >= start) external.at += extra;
    }
    this.#end = start - 1;
    this.#varint(length);
    this.#end += inBuffer;
  }

  #utf8(text: string, bytes: number): void {
    const buffer = this.#buffer;
    if (bytes !== text.length || bytes > 24) {
      buffer.write(text, this.#end, bytes, "utf8");
      this.#end += bytes;
      return;
    }
    for (let index = 0; index < bytes; index += 1) buffer[this.#end++] = text.charCodeAt(index);
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
    this.#buffer = grown;
  }
}

export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Bytes in UTF-8; short texts that are plain ASCII are counted here, which is faster than asking. */
export function utf8Length(text: string): number {
  const { length } = text;
  if (length > 24) return Buffer.byteLength(text);
  for (let index = 0; index < length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  }
  return length;
}
