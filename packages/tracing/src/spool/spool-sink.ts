/**
 * Job: write spans into the spool, at the end of the turn in which they started or ended.
 * Owns: what of this turn is not written yet, the open spans, and large bodies on their way.
 * I1. A span that ended is in the kernel's hands before the next turn of the event loop; a body over `largeBytes` soon after.
 * I2. A span that starts and ends in one turn leaves no start.
 * I3. Large bodies that wait are bounded by bytes.
 */
import process from "node:process";
import { changeRecord } from "../spans/change-record.ts";
import type { InstrumentationScope, SpanRecord, SpanSink } from "../spans/span-record.ts";
import { Attr } from "../vocabulary.ts";
import type { DropLedger } from "../export/drop-ledger.ts";
import { estimateBytes } from "../export/estimate-bytes.ts";
import { encodeLongTexts, findLongTexts, nextTurn } from "../export/long-texts.ts";
import { ProtoBuffer } from "../export/proto-buffer.ts";
import { undoRecorded } from "../export/recorded-in.ts";
import { makeFrame } from "./frame.ts";
import { SpanFrames, scopePayload } from "./span-frames.ts";
import type { SpoolLog } from "./spool-log.ts";

const largeBytes = 256 * 1024;
const turnSpans = 1024;
const turnBytes = 512 * 1024;
/** A program that never ends its spans must not fill the memory with them. */
const maxOpen = 20_000;

export class SpoolSink implements SpanSink {
  readonly #log: SpoolLog;
  readonly #ledger: DropLedger;
  readonly #onAppended: (spans: number) => void;
  readonly #frames = new SpanFrames(new ProtoBuffer());
  readonly #largeFrames = new SpanFrames(new ProtoBuffer());
  readonly #scopes = new Map<InstrumentationScope, number>();
  readonly #open = new Set<SpanRecord>();
  #started = new Set<SpanRecord>();
  #ended: SpanRecord[] = [];
  #endedBytes = 0;
  #large: SpanRecord[] = [];
  #largeWaiting = 0;
  #largeUnderWay: SpanRecord | undefined;
  #writingLarge: Promise<void> | undefined;
  #scheduled = false;
  #closed = false;

  constructor(log: SpoolLog, ledger: DropLedger, onAppended: (spans: number) => void) {
    this.#log = log;
    this.#ledger = ledger;
    this.#onAppended = onAppended;
    log.opening = () => this.#openingFrames();
  }

  /** Spans that ended and are not in the log yet. */
  get waiting(): number {
    return this.#ended.length + this.#large.length + (this.#largeUnderWay === undefined ? 0 : 1);
  }

  onStart(record: SpanRecord): void {
    if (this.#closed) return;
    this.#started.add(record);
    this.#schedule();
  }

  onEnd(record: SpanRecord): void {
    if (!this.#started.delete(record)) this.#open.delete(record);
    const size = estimateBytes(record);
    const large = size > largeBytes;
    if (this.#closed || this.#log.isFull || (large && this.#isCrowded(size))) {
      undoRecorded(record);
      return this.#ledger.add(1, this.#closed ? "tracing was shut down" : "the spool is full");
    }
    if (large) {
      this.#large.push(record);
      this.#largeWaiting += size;
      this.#writingLarge ??= this.#writeLarge();
      return;
    }
    this.#ended.push(record);
    this.#endedBytes += size;
    if (this.#ended.length >= turnSpans || this.#endedBytes >= turnBytes) this.#writeEnded();
    else this.#schedule();
  }

  /** Resolves when large bodies are written. */
  async settled(): Promise<void> {
    this.#writeTurn();
    await this.#writingLarge;
  }

  /** Everything, here and now: the process ends. */
  drain(): void {
    this.#writeTurn();
    this.#log.finish();
    const rest = [...(this.#largeUnderWay === undefined ? [] : [this.#largeUnderWay]), ...this.#large];
    this.#large = [];
    this.#largeUnderWay = undefined;
    for (const record of rest) {
      this.#frames.end(this.#report(record), this.#scope(record.scope));
      this.#append(1);
    }
  }

  /** True when spans are still open: a later process will have to close them. */
  close(): boolean {
    this.drain();
    this.#closed = true;
    return this.#open.size > 0;
  }

  #isCrowded(size: number): boolean {
    return this.#largeWaiting + size > this.#log.options.maxMemoryBytes;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Not setImmediate: a span that ends in one would wait a whole turn.
    process.nextTick(() => {
      this.#scheduled = false;
      this.#writeTurn();
    });
  }

  #writeTurn(): void {
    this.#writeEnded();
    if (this.#started.size === 0) return;
    for (const record of this.#started) {
      this.#frames.start(record, this.#scope(record.scope));
      if (this.#open.size < maxOpen) this.#open.add(record);
    }
    this.#started = new Set();
    this.#append(0);
  }

  #writeEnded(): void {
    const ended = this.#ended;
    if (ended.length === 0) return;
    this.#ended = [];
    this.#endedBytes = 0;
    for (const record of ended) this.#frames.end(this.#report(record), this.#scope(record.scope));
    this.#append(ended.length);
  }

  #append(spans: number): void {
    this.#log.append(this.#frames.take());
    for (const cursor of this.#log.cursors) cursor.added(spans);
    if (spans > 0) this.#onAppended(spans);
  }

  async #writeLarge(): Promise<void> {
    await nextTurn();
    for (let record = this.#large.shift(); record !== undefined; record = this.#large.shift()) {
      this.#largeUnderWay = record;
      await this.#writeOneLarge(record);
      this.#largeUnderWay = undefined;
    }
    this.#writingLarge = undefined;
  }

  async #writeOneLarge(record: SpanRecord): Promise<void> {
    const texts = await encodeLongTexts(findLongTexts([record]));
    const scope = this.#scope(record.scope);
    this.#frames.flushTo(this.#log); // A new scope goes first.
    const frame = await this.#largeFrames.large(this.#report(record), scope, texts);
    if (this.#largeUnderWay !== record) return; // The process ended meanwhile: it was written at once.
    this.#largeUnderWay = undefined; // From here on the log has it.
    await this.#log.appendLarge(frame);
    this.#largeWaiting -= estimateBytes(record);
    for (const cursor of this.#log.cursors) cursor.added(1);
    this.#onAppended(1);
  }

  #scope(scope: InstrumentationScope): number {
    let number = this.#scopes.get(scope);
    if (number === undefined) {
      number = this.#scopes.size;
      this.#scopes.set(scope, number);
      this.#frames.add(makeFrame(scopePayload(scope, number)));
    }
    return number;
  }

  /** Losses are told to the reader of the trace: the next span that gets out carries their number. */
  #report(record: SpanRecord): SpanRecord {
    const dropped = this.#ledger.takeUnreported();
    if (dropped === 0) return record;
    return changeRecord(record, { attributes: { ...record.attributes, [Attr.droppedSpans]: dropped } });
  }

  /** For a new segment: it must be readable when the ones before it are gone. */
  #openingFrames(): readonly Buffer[] {
    const scopes = [...this.#scopes].map(([scope, number]) => makeFrame(scopePayload(scope, number)));
    const frames = new SpanFrames(new ProtoBuffer());
    for (const record of this.#open) frames.start(record, this.#scopes.get(record.scope) ?? 0);
    return [...scopes, frames.take()];
  }
}
