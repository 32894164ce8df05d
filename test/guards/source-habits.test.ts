import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import { filesIn, root, shown, workspaces } from "../../scripts/internal/repository.ts";
// @boundaries-ignore the guards look at the repository as a whole
import {
  dynamicImports,
  findInCode,
  packageOf,
  sourceFiles,
  staticImports,
  withoutComments,
} from "../../scripts/internal/sources.ts";

test("sources throw WeftError and never a bare Error", () => {
  assertNone(sourceFiles(), /\bnew Error\(/);
});

test("attribute keys are written out in the vocabulary and nowhere else", () => {
  // Symbols, context keys and providers have names of this form too, and none is an attribute's key.
  const literal =
    /(?<!Symbol(?:\.for)?\(|createContextKey\(|provider(?: =|:) )["'`](?:gen_ai|a2a|weft)(?:\.[a-z][a-z0-9_]*)+["'`]/;
  const vocabulary = sourceFiles().filter((file) => isVocabulary(shown(file)));
  const words = vocabulary.map((file) => readFileSync(file, "utf8")).join("\n");
  // "gen_ai.request" is no key but the beginning of several: who groups keys may say it.
  const isNamespace = (text: string) => {
    const name = text.slice(1, -1);
    return words.includes(`"${name}.`) && !words.includes(`"${name}"`);
  };
  assertNone(
    sourceFiles().filter((file) => !vocabulary.includes(file)),
    literal,
    isNamespace,
  );
});

test("every process is started by spawnNode, or by a file on the short list that says what it starts", () => {
  const exempt = new Map([
    ["packages/cli/src/process/spawn-node.ts", "spawnNode itself"],
    ["packages/agents/src/code/run-command.ts", "code that agents run: sh, python3, node, docker"],
    ["packages/runtime/test/start-postgres.ts", "initdb and postgres"],
  ]);
  const folders = [...workspaces().map(({ folder }) => folder), join(root, "scripts")];
  const found = folders
    .flatMap((folder) => filesIn(folder, "**/*.{ts,tsx,mjs}"))
    .filter((file) => !exempt.has(shown(file)) && startsProcesses(file));
  assert.deepEqual(found.map(shown), []);
});

test("sources import what their package.json promises to install, and nothing from the root", () => {
  const found = workspaces()
    // The viewer's page is bundled: what it is built from is installed for building only.
    .filter(({ path }) => path !== "services/viewer" && existsSync(join(root, path, "src")))
    .flatMap(({ folder, manifest }) => {
      const promised = { ...manifest.dependencies, ...manifest.peerDependencies, [manifest.name]: "" };
      return filesIn(join(folder, "src"), "**/*.ts").flatMap((file) =>
        [...staticImports(file).map(({ specifier }) => specifier), ...dynamicImports(file)]
          .map(packageOf)
          .filter((name) => name !== undefined && !Object.hasOwn(promised, name))
          .map((name) => `${shown(file)}: ${name}`),
      );
    });
  assert.deepEqual(found, []);
});

test("comments are not code and strings are not comments", () => {
  const text = 'const a = "// no"; // new Error(\n/* new Error( */ const b = `/*`;';
  assert.equal(
    withoutComments(text).trimEnd(),
    'const a = "// no";              \n                 const b = `/*`;'.trimEnd(),
  );
});

function startsProcesses(file: string): boolean {
  const modules = /^(?:node:)?(?:child_process|cluster)$/;
  if (staticImports(file).some(({ specifier }) => modules.test(specifier))) return true;
  return (
    findInCode(file, /\b(?:import|require|getBuiltinModule)\(\s*["'](?:node:)?(?:child_process|cluster)["']/)
      .length > 0
  );
}

function isVocabulary(path: string): boolean {
  return /^packages\/tracing\/src\/vocabulary(?:\/|\.ts$)/.test(path);
}

function assertNone(
  files: readonly string[],
  pattern: RegExp,
  allowed: (text: string) => boolean = () => false,
): void {
  const found = files.flatMap((file) =>
    findInCode(file, pattern)
      .filter(({ text }) => !allowed(text))
      .map(({ line, text }) => `${shown(file)}:${line}: ${text.trim()}`),
  );
  assert.deepEqual(found, []);
}
