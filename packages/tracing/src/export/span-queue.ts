/**
 * Job: hold ended spans in memory until one destination has them.
 * Owns: the records that wait and those of the batch under way.
 * Does not own: when they are sent.
 * I1. Bounded by spans and by bytes, those under way included; what does not fit is refused, counted and unmarked.
 * I2. Spans leave in the order in which they ended.
 */
import { changeRecord } from "../spans/change-record.ts";
import type { SpanRecord } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";
import type { Batch, BatchSource } from "./batch-source.ts";
import type { DropLedger } from "./drop-ledger.ts";
import { estimateBytes } from "./estimate-bytes.ts";
import { encodeLongTexts, findLongTexts, longRecord } from "./long-texts.ts";
import type { EncodePiece, LongTexts } from "./long-texts.ts";
import { undoRecorded } from "./undo-recorded.ts";

/** Turns records into an OTLP request. */
export interface RequestWriter {
  write(records: readonly SpanRecord[], longTexts?: LongTexts): readonly Uint8Array[];
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

export class SpanQueue implements BatchSource {
  readonly #writer: RequestWriter;
  readonly #bounds: QueueBounds;
  readonly #ledger: DropLedger;
  #records: SpanRecord[] = [];
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;
  #underWay = 0;
  #closed = false;

  constructor(writer: RequestWriter, bounds: QueueBounds, ledger: DropLedger) {
    this.#writer = writer;
    this.#bounds = bounds;
    this.#ledger = ledger;
  }

  get pending(): number {
    return this.#records.length - this.#head;
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
    this.#records.push(record);
    this.#sizes.push(size);
    this.#bytes += size;
  }

  async next(): Promise<Batch | undefined> {
    if (this.pending === 0) return undefined;
    const records = this.#take();
    this.#underWay = records.length;
    return {
      size: records.length,
      encode: (from, to) => this.#encode(records, from, to),
      setAside: (from, to) => {
        for (let index = from; index < to; index += 1) undoRecorded(this.#recordAt(index));
      },
      settle: () => this.#settle(records.length),
    };
  }

  close(): void {
    this.#closed = true;
    const left = this.pending;
    for (let index = this.#head; index < this.#records.length; index += 1)
      undoRecorded(this.#records[index] as SpanRecord);
    this.#records = [];
    this.#sizes = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#underWay = 0;
    this.#ledger.add(left, "tracing was shut down");
  }

  #recordAt(index: number): SpanRecord {
    return this.#records[this.#head + index] as SpanRecord;
  }

  #take(): SpanRecord[] {
    let end = this.#head;
    let bytes = 0;
    const last = Math.min(this.#records.length, this.#head + batchSpans);
    while (end < last && (bytes === 0 || bytes + (this.#sizes[end] ?? 0) <= batchBytes)) {
      bytes += this.#sizes[end] ?? 0;
      end += 1;
    }
    return this.#report(this.#records.slice(this.#head, end));
  }

  /** Losses are told to the reader of the trace too: the next span that gets out carries their number. */
  #report(batch: SpanRecord[]): SpanRecord[] {
    const [first, ...others] = batch;
    const dropped = this.#ledger.takeUnreported();
    if (dropped === 0 || first === undefined) return batch;
    const attributes = { ...first.attributes, [Attr.droppedSpans]: dropped };
    return [changeRecord(first, { attributes }), ...others];
  }

  async #encode(records: readonly SpanRecord[], from: number, to: number): Promise<readonly Uint8Array[]> {
    const part = from === 0 && to === records.length ? records : records.slice(from, to);
    const start = this.#head + from;
    const long = findLongTexts(part.filter((_, at) => (this.#sizes[start + at] ?? 0) > longRecord));
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
    if (this.#head * 2 < this.#records.length) {
      // Let go of what was sent without moving the whole queue for every batch.
      this.#records.fill(undefined as unknown as SpanRecord, this.#head - count, this.#head);
      return;
    }
    this.#records = this.#records.slice(this.#head);
    this.#sizes = this.#sizes.slice(this.#head);
    this.#head = 0;
  }
}
