import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errorCodes } from "@weft/tracing";
// @boundaries-ignore the guards look at the repository as a whole
import { root } from "../../scripts/internal/repository.ts";

test("docs/errors.md and the code table say the same, both ways", () => {
  const rows = readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\|\s*`(\w+)`\s*\|([^|]+)\|/gm);
  const documented = Object.fromEntries(
    [...rows].map(([, code = "", meaning = ""]) => [code, meaning.trim()]),
  );
  assert.deepEqual(documented, { ...errorCodes });
});
