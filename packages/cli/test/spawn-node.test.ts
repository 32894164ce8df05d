import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { spawnNode } from "../src/process/spawn-node.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-spawn-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, "program.mjs");
writeFileSync(
  program,
  "console.log(JSON.stringify([process.execArgv, process.argv.slice(2), process.env.SAID, process.version]))",
);

async function said(child: ReturnType<typeof spawnNode>): Promise<unknown> {
  assert.ok(child.stdout);
  const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
  return JSON.parse(output);
}

test("a child started from sources resolves Weft to sources too, with arguments, flags and environment passed on", async () => {
  const options = { execArgv: ["--no-warnings"], env: { ...process.env, SAID: "hello" } };
  assert.deepEqual(await said(spawnNode(program, ["a b", "$c"], options)), [
    ["--conditions=@weft/source", "--no-warnings"],
    ["a b", "$c"],
    "hello",
    process.version,
  ]);
});

test("a file may be named by its URL, as a URL or as text", async () => {
  const url = pathToFileURL(program);
  for (const file of [url, url.href])
    assert.deepEqual(await said(spawnNode(file, ["x"])), [
      ["--conditions=@weft/source"],
      ["x"],
      null,
      process.version,
    ]);
});

test("a child started from dist resolves Weft to dist", async () => {
  const source = readFileSync(new URL("../src/process/spawn-node.ts", import.meta.url), "utf8");
  const built = join(folder, "spawn-node.mjs");
  writeFileSync(built, stripTypeScriptTypes(source));
  const module = (await import(pathToFileURL(built).href)) as { spawnNode: typeof spawnNode };
  assert.deepEqual(await said(module.spawnNode(program)), [[], [], null, process.version]);
});

test("a file that does not exist ends the child with code 1 and a word on stderr", async () => {
  const child = spawnNode(join(folder, "missing.mjs"));
  assert.ok(child.stderr);
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  assert.equal(code, 1);
  assert.match(errors, /missing\.mjs/);
});
