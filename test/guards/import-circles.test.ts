import assert from "node:assert/strict";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { shown } from "../../scripts/internal/repository.ts";
// @boundaries-ignore the guards look at the repository as a whole
import { resolveImport, sourceFiles, staticImports } from "../../scripts/internal/sources.ts";

test("no module imports itself by way of others", () => {
  const graph = new Map(
    sourceFiles().map((file) => [
      file,
      staticImports(file)
        .map(({ specifier }) => resolveImport(file, specifier))
        .filter((target) => target !== undefined),
    ]),
  );
  assert.ok(graph.size > 0);
  const circle = findCircle(graph);
  assert.equal(circle?.map(shown).join(" -> "), undefined);
});

test("the walker sees a circle and a way without one", () => {
  const ring = findCircle(
    new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]),
  );
  assert.deepEqual(ring, ["b", "c", "b"]);
  assert.equal(
    findCircle(
      new Map([
        ["a", ["b", "c"]],
        ["b", ["c"]],
        ["c", []],
      ]),
    ),
    undefined,
  );
});

/** The first circle of a graph, its start repeated at the end. Depth first; a node that is done is not walked again. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (node: string): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next);
      if (circle !== undefined) return circle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
