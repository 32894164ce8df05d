/** The order in which a tree is shown: depth first, children by start time. Works without recursion at any depth. */
import type { TreeRow } from "./trace-rows.ts";

export interface TreeOrder {
  /** Rows in depth-first order. */
  readonly rows: readonly TreeRow[];
  /** For each of `rows`, the index of its parent in `rows`; -1 for a root and for an orphan. */
  readonly parents: readonly number[];
}

/** `spans` come by start time. Every span appears once, also those that name each other as parents. */
export function orderTree(spans: readonly TreeRow[]): TreeOrder {
  const known = new Set(spans.map((span) => span.spanId));
  const children = new Map<string, TreeRow[]>();
  const tops: TreeRow[] = [];
  for (const span of spans) {
    if (span.parentId === "" || !known.has(span.parentId) || span.parentId === span.spanId) tops.push(span);
    else pushTo(children, span.parentId, span);
  }
  const rows: TreeRow[] = [];
  const parents: number[] = [];
  const placed = new Map<string, number>();
  walk(tops);
  // What is left names its parents in a circle: its earliest spans stand in for the root that is not there.
  if (rows.length < spans.length) for (const span of spans) if (!placed.has(span.spanId)) walk([span]);
  return { rows, parents };

  function walk(from: readonly TreeRow[]): void {
    const stack = from.toReversed();
    for (let span = stack.pop(); span !== undefined; span = stack.pop()) {
      if (placed.has(span.spanId)) continue;
      parents.push(placed.get(span.parentId) ?? -1);
      placed.set(span.spanId, rows.length);
      rows.push(span);
      stack.push(...(children.get(span.spanId) ?? []).toReversed());
    }
  }
}

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
