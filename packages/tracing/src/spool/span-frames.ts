/** Spans as frames, encoded in place in one buffer. */
import { crc32 } from "node:zlib";
import { changeRecord } from "../spans/change-record.ts";
import type { InstrumentationScope, SpanRecord } from "../spans/span-record.ts";
import { now } from "../spans/clock.ts";
import { estimateBytes } from "../export/estimate-bytes.ts";
import type { LongTexts } from "../export/long-texts.ts";
import { nextTurn } from "../export/long-texts.ts";
import { writeScopeFields, writeSpan } from "../export/otlp-writer.ts";
import { ProtoBuffer } from "../export/proto-buffer.ts";
import { FrameKinds, headBytes, sealFrame, spanPrefixBytes } from "./frame.ts";
import type { SpoolLog } from "./spool-log.ts";

/** What a start may carry of attributes; the end carries them all. */
const maxStartBytes = 16 * 1024;
/** Bytes to copy and to sum up until the event loop has its turn. */
const sliceBytes = 1024 * 1024;

export class SpanFrames {
  readonly #out: ProtoBuffer;

  constructor(out: ProtoBuffer) {
    this.#out = out;
  }

  start(record: SpanRecord, scope: number): void {
    const isSmall = estimateBytes(record) <= maxStartBytes;
    const start = changeRecord(record, { endTime: 0, ...(isSmall ? {} : { attributes: {}, events: [] }) });
    sealFrame(this.#write(FrameKinds.start, start, scope));
  }

  end(record: SpanRecord, scope: number): void {
    sealFrame(this.#write(FrameKinds.end, record, scope));
  }

  add(frame: Buffer): void {
    const at = this.#out.length;
    this.#out.skip(frame.length);
    this.#out.fillBefore(at + frame.length, frame);
  }

  /** All frames so far; valid until the next is written. */
  take(): Buffer {
    const bytes = this.#out.view(0, this.#out.length);
    this.#out.clear();
    return bytes;
  }

  flushTo(log: SpoolLog): void {
    if (this.#out.length > 0) log.append(this.take());
  }

  /** One frame with a large body, in memory of its own: what takes long is done in slices. */
  async large(record: SpanRecord, scope: number, texts: LongTexts): Promise<Buffer> {
    const out = this.#out;
    out.clear();
    out.longTexts = texts;
    this.#write(FrameKinds.end, record, scope);
    out.longTexts = undefined;
    const frame = Buffer.allocUnsafeSlow(out.lengthSince(0));
    let at = 0;
    let sum = 0;
    let slice = 0;
    for (const part of out.parts(0, out.length)) {
      frame.set(part, at);
      sum = crc32(frame.subarray(Math.max(at, headBytes), at + part.length), sum);
      at += part.length;
      slice += part.length;
      if (slice < sliceBytes) continue;
      slice = 0;
      await nextTurn();
    }
    sealFrame(frame, sum);
    return frame;
  }

  #write(kind: number, record: SpanRecord, scope: number): Buffer {
    const out = this.#out;
    const from = out.length;
    out.skip(headBytes + spanPrefixBytes);
    writeSpan(out, record);
    const frame = out.view(from, out.length);
    frame[headBytes] = kind;
    frame.writeUInt16LE(scope, headBytes + 1);
    frame.writeDoubleLE(now(), headBytes + 3);
    frame.write(record.traceId, headBytes + 11, 16, "hex");
    frame.write(record.spanId, headBytes + 27, 8, "hex");
    return frame;
  }
}

/** The fields of a ScopeSpans other than its spans. */
export function scopePayload(scope: InstrumentationScope, number: number): Buffer {
  const out = new ProtoBuffer();
  writeScopeFields(out, scope);
  const head = Buffer.alloc(3);
  head[0] = FrameKinds.scope;
  head.writeUInt16LE(number, 1);
  return Buffer.concat([head, out.view(0, out.length)]);
}
