import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore tests of every package share the one way to run a Node
import { runNode } from "../../scripts/internal/tools.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));

for (const file of globSync("*.ts", { cwd: folder }).sort()) {
  test(`${file} runs to its end and finds what it shows to be so`, async () => {
    const { code, output } = await runNode(join(folder, file), [], { cwd: folder, stdio: "pipe" });
    assert.equal(code, 0, output);
    assert.notEqual(output, "", "an example says what it did");
  });
}
