import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { filesIn, readJson, root, shown, workspaces } from "../../scripts/internal/repository.ts";
// @boundaries-ignore the guards look at the repository as a whole
import { runTool } from "../../scripts/internal/tools.ts";

interface TurboConfig {
  readonly tags?: readonly string[];
  readonly boundaries?: { readonly tags: Readonly<Record<string, unknown>> };
}

test("turbo boundaries passes", async () => {
  const { code, output } = await runTool("turbo", ["boundaries"], { stdio: "pipe" });
  assert.equal(code, 0, output);
});

test("every workspace has exactly one tag, and the root knows it", () => {
  const known = Object.keys((readJson(join(root, "turbo.json")) as TurboConfig).boundaries?.tags ?? {});
  for (const { folder, path } of workspaces()) {
    const { tags = [] } = readJson(join(folder, "turbo.json")) as TurboConfig;
    assert.equal(tags.length, 1, `${path}/turbo.json has one tag`);
    assert.ok(known.includes(tags[0] ?? ""), `${path} has the unknown tag ${tags[0]}`);
  }
});

test("a layer that knows one above it is caught, by its import and by its dependency", async () => {
  const copy = mkdtempSync(join(tmpdir(), "weft-boundaries-"));
  try {
    for (const file of ["package.json", "package-lock.json", "turbo.json"])
      cpSync(join(root, file), join(copy, file));
    mkdirSync(join(copy, ".git"));
    for (const { folder, path } of workspaces()) {
      mkdirSync(join(copy, path, "src"), { recursive: true });
      for (const file of ["package.json", "turbo.json"]) cpSync(join(folder, file), join(copy, path, file));
    }
    const check = () => runTool("turbo", ["boundaries"], { cwd: copy, stdio: "pipe" });
    assert.equal((await check()).code, 0, "the copy is clean before anything is planted");

    const planted = join(copy, "packages/tracing/src/index.ts");
    writeFileSync(planted, 'import { connect } from "@weft/runtime";\nvoid connect;\n');
    const byImport = await check();
    assert.notEqual(byImport.code, 0);
    assert.match(byImport.output, /cannot import package `@weft\/runtime`/);

    const manifest = join(copy, "packages/tracing/package.json");
    const text = JSON.parse(readFileSync(manifest, "utf8")) as { dependencies: Record<string, string> };
    text.dependencies["@weft/runtime"] = "0.1.0";
    writeFileSync(manifest, JSON.stringify(text));
    rmSync(planted);
    const byDependency = await check();
    assert.notEqual(byDependency.code, 0, byDependency.output);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

test("only tests leave their package, and only for what all tests share", () => {
  const shared = /\/(?:scripts\/(?:spawn-node|internal\/[\w-]+)|(?:test\/)?support\/[\w-]+)\.ts$/;
  for (const { folder } of workspaces()) {
    for (const file of filesIn(folder, "**/*.{ts,tsx}")) {
      for (const [, target = ""] of readFileSync(file, "utf8").matchAll(
        /^\s*\/\/ @boundaries-ignore[^\n]*\n[^"]*"([^"\n]+)"/gm,
      )) {
        assert.match(shown(file), /^test\/|\/(?:test|bench)\//, `${shown(file)} is no test`);
        assert.match(target, shared, `${shown(file)} takes ${target}`);
      }
    }
  }
});
