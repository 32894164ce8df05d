/**
 * A trace's tree in binary, 24 bytes a span: what a viewer needs to draw it; details come by `/spans?ids=`.
 *
 * All numbers are little-endian. With n spans, in depth-first order (a parent stands before its children):
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 4 | magic: the letters `WSK1` |
 * | 4 | 4 | n, u32 |
 * | 8 | 8 | start of the trace, ns since 1970, i64 |
 * | 16 | 8 | tick: nanoseconds a unit of the two time columns, f64 |
 * | 24 | 4 | length of the tail in bytes, u32 |
 * | 28 | 4 | 0 |
 * | 32 | 8 n | span ids, their 8 bytes as they are |
 * | 32 + 8 n | 4 n | parents, i32: index of the parent; -1 for a root or an orphan |
 * | 32 + 12 n | 4 n | start after the trace's start, u32 ticks |
 * | 32 + 16 n | 4 n | duration, u32 ticks |
 * | 32 + 20 n | 4 n | u32: low 24 bits the index of the span's shape, high 8 bits its flags |
 * | 32 + 24 n | | tail: UTF-8 JSON `{ "traceId", "shapes": [{ "name", "service", "type", "agent", "kind" }] }` |
 *
 * Flags: 1 error, 2 orphan (its parent is not stored), 4 open (it has not ended), 8 lost, 16 an outcome that is not
 * plain, 32 it records messages, 64 it appends to a history, 128 its parent is in another process.
 */
import { errorStatus, remoteParentFlags, SpanMarks } from "../store/span-marks.ts";
import type { TraceRef, TreeRow } from "./trace-rows.ts";
import { orderTree } from "./tree-order.ts";

export const SkeletonFlags = {
  error: 1,
  orphan: 2,
  open: 4,
  lost: 8,
  outcome: 16,
  messages: 32,
  appends: 64,
  remoteParent: 128,
} as const;

const headerBytes = 32;
const maxTicks = 0xffff_ffff;

export function encodeSkeleton(trace: TraceRef, spans: readonly TreeRow[]): Uint8Array<ArrayBuffer> {
  const { rows, parents } = orderTree(spans);
  const shapes = new ShapeTable();
  const shapeIndexes = rows.map((row) => shapes.indexOf(row));
  const tail = Buffer.from(JSON.stringify({ traceId: trace.traceId, shapes: shapes.list }));
  const count = rows.length;
  const bytes = new Uint8Array(headerBytes + 24 * count + tail.length);
  const view = new DataView(bytes.buffer);
  const tick = tickFor(rows);
  bytes.set(Buffer.from("WSK1"), 0);
  view.setUint32(4, count, true);
  view.setBigInt64(8, trace.start, true);
  view.setFloat64(16, tick, true);
  view.setUint32(24, tail.length, true);
  for (const [index, row] of rows.entries()) {
    const parent = parents[index] ?? -1;
    bytes.set(Buffer.from(row.spanId, "hex"), headerBytes + 8 * index);
    view.setInt32(headerBytes + 8 * count + 4 * index, parent, true);
    view.setUint32(headerBytes + 12 * count + 4 * index, ticks(row.offset, tick), true);
    view.setUint32(headerBytes + 16 * count + 4 * index, ticks(row.duration, tick), true);
    const shape = (shapeIndexes[index] ?? 0) + flagsOf(row, parent) * 0x100_0000;
    view.setUint32(headerBytes + 20 * count + 4 * index, shape, true);
  }
  bytes.set(tail, headerBytes + 24 * count);
  return bytes;
}

/** One nanosecond up to 4 s, one microsecond up to 71 minutes, one millisecond up to 49 days, else what it takes. */
function tickFor(rows: readonly TreeRow[]): number {
  let longest = 0;
  for (const row of rows) longest = Math.max(longest, row.offset, row.duration);
  for (const tick of [1, 1e3, 1e6]) if (longest / tick <= maxTicks) return tick;
  return Math.ceil(longest / maxTicks);
}

function ticks(nanoseconds: number, tick: number): number {
  return Math.min(maxTicks, Math.max(0, Math.round(nanoseconds / tick)));
}

function flagsOf(row: TreeRow, parent: number): number {
  const remote = remoteParentFlags.known | remoteParentFlags.remote;
  let flags = 0;
  if (row.status === errorStatus) flags |= SkeletonFlags.error;
  if (row.parentId !== "" && parent === -1) flags |= SkeletonFlags.orphan;
  if (row.open) flags |= SkeletonFlags.open;
  if (row.marks & SpanMarks.lost) flags |= SkeletonFlags.lost;
  if (row.marks & SpanMarks.outcome) flags |= SkeletonFlags.outcome;
  if (row.marks & SpanMarks.hasMessages) flags |= SkeletonFlags.messages;
  if (row.marks & SpanMarks.hasAppends) flags |= SkeletonFlags.appends;
  if ((row.flags & remote) === remote) flags |= SkeletonFlags.remoteParent;
  return flags;
}

interface Shape {
  readonly name: string;
  readonly service: string;
  readonly type: string;
  readonly agent: string;
  readonly kind: number;
}

/** Spans of one shape differ only in id, parent and times. */
class ShapeTable {
  readonly list: Shape[] = [];
  private readonly indexes = new Map<string, number>();

  indexOf(row: TreeRow): number {
    const { name, service, type, agent, kind } = row;
    const key = JSON.stringify([name, service, type, agent, kind]);
    const known = this.indexes.get(key);
    if (known !== undefined) return known;
    this.indexes.set(key, this.list.length);
    return this.list.push({ name, service, type, agent, kind }) - 1;
  }
}
