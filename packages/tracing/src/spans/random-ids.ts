/**
 * Job: random trace and span ids.
 * Owns: a pool of random bytes, because asking the system per id costs more than the rest of a span.
 * I1. No byte is used twice; no id is all zeros.
 */
import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(4096);
let used = pool.length;

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString("hex", used, used + bytes);
  used += bytes;
  return text;
}

const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

export function newTraceId(): string {
  const id = hex(16);
  return id === zeroTraceId ? newTraceId() : id;
}

export function newSpanId(): string {
  const id = hex(8);
  return id === zeroSpanId ? newSpanId() : id;
}

/** A short random id for a message or a history: 96 bits in base64url, 16 characters. */
export function newShortId(): string {
  if (used + 12 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString("base64url", used, used + 12);
  used += 12;
  return text;
}
