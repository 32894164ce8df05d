import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { root } from "../../scripts/internal/repository.ts";
// @boundaries-ignore the guards look at the repository as a whole
import { runNode } from "../../scripts/internal/tools.ts";

const preflight = join(root, "scripts/preflight.mjs");

/** Runs the preflight in a Node that says it is another one, on another machine. */
function preflightOn(version: string, platform: string, arch: string, args: readonly string[] = []) {
  const define = (object: string, name: string, value: string) =>
    `Object.defineProperty(${object}, "${name}", { value: "${value}" });`;
  const pretence =
    define("process.versions", "node", version) +
    define("process", "platform", platform) +
    define("process", "arch", arch);
  const execArgv = ["--import", `data:text/javascript,${encodeURIComponent(pretence)}`];
  return runNode(preflight, args, { stdio: "pipe", execArgv });
}

test("an old Node is turned away with the remedy for its platform", async () => {
  const linux = await preflightOn("20.11.0", "linux", "x64", ["demo"]);
  assert.equal(linux.code, 1);
  assert.match(linux.output, /needs Node 24 or newer.*`npm ci`.*brings Node 24/s);

  const apple = await preflightOn("22.1.0", "darwin", "arm64");
  assert.equal(apple.code, 1);
  assert.match(apple.output, /Apple silicon\): install Node 24/);
});

test("Node 24 and what comes after it pass without a word", async () => {
  for (const version of ["24.0.0", "26.1.0"]) {
    const { code, output } = await preflightOn(version, "linux", "x64");
    assert.deepEqual([code, output], [0, ""]);
  }
});

test("a script that the preflight starts sees its own arguments", async () => {
  const { code, output } = await runNode(preflight, ["verify", "--list"], { stdio: "pipe" });
  assert.equal(code, 0, output);
  assert.match(output, /^format\ntypes\n/);
});
