/**
 * Job: the protobuf of what comes again and again in attributes: keys, and the values of keys that have few.
 * Owns: what it has encoded so far.
 * I1. Bounded: keys and values may be made of data.
 */
import { detach } from "../content/cut-text.ts";
import { ProtoBuffer } from "./proto-buffer.ts";

const maxKeys = 2048;
const maxKeyLength = 128;
/** A key that had so many values has ids or the like: to look for them again is not worth it. */
const maxValues = 16;
const maxValueLength = 64;

const keys = new Map<string, AttributeKey>();

/** The key of a KeyValue, https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/common/v1/common.proto */
export class AttributeKey {
  /** Field 1 of the KeyValue. */
  readonly field: Uint8Array;
  #pairs: Map<string, Uint8Array> | undefined = new Map();

  constructor(key: string) {
    this.field = encode(key.length, (out) => out.string(1, key));
  }

  /** The whole KeyValue with this text, if it is one of the few that this key has. */
  pairOf(text: string): Uint8Array | undefined {
    if (this.#pairs === undefined || text.length > maxValueLength) return undefined;
    return this.#pairs.get(text) ?? this.#learn(this.#pairs, text);
  }

  #learn(pairs: Map<string, Uint8Array>, text: string): Uint8Array | undefined {
    if (pairs.size >= maxValues) {
      this.#pairs = undefined;
      return undefined;
    }
    const pair = encode(this.field.length + text.length, (out) => {
      out.raw(this.field);
      const value = out.open(2);
      out.string(1, text);
      out.close(value);
    });
    pairs.set(detach(text), pair);
    return pair;
  }
}

export function attributeKey(key: string): AttributeKey {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const made = new AttributeKey(key);
  if (keys.size < maxKeys && key.length < maxKeyLength) keys.set(key, made);
  return made;
}

function encode(length: number, write: (out: ProtoBuffer) => void): Uint8Array {
  const out = new ProtoBuffer(length * 3 + 64);
  write(out);
  return out.view(0, out.length);
}
