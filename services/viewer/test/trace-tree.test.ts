import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeSkeleton, SpanFlags } from "../src/data/skeleton.ts";
import { treeCommand } from "../src/trace/tree-keys.ts";
import { buildTraceTree, reveal, rowOf, toggled, visibleRows } from "../src/trace/trace-tree.ts";
import type { TraceTree } from "../src/trace/trace-tree.ts";
import { makeSkeleton } from "./support/make-skeleton.ts";
import type { SkeletonSpan } from "./support/make-skeleton.ts";

const id = (index: number): string => (index + 1).toString(16).padStart(16, "0");

function treeOf(
  parents: readonly number[],
  more: (index: number) => Partial<SkeletonSpan> = () => ({}),
): TraceTree {
  const answer = decodeSkeleton(
    makeSkeleton(parents.map((parent, index) => ({ id: id(index), parent, ...more(index) }))),
  );
  assert.ok(answer.ok);
  return buildTraceTree(answer.value);
}

//  0 ─ 1 ─ 2        6 (an orphan) ─ 7
//    └ 3 ─ 4
//        └ 5
const family = [-1, 0, 1, 0, 3, 3, -1, 6];

test("depths and subtrees follow from the parents", () => {
  const tree = treeOf(family);
  assert.deepEqual(
    family.map((_, index) => tree.depth(index)),
    [0, 1, 2, 1, 2, 2, 0, 1],
  );
  assert.deepEqual(
    family.map((_, index) => tree.end(index)),
    [6, 3, 3, 6, 5, 6, 8, 8],
  );
  assert.deepEqual(
    family.map((_, index) => tree.hasChildren(index)),
    [true, true, false, true, false, false, true, false],
  );
});

test("the trace lasts until its last span ends, which need not be the root", () => {
  const tree = treeOf(family, (index) => ({ start: index * 10, duration: index === 4 ? 100 : 5 }));
  assert.equal(tree.durationMs, 140);
});

test("failures are counted, and told by every span above them", () => {
  const tree = treeOf(family, (index) => ({
    flags: index === 5 ? SpanFlags.error : index === 2 ? SpanFlags.lost : 0,
  }));
  assert.equal(tree.errorCount, 2);
  assert.deepEqual(
    family.map((_, index) => tree.errorsBelow(index)),
    [2, 1, 0, 1, 0, 0, 0, 0],
  );
});

test("a folded span hides what is below it and nothing else", () => {
  const tree = treeOf(family);
  assert.deepEqual([...visibleRows(tree, new Set())], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual([...visibleRows(tree, new Set([id(3)]))], [0, 1, 2, 3, 6, 7]);
  assert.deepEqual([...visibleRows(tree, new Set([id(0), id(3)]))], [0, 6, 7]);
});

test("a folded-away span's row is its nearest ancestor's", () => {
  const tree = treeOf(family);
  const rows = visibleRows(tree, new Set([id(0)]));
  assert.deepEqual(
    [0, 5, 6, 7].map((index) => rowOf(rows, index)),
    [0, 0, 1, 2],
  );
  assert.equal(rowOf(new Uint32Array(), 0), -1);
});

test("to reveal a span its ancestors are opened, it and others stay as they were", () => {
  const tree = treeOf(family);
  const folded = new Set([id(0), id(3), id(5), id(6)]);
  assert.deepEqual([...reveal(tree, folded, id(5))], [id(5), id(6)]);
  assert.equal(reveal(tree, folded, id(0)), folded);
  assert.equal(reveal(tree, folded, "unknown"), folded);
});

test("whatever is folded, rows stand in order and each hidden span lies below a folded one", () => {
  const trees = fc.array(fc.nat(), { minLength: 1, maxLength: 60 }).map((seeds) => {
    // Depth-first: a span's parent is the span before it or one of that one's ancestors.
    const parents: number[] = [];
    for (const [index, seed] of seeds.entries()) {
      const choices = [-1];
      for (let at = index - 1; at >= 0; at = parents[at] ?? -1) choices.push(at);
      parents.push(choices[seed % choices.length] ?? -1);
    }
    return parents;
  });
  fc.assert(
    fc.property(trees, fc.array(fc.nat(59)), (parents, picks) => {
      const tree = treeOf(parents);
      const folded = new Set(picks.map(id));
      const shown = [...visibleRows(tree, folded)];
      assert.deepEqual(
        shown,
        shown.toSorted((a, b) => a - b),
      );
      for (const index of parents.keys()) {
        const above = [];
        for (let at = parents[index] ?? -1; at >= 0; at = parents[at] ?? -1) above.push(id(at));
        assert.equal(shown.includes(index), !above.some((parent) => folded.has(parent)));
      }
    }),
  );
});

test("right opens, then enters; left folds, then leaves; a leaf's left goes to its parent", () => {
  const tree = treeOf(family);
  const press = (key: string, active: number, folded: ReadonlySet<string>) => {
    const rows = visibleRows(tree, folded);
    const isFolded = (index: number): boolean => folded.has(id(index));
    return treeCommand({ key, active, page: 10, count: rows.length, tree, rows, isFolded });
  };
  const closed = new Set([id(3)]);
  assert.deepEqual(press("ArrowRight", 3, closed), { type: "toggle", row: 3 });
  assert.deepEqual(press("ArrowRight", 3, new Set()), { type: "move", row: 4 });
  assert.equal(press("ArrowRight", 4, new Set()), undefined);
  assert.deepEqual(press("ArrowLeft", 3, new Set()), { type: "toggle", row: 3 });
  assert.deepEqual(press("ArrowLeft", 3, closed), { type: "move", row: 0 });
  assert.deepEqual(press("ArrowLeft", 4, new Set()), { type: "move", row: 3 });
  assert.equal(press("ArrowLeft", 4, closed)?.type, "toggle", "row 4 is the orphan then");
  assert.deepEqual(toggled(closed, id(3)), new Set());
});

test("up, down, page, home and end stay within the rows; enter opens, escape closes", () => {
  const tree = treeOf(family);
  const rows = visibleRows(tree, new Set());
  const press = (key: string, active: number) =>
    treeCommand({ key, active, page: 5, count: rows.length, tree, rows, isFolded: () => false });
  assert.deepEqual(press("ArrowDown", -1), { type: "move", row: 0 });
  assert.deepEqual(press("ArrowDown", 7), { type: "move", row: 7 });
  assert.deepEqual(press("ArrowUp", 0), { type: "move", row: 0 });
  assert.deepEqual(press("PageDown", 1), { type: "move", row: 6 });
  assert.deepEqual(press("PageUp", 1), { type: "move", row: 0 });
  assert.deepEqual(press("End", 0), { type: "move", row: 7 });
  assert.deepEqual(press("Home", 7), { type: "move", row: 0 });
  assert.deepEqual(press("Enter", 2), { type: "open", row: 2 });
  assert.equal(press("Enter", -1), undefined);
  assert.deepEqual(press("Escape", 2), { type: "close" });
  assert.equal(press("x", 2), undefined);
});

test("a hundred thousand spans become rows in well under a second", () => {
  const parents = Array.from({ length: 100_000 }, (_, index) =>
    index === 0 ? -1 : index % 3 === 0 ? 0 : index - 1,
  );
  const tree = treeOf(parents);
  const start = performance.now();
  const rows = visibleRows(buildTraceTree(tree.skeleton), new Set([id(3)]));
  assert.equal(rows.length, 99_998);
  assert.ok(performance.now() - start < 1000);
});
