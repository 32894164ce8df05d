/**
 * Job: hold ended spans in memory until one destination has them.
 * Owns: the spans that wait and those of the batch under way.
 * Does not own: when they are sent.
 * I1. Bounded by spans and by bytes, those under way included; what does not fit is refused, counted and unmarked.
 * I2. Spans leave in the order in which they ended.
 * I3. What is small is encoded in the turn of the event loop after its end, the rest when it is sent.
 */
import { changeRecord } from "../spans/change-record.ts";
import type { SpanRecord } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";
import type { Batch, BatchSource } from "./batch-source.ts";
import type { DropLedger } from "./drop-ledger.ts";
import { isEncoded } from "./encoded-span.ts";
import type { EncodedSpan, QueuedSpan } from "./encoded-span.ts";
import { estimateBytes } from "./estimate-bytes.ts";
import { encodeLongTexts, findLongTexts, longRecord } from "./long-texts.ts";
import type { EncodePiece, LongTexts } from "./long-texts.ts";
import { undoRecorded } from "./recorded-in.ts";
import { extendEncoded, isEncodable } from "./span-encoder.ts";

/** Turns spans into an OTLP request. */
export interface RequestWriter {
  write(spans: readonly QueuedSpan[], longTexts?: LongTexts): readonly Uint8Array[];
  /** Does its part of the work ahead, for one span. Default: all is done by `write`. */
  readonly encode?: (record: SpanRecord) => EncodedSpan;
  /** How it holds the texts that were encoded ahead. Default: as UTF-8. */
  readonly encodePiece?: EncodePiece;
}

export interface QueueBounds {
  readonly maxSpans: number;
  readonly maxBytes: number;
}

export const batchSpans = 512;
/** Encoding as much of any script takes less than 5 ms. */
export const batchBytes = 512 * 1024;

/** A span of more bytes is not encoded ahead. */
const smallSpan = 4096;
/** Spans that are encoded in one turn of the event loop: less than a millisecond or so. */
const spansAhead = 256;
/** What an encoded span takes beside its bytes. */
const encodedOverhead = 256;

export class SpanQueue implements BatchSource {
  readonly #writer: RequestWriter;
  readonly #bounds: QueueBounds;
  readonly #ledger: DropLedger;
  #spans: QueuedSpan[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;
  #underWay = 0;
  /** Where the spans begin that nobody has tried to encode ahead. */
  #ahead = 0;
  #aheadIsDue = false;
  #closed = false;

  constructor(writer: RequestWriter, bounds: QueueBounds, ledger: DropLedger) {
    this.#writer = writer;
    this.#bounds = bounds;
    this.#ledger = ledger;
  }

  get pending(): number {
    return this.#spans.length - this.#head;
  }

  /** Bytes that wait, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a batch is full, so that sending need not wait for company. */
  get hasBatch(): boolean {
    return this.pending - this.#underWay >= batchSpans || this.#bytes >= batchBytes;
  }

  offer(record: SpanRecord): void {
    const { maxSpans, maxBytes } = this.#bounds;
    const size = estimateBytes(record);
    if (this.#closed || this.pending >= maxSpans || this.#bytes + size > maxBytes) {
      undoRecorded(record);
      return this.#ledger.add(1, this.#closed ? "tracing was shut down" : "the queue is full");
    }
    this.#spans.push(record);
    this.#sizes.push(size);
    this.#bytes += size;
    this.#encodeSoon();
  }

  async next(): Promise<Batch | undefined> {
    if (this.pending === 0) return undefined;
    const spans = this.#take();
    this.#underWay = spans.length;
    return {
      size: spans.length,
      encode: (from, to) => this.#encode(spans, from, to),
      setAside: (from, to) => {
        for (let index = from; index < to; index += 1) undoRecorded(this.#spanAt(index));
      },
      settle: () => this.#settle(spans.length),
    };
  }

  close(): void {
    this.#closed = true;
    const left = this.pending;
    for (let index = this.#head; index < this.#spans.length; index += 1)
      undoRecorded(this.#spans[index] as QueuedSpan);
    this.#spans = [];
    this.#sizes = [];
    this.#head = 0;
    this.#ahead = 0;
    this.#bytes = 0;
    this.#underWay = 0;
    this.#ledger.add(left, "tracing was shut down");
  }

  #spanAt(index: number): QueuedSpan {
    return this.#spans[this.#head + index] as QueuedSpan;
  }

  #encodeSoon(): void {
    if (this.#aheadIsDue || this.#writer.encode === undefined) return;
    this.#aheadIsDue = true;
    setImmediate(() => this.#encodeAhead()).unref();
  }

  #encodeAhead(): void {
    this.#aheadIsDue = false;
    const from = Math.max(this.#ahead, this.#head + this.#underWay);
    this.#ahead = Math.min(this.#spans.length, from + spansAhead);
    for (let index = from; index < this.#ahead; index += 1) this.#encodeAt(index);
    if (this.#ahead < this.#spans.length) this.#encodeSoon();
  }

  #encodeAt(index: number): void {
    const span = this.#spans[index] as QueuedSpan;
    const before = this.#sizes[index] ?? 0;
    if (before > smallSpan || isEncoded(span) || !isEncodable(span)) return;
    const encoded = this.#writer.encode?.(span) ?? span;
    const size = isEncoded(encoded) ? encoded.to - encoded.from + encodedOverhead : before;
    this.#spans[index] = encoded;
    this.#sizes[index] = size;
    this.#bytes += size - before;
  }

  #take(): QueuedSpan[] {
    let end = this.#head;
    let bytes = 0;
    const last = Math.min(this.#spans.length, this.#head + batchSpans);
    while (end < last && (bytes === 0 || bytes + (this.#sizes[end] ?? 0) <= batchBytes)) {
      bytes += this.#sizes[end] ?? 0;
      end += 1;
    }
    return this.#report(this.#spans.slice(this.#head, end));
  }

  /** Losses are told to the reader of the trace too: the next span that gets out carries their number. */
  #report(batch: QueuedSpan[]): QueuedSpan[] {
    const [first, ...others] = batch;
    const dropped = this.#ledger.takeUnreported();
    if (dropped === 0 || first === undefined) return batch;
    const told = { [Attr.droppedSpans]: dropped };
    if (isEncoded(first)) return [extendEncoded(first, told), ...others];
    return [changeRecord(first, { attributes: { ...first.attributes, ...told } }), ...others];
  }

  async #encode(spans: readonly QueuedSpan[], from: number, to: number): Promise<readonly Uint8Array[]> {
    const part = from === 0 && to === spans.length ? spans : spans.slice(from, to);
    const start = this.#head + from;
    const isLong = (span: QueuedSpan, at: number): span is SpanRecord =>
      !isEncoded(span) && (this.#sizes[start + at] ?? 0) > longRecord;
    const long = findLongTexts(part.filter(isLong));
    return this.#writer.write(
      part,
      long.length === 0 ? undefined : await encodeLongTexts(long, this.#writer.encodePiece),
    );
  }

  #settle(count: number): void {
    if (this.#closed) return;
    for (let index = this.#head; index < this.#head + count; index += 1)
      this.#bytes -= this.#sizes[index] ?? 0;
    this.#underWay = 0;
    this.#head += count;
    if (this.#head * 2 < this.#spans.length) {
      // Let go of what was sent without moving the whole queue for every batch.
      this.#spans.fill(undefined as unknown as QueuedSpan, this.#head - count, this.#head);
      return;
    }
    this.#spans = this.#spans.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#ahead = Math.max(0, this.#ahead - this.#head);
    this.#head = 0;
  }
}
