/** JSON of any value within a number of bytes: always valid, never throws, says what it left out. */

import { isRedacting, redactStart, redactText } from "./redaction.ts";

export interface BoundedJson {
  readonly text: string;
  /** Of the text in UTF-8: never less than it takes, at most one more for each value in it. */
  readonly bytes: number;
  readonly cutBytes: number;
  readonly cutItems: number;
}

const maxDepth = 32;

/** `budget` in bytes of UTF-8; `name` is where the value stands, for redaction. Circular references, bigint, functions and throwing getters are named, not fatal. */
export function boundedJson(value: unknown, budget: number, name = ""): BoundedJson {
  if (!isRedacting() && fitsPlainly(value, budget)) {
    const text = JSON.stringify(value);
    const bytes = Buffer.byteLength(text);
    if (bytes <= budget) return { text, bytes, cutBytes: 0, cutItems: 0 };
  }
  const writer = new Writer(budget);
  const text = writer.value(value, 0, name);
  return { text, bytes: writer.bytes, cutBytes: writer.cutBytes, cutItems: writer.cutItems };
}

/** Whether JSON.stringify, which is several times faster, would write just what the writer below does, within the budget. */
function fitsPlainly(value: unknown, budget: number): boolean {
  try {
    return plainLength(value, budget, 0) <= budget;
  } catch {
    return false;
  }
}

/** About the length of the value's JSON; infinite where it is more than `limit`, or holds what JSON has no word for. */
function plainLength(value: unknown, limit: number, depth: number): number {
  if (typeof value === "string") return value.length + 3;
  if (typeof value === "number") return Number.isFinite(value) ? 8 : Number.POSITIVE_INFINITY;
  if (typeof value === "boolean" || value === null) return 5;
  if (typeof value !== "object" || depth >= maxDepth) return Number.POSITIVE_INFINITY;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (!isArray && prototype !== Object.prototype && prototype !== null) return Number.POSITIVE_INFINITY;
  if ("toJSON" in value) return Number.POSITIVE_INFINITY;
  let length = 2;
  for (const key of Object.keys(value)) {
    length += isArray ? 1 : key.length + 4;
    length += plainLength((value as Record<string, unknown>)[key], limit, depth + 1);
    if (length > limit) return Number.POSITIVE_INFINITY;
  }
  return isArray && Object.keys(value).length !== value.length ? Number.POSITIVE_INFINITY : length;
}

class Writer {
  bytes = 0;
  cutBytes = 0;
  cutItems = 0;
  #left: number;
  readonly #above = new Set<object>();
  readonly #redacting = isRedacting();

  constructor(budget: number) {
    this.#left = budget;
  }

  value(value: unknown, depth: number, name: string): string {
    if (typeof value === "string") return this.#string(value, name);
    if (typeof value === "object" && value !== null) return this.#object(value, depth, name);
    return this.#spend(this.#redacting ? redactedScalar(value, name) : scalar(value));
  }

  #string(value: string, name: string): string {
    const room = Math.max(0, this.#left);
    const text = this.#redacting ? redactStart(value, room, name) : value;
    const kept = text.length * 3 <= room ? text : cutToBytes(text, room);
    if (kept.length < text.length) this.cutBytes += bytesAfter(value, kept.length);
    return this.#spend(JSON.stringify(kept));
  }

  #object(value: object, depth: number, name: string): string {
    if (this.#above.has(value)) return this.#spend('"[circular]"');
    if (depth >= maxDepth) return this.#spend('"[too deep]"');
    this.#above.add(value);
    try {
      return this.#members(value, depth, name);
    } catch {
      return this.#spend('"[unreadable]"');
    } finally {
      this.#above.delete(value);
    }
  }

  #members(value: object, depth: number, name: string): string {
    if (value instanceof Uint8Array || value instanceof ArrayBuffer)
      return this.#spend(`"[${value.byteLength} bytes]"`);
    const plain = toPlain(value);
    if (typeof plain !== "object" || plain === null) return this.value(plain, depth + 1, name);
    return Array.isArray(plain) ? this.#array(plain, depth, name) : this.#record(plain, depth);
  }

  #array(values: readonly unknown[], depth: number, name: string): string {
    const parts: string[] = [];
    for (const item of values) {
      if (this.#left <= 0) break;
      parts.push(this.value(item, depth + 1, name));
    }
    this.cutItems += values.length - parts.length;
    this.#count(2);
    return `[${parts.join(",")}]`;
  }

  #record(record: object, depth: number): string {
    const parts: string[] = [];
    const keys = Object.keys(record);
    let read = 0;
    for (const key of keys) {
      if (this.#left <= 0) break;
      read += 1;
      const member: unknown = (record as Record<string, unknown>)[key];
      if (member === undefined || typeof member === "function") continue;
      const shown = this.#redacting ? redactText(key) : key;
      const start = this.#spend(`${JSON.stringify(shown)}:`);
      parts.push(start + this.value(member, depth + 1, key));
    }
    this.cutItems += keys.length - read;
    this.#count(2);
    return `{${parts.join(",")}}`;
  }

  #spend(json: string): string {
    this.#count(json.length < 64 && isAscii(json) ? json.length + 1 : Buffer.byteLength(json) + 1);
    return json;
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#left -= bytes;
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === "bigint") return `"${value}"`;
  return `"[${typeof value}]"`;
}

/** A number may be a secret too: a card's, or one under a secret's name. */
function redactedScalar(value: unknown, name: string): string {
  if (typeof value !== "number" && typeof value !== "bigint") return scalar(value);
  const text = String(value);
  const safe = redactText(text, name);
  return safe === text ? scalar(value) : JSON.stringify(safe);
}

/** Beyond this many characters what was cut is counted in characters: counting must not cost more than cutting. */
const countedExactly = 65_536;

/** Bytes of `text` from `start` on; of a long rest, at least that many. */
export function bytesAfter(text: string, start: number): number {
  const rest = text.length - start;
  return rest > countedExactly ? rest : Buffer.byteLength(text.slice(start));
}

function toPlain(value: object): unknown {
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON() as unknown;
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), item as unknown]));
  if (value instanceof Set) return [...value];
  return value;
}

/** The longest beginning of `text` that has at most `bytes` bytes and ends between characters. */
export function cutToBytes(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || (text.length <= bytes && Buffer.byteLength(text) <= bytes)) return text;
  const start = text.slice(0, bytes);
  if (Buffer.byteLength(start) <= bytes) return endBetweenCharacters(start);
  let low = 0;
  let high = start.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (Buffer.byteLength(start.slice(0, middle)) <= bytes) low = middle;
    else high = middle - 1;
  }
  return endBetweenCharacters(start.slice(0, low));
}

function endBetweenCharacters(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}
