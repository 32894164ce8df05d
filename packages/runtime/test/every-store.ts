/** The same suite over every store. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { memoryStore } from "../src/store/memory-store.ts";
import { postgresStore } from "../src/store/postgres-store.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import type { TaskStore } from "../src/store/task-store.ts";
import { startPostgres } from "./start-postgres.ts";
import type { Postgres } from "./start-postgres.ts";

const timeout = 60_000;
const folder = mkdtempSync(join(tmpdir(), "weft-every-store-"));
const isRequired = (process.env["WEFT_REQUIRE"] ?? "").split(",").includes("postgres");
let postgres: Postgres | string = "not started";

before(
  async () => {
    postgres = await startPostgres();
  },
  { timeout: 100_000 },
);
after(async () => {
  if (typeof postgres !== "string") await postgres[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A path that is nobody else's. */
export const newPath = (): string => join(folder, `${randomUUID()}.db`);

/** Postgres is one for all: what is in it is told apart by scope. */
const stores: Readonly<Record<string, (path: string) => TaskStore>> = {
  memory: () => memoryStore(),
  sqlite: (path) => sqliteStore(path),
  postgres: () => postgresStore((postgres as Postgres).url),
};

export const storeNames: readonly string[] = Object.keys(stores);

/** Declares a test of the store with this name, a new one. */
export function testOf(name: string): (title: string, body: (store: TaskStore) => Promise<void>) => void {
  return (title, body) =>
    testOpening(name, title, async (open) => {
      await using store = open();
      await body(store);
    });
}

/** Declares a test of a store as several processes have it: each call of `open` gives one more of them the same one. */
export function testOpening(
  name: string,
  title: string,
  body: (open: () => TaskStore) => Promise<void>,
): void {
  test(`${name}: ${title}`, { timeout }, async (t) => {
    if (name === "postgres" && typeof postgres === "string") {
      assert.ok(!isRequired, `WEFT_REQUIRE names postgres: ${postgres}`);
      return t.skip(postgres);
    }
    const path = newPath();
    await body(() => stores[name]!(path));
  });
}
