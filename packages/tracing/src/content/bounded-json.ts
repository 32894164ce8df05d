/** JSON of any value within a number of bytes: always valid, never throws, says what it left out. */

import { bytesAfter, cutToBytes, textBytes } from "./cut-text.ts";
import { DeferredJson } from "./deferred-json.ts";
import type { JsonCopy } from "./deferred-json.ts";
import { isRedacting, redactStart, redactText } from "./redaction.ts";

export interface BoundedJson {
  /** Its text, or a copy of what is needed to write it: then nothing that happens to the value afterwards shows. */
  readonly json: string | DeferredJson;
  /** Of the text in UTF-8 before JSON escapes what it must, about. */
  readonly bytes: number;
  readonly cutBytes: number;
  readonly cutItems: number;
}

const maxDepth = 32;
const objectBytes = 32;
const memberBytes = 8;
/** A record with more members is copied a member at a time. */
const spreadMembers = 64;
/** What is shorter is written at once, which then costs no more than a copy. */
const writtenAtOnce = 4096;

/**
 * `budget` in bytes of UTF-8, escapes not counted; `name` is where the value stands, for redaction. Circular references, bigint, functions
 * and throwing getters are named, not fatal.
 */
export function boundedJson(value: unknown, budget: number, name = ""): BoundedJson {
  const text = isRedacting() ? undefined : plainText(value, Math.min(budget, writtenAtOnce));
  if (text !== undefined) return { json: text, bytes: Buffer.byteLength(text), cutBytes: 0, cutItems: 0 };
  const copier = new Copier(budget);
  const copy = copier.value(value, name);
  const { bytes, cutBytes, cutItems } = copier;
  return { json: new DeferredJson(copy, bytes + copier.structureBytes), bytes, cutBytes, cutItems };
}

/** The JSON of a small value that JSON.stringify, which is several times faster, writes just as a copy would be written. */
function plainText(value: unknown, limit: number): string | undefined {
  try {
    if (plainLength(value, limit, 0) > limit) return undefined;
    const text = JSON.stringify(value);
    return Buffer.byteLength(text) <= limit ? text : undefined;
  } catch {
    return undefined;
  }
}

/** About the length of the value's JSON; infinite where it is more than `limit`, or holds what JSON has no word for. */
function plainLength(value: unknown, limit: number, depth: number): number {
  if (typeof value === "string") return value.length + 3;
  if (typeof value === "number") return Number.isFinite(value) ? 8 : Number.POSITIVE_INFINITY;
  if (typeof value === "boolean" || value === null) return 5;
  if (typeof value !== "object" || depth >= maxDepth || "toJSON" in value) return Number.POSITIVE_INFINITY;
  return Array.isArray(value) ? plainArray(value, limit, depth) : plainRecord(value, limit, depth);
}

function plainArray(values: readonly unknown[], limit: number, depth: number): number {
  let length = 2;
  for (let at = 0; at < values.length; at += 1) {
    length += 1 + plainLength(values[at], limit, depth + 1);
    if (length > limit) return Number.POSITIVE_INFINITY;
  }
  return length;
}

function plainRecord(record: object, limit: number, depth: number): number {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null) return Number.POSITIVE_INFINITY;
  let length = 2;
  for (const key in record) {
    const member = (record as Record<string, unknown>)[key];
    if (member === undefined) continue;
    length += key.length + 4 + plainLength(member, limit, depth + 1);
    if (length > limit) return Number.POSITIVE_INFINITY;
  }
  return length;
}

/** Copies what a budget allows: structure, and references to texts, which nobody can change. */
class Copier {
  bytes = 0;
  cutBytes = 0;
  cutItems = 0;
  /** What objects and arrays take in memory beside their texts, about. */
  structureBytes = 0;
  #left: number;
  /** The objects that the value at hand stands in. */
  readonly #above: object[] = [];
  readonly #redacting = isRedacting();

  constructor(budget: number) {
    this.#left = budget;
  }

  value(value: unknown, name: string): JsonCopy {
    if (typeof value === "string") return this.#text(value, name);
    if (typeof value === "object" && value !== null) return this.#object(value, name);
    return this.#spend(this.#redacting ? redactedScalar(value, name) : scalar(value));
  }

  #text(value: string, name: string): string {
    const room = Math.max(0, this.#left);
    const text = this.#redacting ? redactStart(value, room, name) : value;
    const kept = cutToBytes(text, room);
    if (kept.length < text.length) this.cutBytes += bytesAfter(value, kept.length);
    this.#count(textBytes(kept) + 3);
    return kept;
  }

  #object(value: object, name: string): JsonCopy {
    if (this.#above.includes(value)) return this.#spend("[circular]");
    if (this.#above.length >= maxDepth) return this.#spend("[too deep]");
    const depth = this.#above.push(value);
    try {
      return this.#members(value, name);
    } catch {
      return this.#spend("[unreadable]");
    } finally {
      this.#above.length = depth - 1;
    }
  }

  #members(value: object, name: string): JsonCopy {
    if (value instanceof Uint8Array || value instanceof ArrayBuffer)
      return this.#spend(`[${value.byteLength} bytes]`);
    const plain = toPlain(value);
    if (typeof plain !== "object" || plain === null) return this.value(plain, name);
    return Array.isArray(plain) ? this.#array(plain, name) : this.#record(plain);
  }

  #array(values: readonly unknown[], name: string): JsonCopy[] {
    const copy: JsonCopy[] = [];
    for (const item of values) {
      if (this.#left <= 0) break;
      copy.push(this.value(item, name));
    }
    this.#countStructure(copy.length, values.length);
    return copy;
  }

  /** Few members are copied at once by a spread, which is faster; of many, only those that the budget reaches are read. */
  #record(record: object): JsonCopy {
    const keys = Object.keys(record);
    const isSpread = keys.length <= spreadMembers;
    const copy: Record<string, unknown> = isSpread ? { ...record } : {};
    const source = isSpread ? copy : (record as Record<string, unknown>);
    let read = 0;
    for (const key of keys) {
      if (this.#left > 0) {
        read += 1;
        this.#member(copy, key, source[key]);
      } else if (isSpread) copy[key] = undefined;
      else break;
    }
    this.#countStructure(read, keys.length);
    return copy as JsonCopy;
  }

  #member(copy: Record<string, unknown>, key: string, member: unknown): void {
    if (member === undefined) return;
    if (typeof member === "function") return setMember(copy, key, undefined);
    const shown = this.#redacting ? redactText(key) : key;
    this.#count(textBytes(shown) + 4);
    const value = this.value(member, key);
    // A name may be a secret too, and must not wait in the copy either.
    if (shown !== key) Reflect.deleteProperty(copy, key);
    if (copy[shown] !== value) setMember(copy, shown, value);
  }

  #countStructure(kept: number, all: number): void {
    this.cutItems += all - kept;
    this.structureBytes += objectBytes + memberBytes * kept;
    this.#count(2);
  }

  #spend<T extends string | number | boolean | null>(value: T): T {
    this.#count(typeof value === "string" ? value.length + 3 : String(value).length + 1);
    return value;
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#left -= bytes;
  }
}

/** A member of this one name would be the prototype instead. */
function setMember(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function scalar(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  return typeof value === "bigint" ? String(value) : `[${typeof value}]`;
}

/** A number may be a secret too: a card's, or one under a secret's name. */
function redactedScalar(value: unknown, name: string): string | number | boolean | null {
  if (typeof value !== "number" && typeof value !== "bigint") return scalar(value);
  const text = String(value);
  const safe = redactText(text, name);
  return safe === text ? scalar(value) : safe;
}

function toPlain(value: object): unknown {
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON() as unknown;
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), item as unknown]));
  if (value instanceof Set) return [...value];
  return value;
}
