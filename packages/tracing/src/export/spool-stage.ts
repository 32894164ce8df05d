/**
 * Job: the spool as a part of the pipeline: ours, and those that were taken over.
 * Owns: the log, its sink, the fsync every second, and the deliveries of adopted spools.
 * I1. A spool is taken away when nothing in it is left to do; else it stays for the next process.
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import type { SpanRecord } from "../spans/span-record.ts";
import type { Destination } from "../start/destinations.ts";
import { adoptSpools } from "../spool/adopt-spools.ts";
import type { AdoptedSpool } from "../spool/adopt-spools.ts";
import type { SpoolCursor } from "../spool/spool-cursor.ts";
import { createSpool } from "../spool/spool-log.ts";
import type { SpoolLog, SpoolOptions } from "../spool/spool-log.ts";
import { SpoolSink } from "../spool/spool-sink.ts";
import type { BatchSource } from "./batch-source.ts";
import type { Delivery } from "./delivery.ts";
import { DropLedger } from "./drop-ledger.ts";
import type { SpoolStats } from "./tracing-stats.ts";

export interface SpoolSettings {
  readonly folder: string;
  readonly maxBytes: number;
}

interface StageParts {
  readonly ledger: DropLedger;
  readonly maxMemoryBytes: number;
  readonly warn: (message: string) => void;
  readonly openDelivery: (destination: Destination, source: BatchSource, ledger: DropLedger) => Delivery;
}

interface Adopted extends AdoptedSpool {
  readonly deliveries: readonly Delivery[];
}

const syncMs = 1000;

export class SpoolStage {
  readonly #log: SpoolLog;
  readonly #sink: SpoolSink;
  readonly #parts: StageParts;
  readonly #listeners: (() => void)[] = [];
  #adopted: readonly Adopted[] = [];
  readonly #sync: NodeJS.Timeout;
  #adopting: Promise<void> = Promise.resolve();
  #adoptedCount = 0;
  #closedAsLost = 0;
  #stopped = false;

  private constructor(log: SpoolLog, parts: StageParts) {
    this.#log = log;
    this.#parts = parts;
    this.#sink = new SpoolSink(log, parts.ledger, () => {
      for (const listener of this.#listeners) listener();
    });
    this.#sync = setInterval(() => log.sync(), syncMs).unref();
  }

  /** Undefined, and said so, where the folder cannot be used. */
  static open(
    { folder, maxBytes }: SpoolSettings,
    identity: SpoolOptions["identity"],
    parts: StageParts,
  ): SpoolStage | undefined {
    const { warn, maxMemoryBytes } = parts;
    const name = `weft-${String(process.pid)}-${randomBytes(6).toString("hex")}`;
    try {
      return new SpoolStage(createSpool({ folder, name, identity, maxBytes, maxMemoryBytes, warn }), parts);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warn(`There is no spool (${reason}): spans wait in memory and are lost with the process.`);
      return undefined;
    }
  }

  onStart(record: SpanRecord): void {
    this.#sink.onStart(record);
  }

  onEnd(record: SpanRecord): void {
    this.#sink.onEnd(record);
  }

  onAppended(listener: () => void): void {
    this.#listeners.push(listener);
  }

  cursor(url: string): SpoolCursor | undefined {
    return this.#log.cursors[this.#log.options.identity.destinations.indexOf(url)];
  }

  /** Takes over what other processes left, in the background. */
  adopt(find: (url: string) => Destination | undefined, onAdopted: (instance: string) => void): void {
    this.#adopting = this.#adoptAll(find, onAdopted);
  }

  /** Resolves when everything that ended before now is in the log, and the spools of others are read. */
  async settled(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    void Promise.all([this.#sink.settled(), this.#adopting]).then(() => resolve());
    await promise;
    clearTimeout(timer);
  }

  async flushAdopted(timeoutMs: number): Promise<boolean> {
    const deliveries = this.#adopted.flatMap((adopted) => adopted.deliveries);
    const results = await Promise.all(deliveries.map((delivery) => delivery.flush(timeoutMs)));
    this.#removeDone();
    return results.every(Boolean);
  }

  async shutdownAdopted(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    await Promise.all(
      this.#adopted.flatMap(({ deliveries }) => deliveries.map((delivery) => delivery.shutdown(timeoutMs))),
    );
  }

  /** Without waiting: what is not written is written, what is not delivered stays for the next process. */
  finish(warn: (message: string) => void): void {
    this.#stopped = true;
    clearInterval(this.#sync);
    const hasOpen = this.#sink.close();
    const undelivered = this.#log.cursors.some(({ pending }) => pending > 0);
    const lostBytes = this.#log.close(hasOpen || undelivered);
    if (lostBytes > 0) {
      const why = `the spool could not take ${String(lostBytes)} bytes before the process ended`;
      this.#parts.ledger.add(Math.max(1, ...this.#log.cursors.map(({ pending }) => pending)), why, warn);
    }
    for (const { log } of this.#adopted) log.close(log.cursors.some(({ pending }) => pending > 0));
  }

  stats(): SpoolStats {
    return {
      bytes: this.#log.bytes,
      adoptedSpools: this.#adoptedCount,
      closedAsLost: this.#closedAsLost,
    };
  }

  async #adoptAll(
    find: (url: string) => Destination | undefined,
    onAdopted: (instance: string) => void,
  ): Promise<void> {
    const { folder, name, maxBytes, identity } = this.#log.options;
    const { warn, maxMemoryBytes, openDelivery } = this.#parts;
    const { destinations } = identity;
    const options = { folder, maxBytes, maxMemoryBytes, warn, destinations, except: name };
    for await (const adopted of adoptSpools(options)) {
      this.#adoptedCount += 1;
      this.#closedAsLost += adopted.closed;
      onAdopted(adopted.instance);
      if (this.#stopped) {
        adopted.log.close(true);
        return;
      }
      const { log } = adopted;
      const deliveries = log.cursors.flatMap((cursor) => {
        const destination = find(log.options.identity.destinations[cursor.destination] ?? "");
        return destination === undefined ? [] : [openDelivery(destination, cursor, new DropLedger(warn))];
      });
      this.#adopted = [...this.#adopted, { ...adopted, deliveries }];
      for (const delivery of deliveries) void delivery.deliverAll().then(() => this.#removeDone());
    }
  }

  #removeDone(): void {
    const isDone = ({ log }: Adopted): boolean => log.cursors.every(({ pending }) => pending === 0);
    for (const { log } of this.#adopted.filter(isDone)) log.close(false);
    this.#adopted = this.#adopted.filter((adopted) => !isDone(adopted));
  }
}
