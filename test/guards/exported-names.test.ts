import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import {
  type ExportedNames,
  exportedNames,
  namesOf,
  snapshotFile,
} from "../../scripts/internal/exported-names.ts";

const remedy = "if the change is meant, run `npm run export-names` and tell it in CHANGELOG.md";

test("the public entries export the names that the snapshot holds", () => {
  const kept = JSON.parse(readFileSync(snapshotFile, "utf8")) as ExportedNames;
  assert.deepEqual(exportedNames(), kept, remedy);
});

test("what an entry exports when it is loaded is what its source lists", async () => {
  for (const [entry, { values }] of Object.entries(exportedNames())) {
    // Loading it is its effect: it starts tracing in the process.
    if (entry === "@weft/tracing/register") continue;
    const loaded = (await import(entry)) as object;
    assert.deepEqual(Object.keys(loaded).sort(), values, entry);
  }
});

test("names are read from lists and declarations, types apart from values", () => {
  const text =
    'export { a, type B, c as d } from "./x.ts";\nexport type { E } from "./y.ts";\nexport const f = 1;\nexport interface G {}\n';
  assert.deepEqual(namesOf(text), { values: ["a", "d", "f"], types: ["B", "E", "G"] });
  assert.throws(() => namesOf('export * from "./x.ts";'), /lists what it exports/);
});
