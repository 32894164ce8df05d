import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { filesIn, root } from "../../scripts/internal/repository.ts";

/** Ids of the rules, as the document says them. */
function idsIn(document: string): readonly string[] {
  return [...document.matchAll(/^- \*\*([A-Z]\d+)\*\* /gm)].map(([, id = ""]) => id);
}

/** Ids that titles of tests name: `test("[G7] …`, `[G*]` for a whole family. */
function idsTested(): ReadonlySet<string> {
  const files = filesIn(root, "{packages,services}/*/test/**/*.test.ts").concat(
    filesIn(root, "{test,examples}/**/*.test.ts"),
  );
  const titles = files.flatMap((file) => [
    ...readFileSync(file, "utf8").matchAll(/\btest\(\s*[`"']\[([A-Z](?:\d+|\*))\]/g),
  ]);
  return new Set(titles.map(([, id = ""]) => id));
}

test("every rule of docs/semantics.md has a test titled with its id", () => {
  const ids = idsIn(readFileSync(join(root, "docs/semantics.md"), "utf8"));
  assert.ok(ids.length > 40, `only ${ids.length} rules were found`);
  assert.equal(new Set(ids).size, ids.length, "an id stands twice");
  const tested = idsTested();
  assert.deepEqual(
    ids.filter((id) => !tested.has(id)),
    [],
  );
});

test("every id that a test names is a rule", () => {
  const ids = new Set(idsIn(readFileSync(join(root, "docs/semantics.md"), "utf8")));
  const families = new Set([...ids].map((id) => `${id[0]}*`));
  assert.deepEqual(
    [...idsTested()].filter((id) => !ids.has(id) && !families.has(id)),
    [],
  );
});
