import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** All modules that importing `entry` loads: ours by their path, others by their name. */
function loadedBy(entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (url: URL): void => {
    if (seen.has(url.pathname)) return;
    seen.add(url.pathname);
    const source = readFileSync(url, "utf8");
    for (const [, name = ""] of source.matchAll(
      /^(?:import|export) (?!type)(?:[^;"]*? from )?"([^"]+)";/gm,
    )) {
      if (name.startsWith(".")) visit(new URL(name, url));
      else seen.add(name);
    }
  };
  visit(new URL(`../src/${entry}`, import.meta.url));
  return seen;
}

for (const entry of ["index.ts", "internal.ts"]) {
  test(`Importing ${entry} loads no HTTP and no exporter`, () => {
    const loaded = [...loadedBy(entry)];
    assert.ok(loaded.includes("@opentelemetry/api"));
    assert.deepEqual(
      loaded.filter((name) => /^node:https?$|\/src\/export\//.test(name)),
      [],
    );
  });
}

test("Starting tracing needs nothing but OpenTelemetry's api and its context manager", () => {
  const packages = [...loadedBy("register.ts")].filter(
    (name) => !name.startsWith("/") && !name.startsWith("node:"),
  );
  assert.deepEqual(packages.sort(), ["@opentelemetry/api", "@opentelemetry/context-async-hooks"]);
});
