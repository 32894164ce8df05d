/**
 * How records stand in a spool file.
 *
 * | bytes | what |
 * |---|---|
 * | 4 | length of the payload, u32 |
 * | 4 | CRC-32 of the payload, u32 |
 * | 4 | CRC-32 of these 8 bytes, u32 |
 * | length | the payload: its first byte is the kind |
 *
 * Numbers are little-endian. With a checksum of its own the head can be trusted where the payload cannot: a body that
 * was being written when the process died is stepped over, and what follows it is read.
 */
import { crc32 } from "node:zlib";

export const headBytes = 12;

export const FrameKinds = {
  /** JSON: who wrote this segment. */
  header: 1,
  /** u16 number, then the fields of a ScopeSpans other than its spans. */
  scope: 2,
  /** A span that was open at the end of its turn: `spanPrefixBytes`, then the span as field 2 of a ScopeSpans. */
  start: 3,
  /** A span that ended: as `start`. */
  end: 4,
  /** u8 destination, u32 segment, f64 offset: that destination has everything before it. */
  acknowledged: 5,
} as const;

/** Kind, u16 scope, f64 time of writing in epoch ms, trace id, span id. */
export const spanPrefixBytes = 1 + 2 + 8 + 16 + 8;

export interface Frame {
  readonly kind: number;
  /** The whole payload, kind included. */
  readonly payload: Buffer;
  /** Where the next frame stands, relative to what was read. */
  readonly next: number;
}

export interface FrameScan {
  readonly frames: readonly Frame[];
  /** Where reading stopped: at a frame that is not whole, or at the end. */
  readonly end: number;
  /** Frames whose payload was damaged. */
  readonly damaged: number;
  /** Bytes that the frame at `end` needs, when its head could be read and its payload not. */
  readonly wanted: number;
}

/** Fills in the head of a frame whose payload stands already after it. `frame`: head and payload. */
export function sealFrame(frame: Buffer, payloadCrc: number = crc32(frame.subarray(headBytes))): void {
  frame.writeUInt32LE(frame.length - headBytes, 0);
  frame.writeUInt32LE(payloadCrc, 4);
  frame.writeUInt32LE(crc32(frame.subarray(0, 8)), 8);
}

export function makeFrame(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  payload.copy(frame, headBytes);
  sealFrame(frame);
  return frame;
}

/**
 * Reads whole frames until the bytes, or `maxSpans` ended spans, are used up.
 * @param verify false for what this very process wrote: checking 10 MB takes milliseconds
 */
export function scanFrames(bytes: Buffer, maxSpans = Number.POSITIVE_INFINITY, verify = true): FrameScan {
  const frames: Frame[] = [];
  let damaged = 0;
  let spans = 0;
  let at = 0;
  while (spans < maxSpans && at + headBytes <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) break;
    const next = at + headBytes + length;
    if (next > bytes.length) return { frames, end: at, damaged, wanted: headBytes + length };
    const payload = bytes.subarray(at + headBytes, next);
    if (length > 0 && (!verify || crc32(payload) === bytes.readUInt32LE(at + 4))) {
      const kind = payload[0] ?? 0;
      frames.push({ kind, payload, next });
      if (kind === FrameKinds.end) spans += 1;
    } else damaged += 1;
    at = next;
  }
  return { frames, end: at, damaged, wanted: 0 };
}
