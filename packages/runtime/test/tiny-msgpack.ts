/** As much msgpack as the WebSocket binding uses, from msgpack's own specification. */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const chunks: Buffer[] = [];
  write(value, chunks);
  return new Uint8Array(Buffer.concat(chunks));
}

function header(type: number, length: number, width: 1 | 2 | 4): Buffer {
  const buffer = Buffer.alloc(1 + width);
  buffer[0] = type;
  buffer.writeUIntBE(length, 1, width);
  return buffer;
}

function write(value: unknown, out: Buffer[]): void {
  if (value === null || value === undefined) out.push(Buffer.from([0xc0]));
  else if (typeof value === "boolean") out.push(Buffer.from([value ? 0xc3 : 0xc2]));
  else if (typeof value === "number") writeNumber(value, out);
  else if (typeof value === "string") {
    const text = Buffer.from(value);
    out.push(header(0xdb, text.length, 4), text);
  } else if (value instanceof Uint8Array) out.push(header(0xc6, value.length, 4), Buffer.from(value));
  else if (Array.isArray(value)) {
    out.push(header(0xdc, value.length, 2));
    for (const member of value) write(member, out);
  } else {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    out.push(header(0xde, entries.length, 2));
    for (const [key, member] of entries) {
      write(key, out);
      write(member, out);
    }
  }
}

function writeNumber(value: number, out: Buffer[]): void {
  if (Number.isInteger(value) && value >= 0 && value < 128) {
    out.push(Buffer.from([value]));
    return;
  }
  const buffer = Buffer.alloc(9);
  buffer[0] = 0xcb;
  buffer.writeDoubleBE(value, 1);
  out.push(buffer);
}

export function unpack(data: Buffer): unknown {
  const reader = new Reader(data);
  const value = reader.value();
  if (!reader.isAtEnd) throw new RangeError("bytes follow the value");
  return value;
}

class Reader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#data.length;
  }

  value(): unknown {
    const type = this.#uint(1);
    if (type < 0x80) return type;
    if (type < 0x90) return this.#map(type & 0x0f);
    if (type < 0xa0) return this.#array(type & 0x0f);
    if (type < 0xc0) return this.#text(type & 0x1f);
    if (type >= 0xe0) return type - 256;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#bytes(this.#uint(1 << (type - 0xc4)));
      case 0xca:
        return this.#bytes(4).readFloatBE();
      case 0xcb:
        return this.#bytes(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (type - 0xcc));
      case 0xcf:
        return Number(this.#bytes(8).readBigUInt64BE());
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#bytes(1 << (type - 0xd0)).readIntBE(0, 1 << (type - 0xd0));
      case 0xd3:
        return Number(this.#bytes(8).readBigInt64BE());
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (type - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(type === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(type === 0xde ? 2 : 4));
      default:
        throw new RangeError(`type ${type} is not used by the binding`);
    }
  }

  #uint(width: number): number {
    return this.#bytes(width).readUIntBE(0, width);
  }

  #bytes(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#data.length) throw new RangeError("the value ends early");
    return this.#data.subarray(start, this.#at);
  }

  #text(length: number): string {
    return this.#bytes(length).toString("utf8");
  }

  #array(count: number): unknown[] {
    return Array.from({ length: count }, () => this.value());
  }

  #map(count: number): Record<string, unknown> {
    const entries = Array.from({ length: count }, () => [String(this.value()), this.value()] as const);
    return Object.fromEntries(entries);
  }
}
