import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import packageJson from "../package.json" with { type: "json" };
import { version } from "../src/version.ts";
import { Attr, conventions } from "../src/vocabulary.ts";

test("Every attribute comes from exactly one convention, and every key is used once", () => {
  const listed = conventions.flatMap(({ attributes }) => Object.entries(attributes));
  assert.deepEqual(Object.fromEntries(listed), Attr);
  assert.equal(new Set(Object.values(Attr)).size, listed.length);
});

test("Keys of the conventions' namespaces stand in the conventions' families, ours in Weft's", () => {
  for (const { name, attributes } of conventions) {
    for (const key of Object.values(attributes)) assert.equal(key.startsWith("weft."), name === "Weft", key);
  }
});

test("What is still a proposal is marked as pending", () => {
  const pending = conventions.filter((convention) => convention.pending);
  assert.deepEqual(
    pending.flatMap(({ attributes }) => Object.values(attributes)).every((key) => key.startsWith("a2a.")),
    true,
  );
});

test("The vocabulary and the HTTP types import nothing", () => {
  for (const file of ["vocabulary.ts", "http.ts"]) {
    const source = readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8");
    assert.doesNotMatch(source, /^\s*(import|export .* from)\b/m);
  }
});

test("The version in the code is the package's", () => {
  assert.equal(version, packageJson.version);
});
