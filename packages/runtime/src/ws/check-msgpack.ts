import { WeftError } from "@weft/tracing";

/**
 * Walks a msgpack value without building it: a decoder believes the lengths it reads (five bytes can ask for an array
 * of thirty million), recurses, and knows types that JSON has not. What passes is what JSON can say, plus binary under
 * the key `raw`. Returns how deep it is nested.
 *
 * @throws WeftError `protocol_error`
 */
export function checkMsgpack(data: Buffer, maxDepth: number): number {
  const walk = new Walk(data, maxDepth);
  const end = walk.value(0, 0, false);
  if (end !== data.length) throw malformed("bytes follow its value");
  return walk.deepest;
}

/** Bytes of the fixed-size values 0xca (float 32) to 0xd3 (int 64), type byte aside. */
const fixedSizes = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8] as const;

class Walk {
  deepest = 0;
  readonly #data: Buffer;
  readonly #maxDepth: number;

  constructor(data: Buffer, maxDepth: number) {
    this.#data = data;
    this.#maxDepth = maxDepth;
  }

  /** Where the value at `at` ends. */
  value(at: number, depth: number, isRaw: boolean): number {
    const type = this.#byte(at);
    if (type < 0x80 || type >= 0xe0) return at + 1;
    if (type < 0x90) return this.#map(at + 1, type & 0x0f, depth);
    if (type < 0xa0) return this.#array(at + 1, type & 0x0f, depth);
    if (type < 0xc0) return this.#skip(at + 1, type & 0x1f);
    if (type === 0xc0 || type === 0xc2 || type === 0xc3) return at + 1;
    if (type >= 0xc4 && type <= 0xc6) return this.#binary(at, type - 0xc4, isRaw);
    if (type === 0xca || type === 0xcb) this.#checkFinite(at + 1, type);
    if (type >= 0xca && type <= 0xd3) return this.#skip(at + 1, fixedSizes[type - 0xca]!);
    if (type >= 0xd9 && type <= 0xdb) return this.#sized(at, type - 0xd9);
    if (type === 0xdc || type === 0xdd) {
      const width = type === 0xdc ? 2 : 4;
      return this.#array(at + 1 + width, this.#length(at + 1, width), depth);
    }
    if (type === 0xde || type === 0xdf) {
      const width = type === 0xde ? 2 : 4;
      return this.#map(at + 1 + width, this.#length(at + 1, width), depth);
    }
    throw malformed(`type 0x${type.toString(16)} has no meaning in it`);
  }

  #array(at: number, count: number, depth: number): number {
    this.#enter(at, count, depth);
    let next = at;
    for (let index = 0; index < count; index++) next = this.value(next, depth + 1, false);
    return next;
  }

  #map(at: number, count: number, depth: number): number {
    this.#enter(at, count * 2, depth);
    let next = at;
    for (let index = 0; index < count; index++) {
      const key = next + 1 + this.#keyWidth(next);
      next = this.value(next, depth, false);
      next = this.value(next, depth + 1, next - key === 3 && this.#isRaw(key));
    }
    return next;
  }

  /** Whether the three bytes of a key are `raw`. */
  #isRaw(at: number): boolean {
    return this.#data[at] === 0x72 && this.#data[at + 1] === 0x61 && this.#data[at + 2] === 0x77;
  }

  /** Bytes of the length before a key's text: a key is a string. */
  #keyWidth(at: number): number {
    const type = this.#byte(at);
    if (type >= 0xa0 && type < 0xc0) return 0;
    if (type >= 0xd9 && type <= 0xdb) return 1 << (type - 0xd9);
    throw malformed("a map's key is not a string");
  }

  /** Each member takes a byte at least: a count that promises more than there is, is a lie. */
  #enter(at: number, members: number, depth: number): void {
    if (depth >= this.#maxDepth) throw malformed(`it is nested deeper than ${this.#maxDepth}`);
    if (members > this.#data.length - at) throw malformed("it ends early");
    if (depth >= this.deepest) this.deepest = depth + 1;
  }

  #binary(at: number, kind: number, isRaw: boolean): number {
    if (!isRaw) throw malformed('binary stands elsewhere than under "raw"');
    return this.#sized(at, kind);
  }

  /** A string or binary whose length takes 1, 2 or 4 bytes. */
  #sized(at: number, kind: number): number {
    const width = 1 << kind;
    return this.#skip(at + 1 + width, this.#length(at + 1, width));
  }

  #checkFinite(at: number, type: number): void {
    const width = type === 0xca ? 4 : 8;
    this.#skip(at, width);
    const value = width === 4 ? this.#data.readFloatBE(at) : this.#data.readDoubleBE(at);
    if (!Number.isFinite(value)) throw malformed("a number is not finite");
  }

  #length(at: number, width: number): number {
    this.#skip(at, width);
    return this.#data.readUIntBE(at, width);
  }

  #skip(at: number, size: number): number {
    if (at + size > this.#data.length) throw malformed("it ends early");
    return at + size;
  }

  #byte(at: number): number {
    const byte = this.#data[at];
    if (byte === undefined) throw malformed("it ends early");
    return byte;
  }
}

function malformed(why: string): WeftError {
  return new WeftError("protocol_error", `A frame is not the msgpack of this binding: ${why}.`);
}
