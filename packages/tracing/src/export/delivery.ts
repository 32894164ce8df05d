/**
 * Job: bring batches from one source to one destination.
 * Owns: when a batch is sent, sent again, split, set aside or given up.
 * Does not own: the spans (the source does), nor when the process ends; the exit hooks ask for a flush.
 * I1. Batches leave one after another.
 * I2. Nothing here holds the process open but a flush, and that is bounded.
 * I3. One span that the destination cannot read takes no other span with it.
 * I4. A patient delivery gives nothing up that a later process can still deliver.
 * I5. A request costs as much as dozens of spans: once what was due is sent, only full batches leave without waiting for company.
 */
import type { Batch, BatchSource } from "./batch-source.ts";
import type { DropLedger } from "./drop-ledger.ts";
import type { HttpSender, SendResult } from "./http-sender.ts";

export interface DeliveryOptions {
  readonly source: BatchSource;
  readonly sender: Pick<HttpSender, "send" | "close">;
  readonly ledger: DropLedger;
  /** For messages: where the spans go. */
  readonly name: string;
  /** Whether what is not delivered outlives the process. */
  readonly patient: boolean;
  /** Milliseconds until a batch that nobody takes is given up, unless patient. */
  readonly giveUpMs: number;
  readonly warn: (message: string) => void;
  /** Awaited before every batch; must not reject. */
  readonly before?: (() => Promise<void>) | undefined;
}

/** How long a span waits for company. */
const lingerMs = 250;
const firstRetryMs = 250;
const longestRetryMs = 10_000;
/** What a destination may ask for by Retry-After. */
const longestAskedMs = 60_000;
/** Enough to find two bad spans in a full batch. */
const maxSplits = 18;

export interface DeliveryCounts {
  delivered: number;
  retries: number;
  batches: number;
}

/** How far a refused batch may still be split, and whether that helps. */
interface Splits {
  left: number;
  readonly delivered: number;
  refused: number;
}

export class Delivery {
  readonly counts: DeliveryCounts = { delivered: 0, retries: 0, batches: 0 };
  readonly #options: DeliveryOptions;
  /** Callers who wait; while there are some, retries come quickly. */
  #flushes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the timer waits for nothing but the next turn of the event loop. */
  #isDue = false;
  #pumping: Promise<void> | undefined;
  /** Spans that were delivered or given up so far, and how many of all that ever came are due, company or not. */
  #settled = 0;
  #due = 0;
  #retryNow = Promise.withResolvers<void>();
  /** False after a batch of which nothing was taken: then the destination is at fault, not a span. */
  #splitting = true;
  readonly #closed = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#options.source.pending;
  }

  /** There is something to send; `now` when it need not wait for company. */
  wake(now: boolean): void {
    // In a burst every span comes by here: a timer that is set already is left alone.
    if (this.#pumping !== undefined || this.#isDue || this.#closed.signal.aborted) return;
    if (!now) {
      this.#timer ??= setTimeout(() => void this.#pumpAll(), lingerMs).unref();
      return;
    }
    clearTimeout(this.#timer);
    this.#isDue = true;
    this.#timer = setTimeout(() => void this.#pump(), 0).unref();
  }

  /** Waits until every span that ended before now is delivered or given up, `timeoutMs` at most. True when nothing is left. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.pending === 0 && this.#pumping === undefined) return true;
    this.#flushes += 1;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#retryNow.resolve();
    void this.#pumpAll().then(() => resolve(true));
    const empty = await promise;
    clearTimeout(timer);
    this.#flushes -= 1;
    return empty;
  }

  /** Resolves when nothing that is there now is left, however long that takes; it does not hold the process. */
  async deliverAll(): Promise<void> {
    await this.#pumpAll();
  }

  async shutdown(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#closed.abort();
    clearTimeout(this.#timer);
    this.#retryNow.resolve();
    this.#options.source.close();
    this.#options.sender.close();
  }

  /** Sends all that is there now. */
  #pumpAll(): Promise<void> {
    this.#due = this.#settled + this.pending;
    return this.#pump();
  }

  /** Sends what is due, and full batches. */
  async #pump(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
    if (!this.#closed.signal.aborted) await (this.#pumping ??= this.#drain());
  }

  async #drain(): Promise<void> {
    const { source } = this.#options;
    try {
      do {
        const batch = await source.next();
        if (batch === undefined || !(await this.#sendBatch(batch))) break;
      } while (this.#settled < this.#due || source.hasBatch);
    } finally {
      // Not a turn later: who flushes meanwhile either is seen above or begins anew.
      this.#pumping = undefined;
      if (this.pending > 0) this.wake(false);
    }
  }

  /** False when tracing was shut down meanwhile. */
  async #sendBatch(batch: Batch): Promise<boolean> {
    await this.#options.before?.();
    const { delivered } = this.counts;
    const left = this.#splitting ? maxSplits : 0;
    if (!(await this.#deliver(batch, 0, batch.size, { left, delivered, refused: 0 }))) return false;
    this.#splitting = this.counts.delivered > delivered;
    this.counts.batches += 1;
    batch.settle();
    this.#settled += batch.size;
    return !this.#closed.signal.aborted;
  }

  /** False when tracing was shut down meanwhile. */
  async #deliver(batch: Batch, from: number, to: number, splits: Splits): Promise<boolean> {
    const segments = await batch.encode(from, to);
    const result = await this.#sendUntilAnswered(segments);
    if (result === undefined) return false;
    if (result.kind === "delivered") {
      const rejected = Math.min(result.rejected, to - from);
      this.counts.delivered += to - from - rejected;
      this.#lose(rejected, `rejected some of them (${result.reason})`);
      return true;
    }
    if (result.kind === "unreadable" && to - from > 1 && splits.left > 0) {
      splits.left -= 1;
      const middle = (from + to) >>> 1;
      return (await this.#deliver(batch, from, middle, splits)) && this.#deliver(batch, middle, to, splits);
    }
    // Two spans, each refused alone, and none taken: it is not the spans.
    splits.refused += this.counts.delivered === splits.delivered ? 1 : 0;
    if (splits.refused >= 2) splits.left = 0;
    batch.setAside(from, to);
    const gaveUp = result.kind === "retry";
    this.#lose(to - from, gaveUp ? "took none in time" : `refused them (${result.reason})`);
    return true;
  }

  /** Undefined when tracing was shut down meanwhile; `retry` when it is given up. */
  async #sendUntilAnswered(segments: readonly Uint8Array[]): Promise<SendResult | undefined> {
    const { sender, name, warn, patient, giveUpMs } = this.#options;
    const { signal } = this.#closed;
    const start = performance.now();
    for (let delay = firstRetryMs; ; delay = Math.min(delay * 2, longestRetryMs)) {
      const result = await sender.send(segments, signal);
      if (signal.aborted && result.kind !== "delivered") return undefined;
      if (result.kind === "delivered" || result.kind === "unreadable") return result;
      // A wrong token or path is put right by people: a spool can wait for them.
      if (result.kind === "refused" && !patient) return result;
      if (!patient && performance.now() - start > giveUpMs) return result;
      warn(`${name} does not take spans (${result.reason}); trying again.`);
      this.counts.retries += 1;
      const asked = result.kind === "retry" ? result.afterMs : longestRetryMs;
      await this.#pause(
        asked === undefined ? delay * (0.5 + Math.random()) : Math.min(asked, longestAskedMs),
      );
    }
  }

  #lose(count: number, what: string): void {
    this.#options.ledger.add(count, `${this.#options.name} ${what}`);
  }

  /** Until the time is over, or somebody flushes. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#retryNow = Promise.withResolvers<void>();
    const wait = this.#flushes > 0 ? Math.min(milliseconds, firstRetryMs) : milliseconds;
    const timer = setTimeout(this.#retryNow.resolve, wait).unref();
    await this.#retryNow.promise;
    clearTimeout(timer);
  }
}
