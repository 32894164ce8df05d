import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore tests of every package share the one spawnNode
// @boundaries-ignore the one way to run a tool
import { runTool } from "../../../scripts/internal/tools.ts";
// @boundaries-ignore the one way to start a Node
import { spawnNode } from "../../../scripts/spawn-node.ts";

interface Shown {
  readonly results: readonly unknown[];
  readonly spans: readonly {
    readonly name: string;
    readonly parent?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly error: boolean;
  }[];
}

test("trace decorates methods as TypeScript compiles them: with and without options, static, async, generators", async () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  // Below this folder, so that the compiled file finds the package by its name.
  const folder = mkdtempSync(join(here, "fixtures", "compiled-"));
  try {
    const config = {
      compilerOptions: {
        target: "es2022",
        lib: ["es2024", "esnext.disposable"],
        module: "nodenext",
        types: ["node"],
        strict: true,
        skipLibCheck: true,
        customConditions: ["@weft/source"],
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: true,
        outDir: folder,
        rootDir: join(here, "fixtures"),
        noCheck: true,
      },
      files: [join(here, "fixtures", "decorated.ts")],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiled = await runTool("typescript", ["-p", folder, "--noResolve"], { stdio: "pipe" });
    assert.equal(compiled.code, 0, compiled.output);
    const child = spawnNode(join(folder, "decorated.js"));
    let output = "";
    let errors = "";
    child.stdout?.on("data", (data: Buffer) => (output += String(data)));
    child.stderr?.on("data", (data: Buffer) => (errors += String(data)));
    await once(child, "close");
    assert.equal(errors, "");
    const { results, spans } = JSON.parse(output) as Shown;
    assert.deepEqual(results, ["hello Alice", 4, "a", "b", "RangeError"]);
    assert.deepEqual(
      spans.map(({ name, parent, error }) => [name, parent, error]),
      [
        ["greet", "slow greeting", false],
        ["slow greeting", "all", false],
        ["all", undefined, false],
        ["twice", undefined, false],
        ["spell", undefined, false],
        ["fails", undefined, true],
      ],
    );
    assert.equal(spans[1]?.attributes["polite"], true);
    assert.equal(spans[1]?.attributes["weft.span.type"], "AGENT");
    assert.equal(spans[4]?.attributes["weft.outputs"], '"ab"');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
