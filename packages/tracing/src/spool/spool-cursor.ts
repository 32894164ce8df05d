/**
 * Job: the batches of a spool for one destination.
 * Owns: how far that destination is.
 * I1. It moves only over what was delivered or set aside, and says so in the spool: what it had not moved over is sent again.
 */
import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { batchBytes, batchSpans } from "../export/span-queue.ts";
import type { Batch, BatchSource } from "../export/batch-source.ts";
import { FrameKinds, scanFrames, spanPrefixBytes } from "./frame.ts";
import type { Frame, FrameScan } from "./frame.ts";
import { composeRequest } from "./compose-request.ts";
import type { Segment } from "./segment.ts";
import type { SpoolLog } from "./spool-log.ts";

const maxSetAsideBytes = 16 * 1024 * 1024;

export class SpoolCursor implements BatchSource {
  readonly #log: SpoolLog;
  readonly destination: number;
  #scopes = new Map<number, Buffer>();
  #segment = 1;
  #offset = 0;
  #pending = 0;

  constructor(log: SpoolLog, destination: number) {
    this.#log = log;
    this.destination = destination;
  }

  /** Number of the segment that it reads. */
  get segment(): number {
    return this.#segment;
  }

  get pending(): number {
    return this.#pending;
  }

  get hasBatch(): boolean {
    return this.#pending >= batchSpans;
  }

  /** Spans came to the end of the log. */
  added(count: number): void {
    this.#pending += count;
  }

  /** Starts where an earlier process stopped; `pending` spans lie ahead. */
  resume(segment: number, offset: number, pending: number, scopes: ReadonlyMap<number, Buffer>): void {
    this.#segment = segment;
    this.#offset = offset;
    this.#scopes = new Map(scopes);
    this.#pending = pending;
  }

  async next(): Promise<Batch | undefined> {
    while (this.#pending > 0) {
      const segment = this.#log.segments.find(({ number }) => number >= this.#segment);
      if (segment === undefined) return undefined;
      if (segment.number !== this.#segment) this.#enter(segment.number);
      const read = await this.#readFrames(segment);
      const spans = read.frames.filter(({ kind }) => kind === FrameKinds.end);
      this.#learnScopes(read.frames);
      if (spans.length > 0) return this.#batch(spans, this.#offset + read.end);
      this.#offset += read.end;
      if (read.end > 0) continue;
      if (segment === this.#log.last || segment.readableEnd < segment.end) return undefined;
      this.#enter(segment.number + 1);
    }
    return undefined;
  }

  close(): void {
    // The log outlives its deliveries: what was not delivered stays in it.
  }

  #enter(number: number): void {
    this.#segment = number;
    this.#offset = 0;
    this.#scopes = new Map();
  }

  async #readFrames(segment: Segment): Promise<FrameScan> {
    const verify = this.#log.isAdopted || segment.failure !== undefined;
    const available = segment.readableEnd - this.#offset;
    const read = scanFrames(segment.read(this.#offset, Math.min(available, batchBytes)), batchSpans, verify);
    if (read.end > 0 || read.wanted === 0 || read.wanted > available) return read;
    return scanFrames(await segment.readLarge(this.#offset, read.wanted), batchSpans, verify);
  }

  #learnScopes(frames: readonly Frame[]): void {
    for (const { kind, payload } of frames) {
      if (kind === FrameKinds.scope) this.#scopes.set(payload.readUInt16LE(1), payload.subarray(3));
    }
  }

  #batch(spans: readonly Frame[], end: number): Batch {
    const { resource, schemaUrl } = this.#log.options.identity;
    return {
      size: spans.length,
      encode: async (from, to) =>
        composeRequest(
          Buffer.from(resource, "base64"),
          schemaUrl,
          this.#scopes,
          spans.slice(from, to).map(({ payload }) => payload),
        ),
      setAside: (from, to) => this.#setAside(spans.slice(from, to)),
      settle: () => {
        this.#pending -= spans.length;
        this.#offset = end;
        this.#log.acknowledge(this.destination, this.#segment, end);
      },
    };
  }

  /** Kept beside the spool as they are, for a person to look at; nobody sends them again. */
  #setAside(frames: readonly Frame[]): void {
    const { folder, name, warn } = this.#log.options;
    const path = join(folder, `${name}.refused`);
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > maxSetAsideBytes) return;
      for (const { payload } of frames)
        appendFileSync(path, payload.subarray(spanPrefixBytes), { mode: 0o600 });
      warn(`What a destination refused was set aside in ${path}.`);
    } catch {
      // It is counted as lost in any case.
    }
  }
}
