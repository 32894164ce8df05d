/**
 * Job: take over the spools of processes that are gone: what ended is sent, what was open is closed once, as lost.
 * I1. Only a spool whose lock is free is touched.
 * I2. Closings are written into the spool before they are sent: however often adopting breaks off, a span is closed once.
 * I3. What was recorded for one destination is sent to no other.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { nextTurn } from "../export/long-texts.ts";
import { closingFrame } from "./closing-frame.ts";
import { FrameKinds, makeFrame, scanFrames } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { lockName, SpoolLog } from "./spool-log.ts";
import type { SpoolHeader, SpoolOptions } from "./spool-log.ts";
import { Segment } from "./segment.ts";
import { takeSpoolLock } from "./spool-lock.ts";
import type { SpoolLock } from "./spool-lock.ts";

export type AdoptOptions = Pick<SpoolOptions, "folder" | "maxBytes" | "maxMemoryBytes" | "warn"> & {
  readonly destinations: readonly string[];
  /** Our own spool. */
  readonly except: string;
};

export interface AdoptedSpool {
  readonly log: SpoolLog;
  readonly instance: string;
  /** Spans that were open. */
  readonly closed: number;
}

/** One after another, each when its turn has come; never throws. */
export async function* adoptSpools(options: AdoptOptions): AsyncGenerator<AdoptedSpool> {
  for (const name of spoolNames(options.folder)) {
    if (name === options.except) continue;
    try {
      const adopted = await adopt(name, options);
      if (adopted !== undefined) yield adopted;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      options.warn(`The spool ${join(options.folder, name)} cannot be read (${reason}).`);
    }
  }
}

const fileName = /^(weft-[\w-]+)\.(?:lock|(\d{6})\.spool)$/;

function spoolNames(folder: string): readonly string[] {
  const names = readdirSync(folder).flatMap((file) => fileName.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

async function adopt(name: string, options: AdoptOptions): Promise<AdoptedSpool | undefined> {
  const lock = takeSpoolLock(join(options.folder, lockName(name)));
  if (lock === undefined) return undefined;
  const segments = openSegments(options.folder, name);
  const content = new SpoolContent();
  for (const segment of segments) {
    await nextTurn();
    content.read(segment);
  }
  const { header } = content;
  const known = header?.destinations.filter((url) => options.destinations.includes(url)) ?? [];
  if (header === undefined || known.length === 0) return leave(name, lock, segments, content, options);
  const { version: _version, segment: _segment, ...identity } = header;
  const log = new SpoolLog({ ...options, name, identity }, lock, segments, (url) => known.includes(url));
  log.isAdopted = true;
  log.opening = () => content.scopeFrames();
  const closings = [...content.open.values()].map((payload) => closingFrame(payload, content.lastTime));
  if (closings.length > 0) log.append(Buffer.concat(closings));
  for (const cursor of log.cursors) content.resume(cursor, closings.length);
  return { log, instance: header.instance, closed: closings.length };
}

function leave(
  name: string,
  lock: SpoolLock,
  segments: readonly Segment[],
  content: SpoolContent,
  { folder, warn }: AdoptOptions,
): undefined {
  const empty = content.header === undefined;
  for (const segment of segments) segment.close(empty);
  lock.release(empty);
  if (!empty)
    warn(`The spool ${join(folder, name)} is for a destination that is not set here; it is left alone.`);
  return undefined;
}

function openSegments(folder: string, name: string): readonly Segment[] {
  return readdirSync(folder)
    .filter((file) => fileName.exec(file)?.[1] === name && file.endsWith(".spool"))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      return new Segment(path, Number(fileName.exec(file)?.[2]), statSync(path).size);
    });
}

/** What is in a spool, read from front to back. */
class SpoolContent {
  header: SpoolHeader | undefined;
  /** Starts without an end, by trace and span id. */
  readonly open = new Map<string, Buffer>();
  lastTime = 0;
  readonly #scopes = new Map<number, Buffer>();
  readonly #acknowledged = new Map<number, { readonly segment: number; readonly offset: number }>();
  /** Where ended spans stand: [segment, offset of the frame's end]. */
  readonly #ends: { readonly segment: number; readonly end: number }[] = [];

  read(segment: Segment): void {
    const bytes = segment.read(0, segment.end);
    const { frames, end } = scanFrames(bytes);
    for (const frame of frames) this.#take(frame, segment.number);
    // What was being written when the process died is written over.
    if (end < bytes.length) segment.truncate(end);
  }

  resume(cursor: SpoolLog["cursors"][number], closings: number): void {
    const from = this.#acknowledged.get(cursor.destination) ?? { segment: 1, offset: 0 };
    const ahead = this.#ends.filter(
      ({ segment, end }) => segment > from.segment || (segment === from.segment && end > from.offset),
    );
    cursor.resume(from.segment, from.offset, ahead.length + closings, this.#scopes);
  }

  scopeFrames(): readonly Buffer[] {
    return [...this.#scopes].map(([number, fields]) => {
      const head = Buffer.alloc(3);
      head[0] = FrameKinds.scope;
      head.writeUInt16LE(number, 1);
      return makeFrame(Buffer.concat([head, fields]));
    });
  }

  #take({ kind, payload, next }: Frame, segment: number): void {
    if (kind === FrameKinds.header) this.header ??= JSON.parse(payload.toString("utf8", 1)) as SpoolHeader;
    else if (kind === FrameKinds.scope)
      this.#scopes.set(payload.readUInt16LE(1), Buffer.from(payload.subarray(3)));
    else if (kind === FrameKinds.acknowledged) {
      const where = { segment: payload.readUInt32LE(2), offset: payload.readDoubleLE(6) };
      this.#acknowledged.set(payload[1] ?? 0, where);
    } else if (kind === FrameKinds.start || kind === FrameKinds.end) {
      const key = payload.toString("latin1", 11, 35);
      this.lastTime = Math.max(this.lastTime, payload.readDoubleLE(3));
      if (kind === FrameKinds.start) this.open.set(key, Buffer.from(payload));
      else {
        this.open.delete(key);
        this.#ends.push({ segment, end: next });
      }
    }
  }
}
