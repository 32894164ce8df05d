/**
 * A protobuf reader over one buffer: the few wire types OTLP uses, no schema, no copies.
 *
 * Why our own: decoding into objects costs more than storing the span. Ingest only looks at what the tree needs
 * and keeps the rest of a span as the bytes that came.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { WeftError } from "../errors/weft-error.ts";

export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A body that is not the protobuf it claims to be. */
export function malformed(reason: string): WeftError {
  return new WeftError("invalid_argument", `the body is not an OTLP trace request: ${reason}`);
}

/**
 * Walks the fields of one message: `while (reader.next()) switch (reader.field) …`.
 * `end` bounds the message in the shared buffer; every read is checked against it.
 */
export class ProtoReader {
  field = 0;
  wireType = 0;
  readonly buffer: Buffer;
  position: number;
  readonly end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
  }

  /** Moves to the next field's value; false at the end of the message. */
  next(): boolean {
    if (this.position >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0 || this.field > 536_870_911) throw malformed("a field has no valid number");
    return true;
  }

  /** A varint up to 2^53; larger values lose their low bits, as only `int64` may hold them. */
  varint(): number {
    let result = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.byte();
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result;
      scale *= 128;
    }
    throw malformed("a number is longer than ten bytes");
  }

  /** A varint as a signed 64-bit integer. */
  int64(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, result);
    }
    throw malformed("a number is longer than ten bytes");
  }

  /** The varint field's value; a field of another wire type is malformed. */
  unsigned(): number {
    this.expect(wire.varint);
    return this.varint();
  }

  fixed64(): bigint {
    this.expect(wire.fixed64);
    const at = this.advance(8);
    return this.buffer.readBigUInt64LE(at);
  }

  fixed32(): number {
    this.expect(wire.fixed32);
    return this.buffer.readUInt32LE(this.advance(4));
  }

  double(): number {
    this.expect(wire.fixed64);
    return this.buffer.readDoubleLE(this.advance(8));
  }

  /** The value's bytes, a view on the shared buffer. */
  bytes(): Buffer {
    const start = this.delimited();
    return this.buffer.subarray(start, this.position);
  }

  string(): string {
    const start = this.delimited();
    return this.buffer.toString("utf8", start, this.position);
  }

  /** A reader over the nested message that stands here. */
  message(): ProtoReader {
    const start = this.delimited();
    return new ProtoReader(this.buffer, start, this.position);
  }

  skip(): void {
    if (this.wireType === wire.varint) this.varint();
    else if (this.wireType === wire.fixed64) this.advance(8);
    else if (this.wireType === wire.bytes) this.delimited();
    else if (this.wireType === wire.fixed32) this.advance(4);
    else throw malformed(`wire type ${String(this.wireType)} is not in use`);
  }

  /** Steps over a length-delimited value and returns where it starts; it ends at `position`. */
  private delimited(): number {
    this.expect(wire.bytes);
    const length = this.varint();
    return this.advance(length);
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw malformed(`field ${String(this.field)} has wire type ${String(this.wireType)}`);
    }
  }

  private byte(): number {
    if (this.position >= this.end) throw malformed("it ends in the middle of a number");
    const value = this.buffer[this.position] ?? 0;
    this.position += 1;
    return value;
  }

  private advance(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw malformed("it ends in the middle of a value");
    this.position = start + length;
    return start;
  }
}
