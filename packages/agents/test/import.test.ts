import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";

test("Importing the library loads no server, no WebSocket and no HTTP client", async () => {
  const child = spawnNode(fileURLToPath(new URL("fixtures/import-agents.ts", import.meta.url)), [], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(output), []);
});
