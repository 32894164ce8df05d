/** A protobuf writer over one growing buffer: the counterpart of `ProtoReader`, for spans that came as JSON. */
import { wire } from "@weft/tracing/internal";

export class ProtoWriter {
  private buffer = Buffer.allocUnsafe(4096);
  private length = 0;

  /** The bytes written so far, copied out. */
  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }

  uint32(field: number, value: number): void {
    this.tag(field, wire.varint);
    this.rawVarint(value);
  }

  int64(field: number, value: bigint): void {
    this.tag(field, wire.varint);
    let rest = BigInt.asUintN(64, value);
    this.reserve(10);
    while (rest > 0x7fn) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  fixed64(field: number, value: bigint): void {
    this.tag(field, wire.fixed64);
    this.reserve(8);
    this.length = this.buffer.writeBigUInt64LE(value, this.length);
  }

  fixed32(field: number, value: number): void {
    this.tag(field, wire.fixed32);
    this.reserve(4);
    this.length = this.buffer.writeUInt32LE(value, this.length);
  }

  double(field: number, value: number): void {
    this.tag(field, wire.fixed64);
    this.reserve(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  string(field: number, value: string): void {
    const size = Buffer.byteLength(value);
    this.tag(field, wire.bytes);
    this.rawVarint(size);
    this.reserve(size);
    this.length += this.buffer.write(value, this.length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.tag(field, wire.bytes);
    this.rawVarint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  /** A nested message: written in place, then moved up when its length needs more than one byte. */
  message(field: number, write: () => void): void {
    this.tag(field, wire.bytes);
    this.reserve(1);
    const start = (this.length += 1);
    write();
    const size = this.length - start;
    const extra = varintSize(size) - 1;
    this.reserve(extra);
    if (extra > 0) this.buffer.copyWithin(start + extra, start, this.length);
    this.length = start - 1;
    this.rawVarint(size);
    this.length += size;
  }

  private tag(field: number, wireType: number): void {
    this.rawVarint(field * 8 + wireType);
  }

  private rawVarint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  private reserve(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + size));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}
