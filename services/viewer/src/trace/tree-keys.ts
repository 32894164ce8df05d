/** The keyboard of a tree of rows, as the ARIA treegrid pattern has it, and of a plain list of rows. */
import { rowOf } from "./trace-tree.ts";
import type { TraceTree } from "./trace-tree.ts";

export type RowCommand =
  | { readonly type: "move"; readonly row: number }
  | { readonly type: "toggle"; readonly row: number }
  | { readonly type: "open"; readonly row: number }
  | { readonly type: "close" };

export interface RowKeys {
  readonly key: string;
  readonly count: number;
  /** The active row, or -1. */
  readonly active: number;
  /** Rows that one page key moves by. */
  readonly page: number;
}

/** What a key means in a list of rows; undefined when it means nothing there. */
export function listCommand({ key, count, active, page }: RowKeys): RowCommand | undefined {
  if (key === "Escape") return { type: "close" };
  if (count === 0) return undefined;
  if (key === "Enter" || key === " ") return active < 0 ? undefined : { type: "open", row: active };
  const row = target({ key, count, active, page });
  return row === undefined ? undefined : { type: "move", row: Math.min(count - 1, Math.max(0, row)) };
}

function target({ key, count, active, page }: RowKeys): number | undefined {
  switch (key) {
    case "ArrowDown":
      return active + 1;
    case "ArrowUp":
      return active < 0 ? 0 : active - 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    case "PageDown":
      return active + page;
    case "PageUp":
      return active - page;
    default:
      return undefined;
  }
}

export interface TreeKeys extends RowKeys {
  readonly tree: TraceTree;
  readonly rows: Uint32Array;
  readonly isFolded: (index: number) => boolean;
}

/** As `listCommand`, and: right opens, then enters; left folds, then leaves. */
export function treeCommand(keys: TreeKeys): RowCommand | undefined {
  const { key, active, tree, rows, isFolded } = keys;
  const index = rows[active];
  if (index !== undefined && (key === "ArrowRight" || key === "ArrowLeft")) {
    const folds = tree.hasChildren(index);
    const folded = folds && isFolded(index);
    if (key === "ArrowRight") {
      if (!folds) return undefined;
      return folded ? { type: "toggle", row: active } : { type: "move", row: active + 1 };
    }
    if (folds && !folded) return { type: "toggle", row: active };
    const parent = tree.skeleton.parent(index);
    return parent < 0 ? undefined : { type: "move", row: rowOf(rows, parent) };
  }
  return listCommand(keys);
}
