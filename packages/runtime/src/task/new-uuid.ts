import { randomFillSync } from "node:crypto";

/** Bytes of one UUID. */
const size = 16;
const pool = Buffer.alloc(size * 256);
let used = pool.length;

const digits = Buffer.from("0123456789abcdef", "latin1");
/** Stands between these bytes and those before them. */
const dash = 0x2d;
const text = Buffer.alloc(36, dash);

/** A random UUID (RFC 9562, 5.4) that is one piece of text: node's own is a tree of twenty, and a task keeps its id for good. */
export function newUuid(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const uuid = formatUuid(pool, used, 4);
  used += size;
  return uuid;
}

/** The sixteen bytes at `from` as the text of a UUID of that version. */
export function formatUuid(bytes: Uint8Array, from: number, version: number): string {
  let at = 0;
  for (let index = 0; index < size; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) at++;
    let byte = bytes[from + index]!;
    if (index === 6) byte = (byte & 0x0f) | (version << 4);
    if (index === 8) byte = (byte & 0x3f) | 0x80;
    text[at++] = digits[byte >> 4]!;
    text[at++] = digits[byte & 0x0f]!;
  }
  return text.toString("latin1");
}
