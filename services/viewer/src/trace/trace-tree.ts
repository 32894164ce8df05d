/** The tree of a trace over its skeleton's columns: depths, subtrees and what a folded subtree must still tell. */
import { SpanFlags } from "../data/skeleton.ts";
import type { Skeleton } from "../data/skeleton.ts";

export interface TraceTree {
  readonly skeleton: Skeleton;
  /** Milliseconds from the trace's start to the end of what ends last; at least the latest start. */
  readonly durationMs: number;
  readonly errorCount: number;
  /** 0 for roots and orphans. */
  readonly depth: (index: number) => number;
  /** The index after a span's last descendant. */
  readonly end: (index: number) => number;
  readonly hasChildren: (index: number) => boolean;
  /** Spans below a span that failed: a folded row says so. */
  readonly errorsBelow: (index: number) => number;
}

export function buildTraceTree(skeleton: Skeleton): TraceTree {
  const { count } = skeleton;
  const depths = new Uint32Array(count);
  const ends = new Uint32Array(count);
  const errors = new Uint32Array(count);
  let durationMs = 0;
  let errorCount = 0;
  for (let index = 0; index < count; index++) {
    const parent = skeleton.parent(index);
    depths[index] = parent < 0 ? 0 : (depths[parent] ?? 0) + 1;
    ends[index] = index + 1;
    durationMs = Math.max(durationMs, skeleton.start(index) + skeleton.duration(index));
  }
  // Backwards, children are done before their parents.
  for (let index = count - 1; index >= 0; index--) {
    const own = isError(skeleton, index) ? 1 : 0;
    errorCount += own;
    const parent = skeleton.parent(index);
    if (parent < 0) continue;
    errors[parent] = (errors[parent] ?? 0) + (errors[index] ?? 0) + own;
    ends[parent] = Math.max(ends[parent] ?? 0, ends[index] ?? 0);
  }
  const end = (index: number): number => ends[index] ?? index + 1;
  return {
    skeleton,
    durationMs,
    errorCount,
    depth: (index) => depths[index] ?? 0,
    end,
    hasChildren: (index) => end(index) > index + 1,
    errorsBelow: (index) => errors[index] ?? 0,
  };
}

export function isError(skeleton: Skeleton, index: number): boolean {
  return (skeleton.flags(index) & (SpanFlags.error | SpanFlags.lost)) !== 0;
}

/** Which spans are shown when those in `folded` (span ids) hide their descendants: indexes, in order. */
export function visibleRows({ skeleton, end }: TraceTree, folded: ReadonlySet<string>): Uint32Array {
  const rows = new Uint32Array(skeleton.count);
  let length = 0;
  if (folded.size === 0) return rows.map((_, index) => index);
  for (let index = 0; index < skeleton.count;) {
    rows[length++] = index;
    index = folded.has(skeleton.spanId(index)) ? end(index) : index + 1;
  }
  return rows.subarray(0, length);
}

/** Where in `rows` (ascending) `index` stands, or its nearest shown ancestor when it is folded away; -1 when there are none. */
export function rowOf(rows: Uint32Array, index: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The fold state in which `spanId` is shown: its ancestors are opened. The same set when none was folded. */
export function reveal(
  { skeleton }: TraceTree,
  folded: ReadonlySet<string>,
  spanId: string,
): ReadonlySet<string> {
  const ancestors: string[] = [];
  for (let at = skeleton.indexOf(spanId); at >= 0; at = skeleton.parent(at))
    ancestors.push(skeleton.spanId(at));
  const closed = ancestors.slice(1).filter((id) => folded.has(id));
  return closed.length === 0 ? folded : folded.difference(new Set(closed));
}

export function toggled(folded: ReadonlySet<string>, spanId: string): ReadonlySet<string> {
  return folded.symmetricDifference(new Set([spanId]));
}
