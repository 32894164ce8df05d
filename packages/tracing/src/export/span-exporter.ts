/**
 * Job: take ended spans out of the process, to one destination.
 * Owns: the queue of what waits, and the batch in flight.
 * Does not own: when the process ends; the exit hooks ask for a flush.
 * I1. The queue is bounded by spans and by bytes; every span that does not get out is counted and reported.
 * I2. Batches leave one after another, in the order in which their spans ended.
 * I3. Nothing here holds the process open but a flush, and that is bounded.
 */
import { Attr } from "../vocabulary.ts";
import type { SpanRecord, SpanSink } from "../spans/span-record.ts";
import { estimateBytes } from "./estimate-bytes.ts";
import type { HttpSender } from "./http-sender.ts";
import type { OtlpWriter } from "./otlp-writer.ts";

export interface SpanExporterOptions {
  readonly sender: HttpSender;
  readonly writer: OtlpWriter;
  /** For messages: where the spans go. */
  readonly name: string;
  readonly maxSpans: number;
  readonly maxBytes: number;
  /** Called once per kind of trouble. */
  readonly warn: (message: string) => void;
}

const batchSpans = 512;
const batchBytes = 1024 * 1024;
/** How long a span waits for company. */
const lingerMs = 250;
const firstRetryMs = 250;
const longestRetryMs = 10_000;
/** After this long a batch that nobody takes is given up. */
const giveUpMs = 120_000;

export class SpanExporter implements SpanSink {
  readonly #options: SpanExporterOptions;
  #queue: SpanRecord[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  #inFlight = 0;
  #dropped = 0;
  #unreported = 0;
  /** Callers who wait; while there are some, retries come quickly. */
  #flushes = 0;
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #retryNow = Promise.withResolvers<void>();
  readonly #closed = new AbortController();

  constructor(options: SpanExporterOptions) {
    this.#options = options;
  }

  /** Spans that did not get out, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight;
  }

  onEnd(record: SpanRecord): void {
    const { maxSpans, maxBytes } = this.#options;
    const size = estimateBytes(record);
    if (this.#closed.signal.aborted || this.#queue.length >= maxSpans || this.#bytes + size > maxBytes) {
      return this.#drop(1, "the queue is full");
    }
    this.#queue.push(record);
    this.#sizes.push(size);
    this.#bytes += size;
    if (this.#queue.length === batchSpans || this.#bytes >= batchBytes) this.#pumpSoon(0);
    else this.#pumpSoon(lingerMs);
  }

  /** Waits until every span that ended before now is delivered or given up, `timeoutMs` at most. True when nothing is left. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.pending === 0) return true;
    this.#flushes += 1;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#retryNow.resolve();
    void this.#pump().then(() => resolve(true));
    const empty = await promise;
    clearTimeout(timer);
    this.#flushes -= 1;
    return empty;
  }

  async shutdown(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#closed.abort();
    clearTimeout(this.#timer);
    this.#retryNow.resolve();
    const left = this.pending;
    this.#queue = [];
    if (left > 0) this.#drop(left, "tracing was shut down");
    this.#options.sender.close();
  }

  #pumpSoon(delayMs: number): void {
    if (this.#pumping !== undefined) return;
    if (delayMs > 0) {
      this.#timer ??= setTimeout(() => void this.#pump(), delayMs).unref();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#pump(), 0).unref();
  }

  #pump(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pumping ??= this.#drain().finally(() => {
      this.#pumping = undefined;
      if (this.#queue.length > 0 && !this.#closed.signal.aborted) this.#pumpSoon(lingerMs);
    });
    return this.#pumping;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closed.signal.aborted) {
      const batch = this.#take();
      this.#inFlight = batch.length;
      await this.#deliver(batch);
      this.#inFlight = 0;
    }
  }

  #take(): readonly SpanRecord[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && count < batchSpans && (count === 0 || bytes < batchBytes)) {
      bytes += this.#sizes[count] ?? 0;
      count += 1;
    }
    this.#bytes -= bytes;
    this.#sizes.splice(0, count);
    return this.#report(this.#queue.splice(0, count));
  }

  /** Losses are told to the collector too: the next span that gets out carries their number. */
  #report(batch: SpanRecord[]): readonly SpanRecord[] {
    const [first, ...others] = batch;
    if (this.#unreported === 0 || first === undefined) return batch;
    const attributes = { ...first.attributes, [Attr.droppedSpans]: this.#unreported };
    this.#unreported = 0;
    return [{ ...first, attributes }, ...others];
  }

  async #deliver(batch: readonly SpanRecord[]): Promise<void> {
    const { sender, writer, name, warn } = this.#options;
    const segments = writer.write(batch);
    const start = performance.now();
    const { signal } = this.#closed;
    for (let delay = firstRetryMs; ; delay = Math.min(delay * 2, longestRetryMs)) {
      const result = await sender.send(segments, signal);
      if (result.kind === "delivered" || signal.aborted) return;
      if (result.kind === "refused")
        return this.#drop(batch.length, `${name} refused them (${result.reason})`);
      warn(`${name} does not take spans (${result.reason}); trying again.`);
      if (performance.now() - start > giveUpMs)
        return this.#drop(batch.length, `${name} took none for two minutes`);
      await this.#pause(result.afterMs ?? delay * (0.5 + Math.random()));
    }
  }

  /** Until the time is over, or somebody flushes. */
  async #pause(milliseconds: number): Promise<void> {
    this.#retryNow = Promise.withResolvers<void>();
    const longest = this.#flushes > 0 ? firstRetryMs : longestRetryMs;
    const timer = setTimeout(this.#retryNow.resolve, Math.min(milliseconds, longest)).unref();
    await this.#retryNow.promise;
    clearTimeout(timer);
  }

  #drop(count: number, why: string): void {
    this.#dropped += count;
    this.#unreported += count;
    this.#options.warn(`Spans are lost: ${why}.`);
  }
}
