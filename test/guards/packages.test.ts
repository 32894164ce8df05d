import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
// @boundaries-ignore the guards look at the repository as a whole
import {
  type Manifest,
  filesIn,
  publicWorkspaces,
  readJson,
  root,
  shown,
  workspaces,
} from "../../scripts/internal/repository.ts";

const commonFiles = ["dist", "src", "!dist/.tsbuildinfo", "README.md", "LICENSE"];
/** What a package ships besides: the command's start, and the viewer that the build puts into the collector. */
const ownFiles: Readonly<Record<string, readonly string[]>> = {
  "@weft/cli": ["bin"],
  "@weft/collector": ["viewer"],
};

for (const { folder, path, manifest } of publicWorkspaces()) {
  test(`${manifest.name} publishes what its exports name, its license and its readme`, () => {
    assert.equal(manifest.type, "module");
    assert.equal(manifest.license, "Apache-2.0");
    const files = [...commonFiles, ...(ownFiles[manifest.name] ?? [])];
    assert.deepEqual(manifest.files?.toSorted(), files.toSorted());
    for (const file of ["README.md", "LICENSE"])
      assert.ok(existsSync(join(folder, file)), `${path}/${file} is missing`);

    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      if (entry === "./package.json") continue;
      assert.ok(typeof target === "object", `${entry} has conditions`);
      const { "@weft/source": source = "", ...built } = target;
      assert.equal(
        Object.keys(target)[0],
        "@weft/source",
        `${entry}: Node takes the first condition that fits`,
      );
      assert.ok(existsSync(join(folder, source)), `${path}: ${source} is missing`);
      const module = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
      assert.deepEqual(built, { types: `${module}.d.ts`, default: `${module}.js` });
    }
    const { bin = {} } = manifest;
    for (const target of typeof bin === "string" ? [bin] : Object.values(bin)) {
      const source = join(folder, target);
      assert.ok(existsSync(source), `${path}: ${shown(source)} is missing`);
      assert.match(readFileSync(source, "utf8"), /^#!\/usr\/bin\/env node\n/);
    }
  });
}

test("published packages depend on exact versions, and on each other at their own", () => {
  const versions = new Map(workspaces().map(({ manifest }) => [manifest.name, manifest.version]));
  for (const { path, manifest } of workspaces()) {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      assert.match(version, /^(?:npm:[@\w/-]+@)?\d+\.\d+\.\d+/, `${path} wants ${name}@${version}`);
      if (versions.has(name)) assert.equal(version, versions.get(name), `${path} wants ${name}`);
    }
  }
});

test("every workspace is tested the same way, and starts through the preflight", () => {
  for (const { path, manifest } of workspaces()) {
    if (manifest.scripts?.["test"] === undefined) continue;
    assert.match(manifest.scripts["test"], /^node (?:\.\.\/)+scripts\/preflight\.mjs test$/, path);
  }
  const { scripts = {} } = readJson(join(root, "package.json")) as Manifest;
  for (const [name, command] of Object.entries(scripts))
    assert.match(command, /^node scripts\/preflight\.mjs\b/, name);
});

test("nothing that is committed names a machine's folder or a registry's address", () => {
  const folder = new RegExp(
    ["/work/", "(?:main|shared)|/ro", "ot/|/ho", "me/(?!me/)\\w+/|[A-Z]:\\\\Us", "ers\\\\"].join(""),
  );
  const registry = new RegExp(
    ["https?://[\\w.-]*(?:regis", "try|artifac", "tory|nex", "us|verdac", "cio|npm", "js)[\\w.-]*[:/]"].join(
      "",
    ),
    "i",
  );
  const text = /(?:\.(?:ts|tsx|mjs|js|json|jsonc|md|css|html|yml|yaml|svg|txt)|\/[^./]+|\/\.[\w.]+)$/;
  const found = filesIn(root, "{**/*,.*,.ci/**/*}")
    .filter((file) => text.test(file))
    .flatMap((file) => {
      const lines = readFileSync(file, "utf8").split("\n");
      return lines.flatMap((line, index) =>
        folder.test(line) || registry.test(line) ? [`${shown(file)}:${index + 1}`] : [],
      );
    });
  assert.deepEqual(found, []);
});

test("the lockfile says no address: npm asks whatever registry it is set up with", () => {
  const { packages } = readJson(join(root, "package-lock.json")) as {
    packages: Record<string, { resolved?: string }>;
  };
  const addresses = Object.values(packages).filter(({ resolved }) => resolved?.includes("://"));
  assert.deepEqual(addresses, []);
});

test("the lockfile holds every platform's part of each tool, so that npm ci works everywhere", () => {
  // npm leaves out an optional package that the registry does not have at that version, and then `npm ci` refuses the lockfile.
  const { packages } = readJson(join(root, "package-lock.json")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const locked = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !locked.has(name))
      .map((name) => `${path} wants ${name}`),
  );
  assert.deepEqual(missing, [], "take a version of the tool whose platform packages all exist");
});
