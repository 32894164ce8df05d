/**
 * Job: random trace and span ids.
 * Owns: a pool of random bytes, because asking the system per id costs more than the rest of a span, and a block of them as digits,
 *   because writing digits per id costs nearly as much.
 * I1. No byte is used twice; no id is all zeros.
 */
import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(16_384);
let used = pool.length;

/** An id refers to the block that it is a part of: whoever keeps one keeps no more than this, twice. */
const blockBytes = 256;
let block = "";
let blockUsed = 0;

/** Where so many unused bytes of the pool begin. */
function take(bytes: number): number {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const from = used;
  used += bytes;
  return from;
}

function hex(digits: number): string {
  if (blockUsed + digits > block.length) {
    const from = take(blockBytes);
    block = pool.toString("hex", from, from + blockBytes);
    blockUsed = 0;
  }
  blockUsed += digits;
  return block.slice(blockUsed - digits, blockUsed);
}

const zeroTraceId = "0".repeat(32);
const zeroSpanId = "0".repeat(16);

export function newTraceId(): string {
  const id = hex(32);
  return id === zeroTraceId ? newTraceId() : id;
}

export function newSpanId(): string {
  const id = hex(16);
  return id === zeroSpanId ? newSpanId() : id;
}

/** A short random id for a message or a history: 96 bits in base64url, 16 characters. */
export function newShortId(): string {
  const from = take(12);
  return pool.toString("base64url", from, from + 12);
}
