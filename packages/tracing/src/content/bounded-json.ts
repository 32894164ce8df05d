/** JSON of any value within a number of bytes: always valid, never throws, says what it left out. */

export interface BoundedJson {
  readonly text: string;
  readonly cutBytes: number;
  readonly cutItems: number;
}

const maxDepth = 32;

/** `budget` in bytes of UTF-8. Circular references, bigint, functions and throwing getters are named, not fatal. */
export function boundedJson(value: unknown, budget: number): BoundedJson {
  const writer = new Writer(budget);
  const text = writer.value(value, 0);
  return { text, cutBytes: writer.cutBytes, cutItems: writer.cutItems };
}

class Writer {
  cutBytes = 0;
  cutItems = 0;
  #left: number;
  readonly #above = new Set<object>();

  constructor(budget: number) {
    this.#left = budget;
  }

  value(value: unknown, depth: number): string {
    if (typeof value === "string") return this.string(value);
    if (typeof value === "object" && value !== null) return this.#object(value, depth);
    return this.#spend(scalar(value));
  }

  string(value: string): string {
    const room = Math.max(0, this.#left);
    const kept = value.length * 3 <= room ? value : cutToBytes(value, room);
    if (kept.length < value.length) this.cutBytes += Buffer.byteLength(value) - Buffer.byteLength(kept);
    return this.#spend(JSON.stringify(kept));
  }

  #object(value: object, depth: number): string {
    if (this.#above.has(value)) return this.#spend('"[circular]"');
    if (depth >= maxDepth) return this.#spend('"[too deep]"');
    this.#above.add(value);
    try {
      return this.#members(value, depth);
    } catch {
      return this.#spend('"[unreadable]"');
    } finally {
      this.#above.delete(value);
    }
  }

  #members(value: object, depth: number): string {
    if (value instanceof Uint8Array || value instanceof ArrayBuffer)
      return this.#spend(`"[${value.byteLength} bytes]"`);
    const plain = toPlain(value);
    if (typeof plain !== "object" || plain === null) return this.value(plain, depth + 1);
    return Array.isArray(plain) ? this.#array(plain, depth) : this.#record(plain, depth);
  }

  #array(values: readonly unknown[], depth: number): string {
    const parts: string[] = [];
    for (const item of values) {
      if (this.#left <= 0) break;
      parts.push(this.value(item, depth + 1));
    }
    this.cutItems += values.length - parts.length;
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
      const name = this.#spend(`${JSON.stringify(key)}:`);
      parts.push(name + this.value(member, depth + 1));
    }
    this.cutItems += keys.length - read;
    return `{${parts.join(",")}}`;
  }

  #spend(json: string): string {
    this.#left -= json.length < 64 ? json.length + 1 : Buffer.byteLength(json) + 1;
    return json;
  }
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === "bigint") return `"${value}"`;
  return `"[${typeof value}]"`;
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
