/**
 * Job: a process's spool: what ended, what is open, and what each destination has, on disk.
 * Owns: the lock, the segments, and how far each destination is.
 * Does not own: what spans look like (the sink writes them), nor when they are sent.
 * I1. A segment stands by itself: it begins with who wrote it, the scopes, and the spans that are open.
 * I2. A segment goes when every destination has all of it.
 * I3. Never more than `maxBytes` on disk, and never more than `maxMemoryBytes` that the disk did not take.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FrameKinds, makeFrame } from "./frame.ts";
import { Segment } from "./segment.ts";
import { SpoolCursor } from "./spool-cursor.ts";
import { takeSpoolLock } from "./spool-lock.ts";
import type { SpoolLock } from "./spool-lock.ts";

export interface SpoolHeader {
  readonly version: 1;
  readonly instance: string;
  readonly segment: number;
  /** Addresses, in the order of the numbers that acknowledgements name. No header, no token. */
  readonly destinations: readonly string[];
  readonly schemaUrl: string;
  /** Fields of the OTLP resource, base64. */
  readonly resource: string;
}

export interface SpoolOptions {
  readonly folder: string;
  /** File names begin with it. */
  readonly name: string;
  readonly identity: Omit<SpoolHeader, "version" | "segment">;
  readonly maxBytes: number;
  readonly maxMemoryBytes: number;
  readonly warn: (message: string) => void;
}

const segmentBytes = 16 * 1024 * 1024;

export const lockName = (name: string): string => `${name}.lock`;
export const segmentName = (name: string, number: number): string =>
  `${name}.${String(number).padStart(6, "0")}.spool`;

export class SpoolLog {
  readonly options: SpoolOptions;
  readonly cursors: readonly SpoolCursor[];
  readonly segments: Segment[] = [];
  /** Frames that every new segment begins with, after its header. */
  opening: () => readonly Buffer[] = () => [];
  /** It was another process's. It keeps its segments until all is done: what is in them for others is not ours to remove. */
  isAdopted = false;
  readonly #lock: SpoolLock;
  #bytes = 0;
  #closed = false;

  /** The caller holds the lock and, for an adopted spool, has read its segments. */
  constructor(
    options: SpoolOptions,
    lock: SpoolLock,
    segments: readonly Segment[] = [],
    reads: (destination: string) => boolean = () => true,
  ) {
    this.options = options;
    this.#lock = lock;
    this.segments.push(...segments);
    this.#bytes = segments.reduce((sum, segment) => sum + segment.end, 0);
    this.cursors = options.identity.destinations.flatMap((destination, index) =>
      reads(destination) ? [new SpoolCursor(this, index)] : [],
    );
    if (segments.length === 0) this.#addSegment(1);
  }

  /** Bytes on disk or waiting for it. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.options.maxBytes || this.last.memoryBytes >= this.options.maxMemoryBytes;
  }

  get last(): Segment {
    return this.segments.at(-1) as Segment;
  }

  append(bytes: Buffer): void {
    const segment = this.#room();
    segment.append(bytes);
    this.#bytes += bytes.length;
    if (segment.failure !== undefined) this.#complain(segment.failure);
  }

  async appendLarge(frame: Buffer): Promise<void> {
    const segment = this.#room();
    this.#bytes += frame.length;
    await segment.appendLarge(frame);
  }

  acknowledge(destination: number, segment: number, offset: number): void {
    const payload = Buffer.alloc(14);
    payload[0] = FrameKinds.acknowledged;
    payload[1] = destination;
    payload.writeUInt32LE(segment, 2);
    payload.writeDoubleLE(offset, 6);
    this.append(makeFrame(payload));
    if (this.#isReadAndLong()) this.#addSegment(this.last.number + 1);
    this.#removeRead();
  }

  /** Before the process ends: nothing is on its way to the disk any more. */
  finish(): void {
    for (const segment of this.segments) segment.finish();
  }

  sync(): void {
    this.last.sync();
  }

  /** `keep`: something in it is still to be done by a later process. Returns bytes that could not be saved. */
  close(keep: boolean): number {
    if (this.#closed) return 0;
    this.#closed = true;
    const lost = this.segments.map((segment) => segment.close(!keep)).reduce((sum, bytes) => sum + bytes, 0);
    this.#lock.release(!keep);
    return lost;
  }

  #room(): Segment {
    const { last } = this;
    if (last.end < segmentBytes) return last;
    return this.#addSegment(last.number + 1);
  }

  #addSegment(number: number): Segment {
    this.segments.at(-1)?.sync();
    const { folder, name, identity } = this.options;
    const segment = new Segment(join(folder, segmentName(name, number)), number);
    const header: SpoolHeader = { version: 1, ...identity, segment: number };
    const first = makeFrame(
      Buffer.concat([Buffer.of(FrameKinds.header), Buffer.from(JSON.stringify(header))]),
    );
    const bytes = Buffer.concat([first, ...this.opening()]);
    segment.append(bytes);
    this.segments.push(segment);
    this.#bytes += bytes.length;
    this.#removeRead();
    return segment;
  }

  #removeRead(): void {
    if (this.isAdopted) return;
    while (this.segments.length > 1) {
      const [first] = this.segments;
      if (first === undefined || !first.isSettled || !this.cursors.every((cursor) => isPast(cursor, first)))
        return;
      this.segments.shift();
      this.#bytes -= first.end;
      first.close(true);
    }
  }

  /** Everything is delivered: a new segment gives the room back, however small the limit is. */
  #isReadAndLong(): boolean {
    const long = Math.min(segmentBytes, this.options.maxBytes) / 4;
    return (
      !this.isAdopted &&
      this.last.isSettled &&
      this.last.end > long &&
      this.cursors.every(({ pending }) => pending === 0)
    );
  }

  #complain(failure: string): void {
    this.options.warn(
      `The spool in ${this.options.folder} cannot be written (${failure}): spans wait in memory and would be lost with the process.`,
    );
  }
}

function isPast(cursor: SpoolCursor, segment: Segment): boolean {
  return cursor.pending === 0 || cursor.segment > segment.number;
}

/** @throws what the file system says when the folder cannot be made or written */
export function createSpool(options: SpoolOptions): SpoolLog {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const lock = takeSpoolLock(join(options.folder, lockName(options.name)));
  if (lock === undefined) throw new RangeError("a random name is taken");
  return new SpoolLog(options, lock);
}
