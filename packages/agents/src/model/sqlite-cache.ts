import { createRequire } from "node:module";
import type { DatabaseSync } from "node:sqlite";
import type { ModelCache } from "./model-cache.ts";

const requireBuiltIn = createRequire(import.meta.url);

/** Answers in a SQLite file, shared by the processes that open it. `node:sqlite` is loaded here, not with the library. */
export function openSqliteCache(path: string): ModelCache {
  const { DatabaseSync: Database } = requireBuiltIn("node:sqlite") as {
    DatabaseSync: new (path: string) => DatabaseSync;
  };
  const database = new Database(path);
  database.exec(
    "pragma journal_mode = wal; pragma busy_timeout = 5000; create table if not exists answers (key text primary key, value text not null) without rowid",
  );
  const read = database.prepare("select value from answers where key = ?");
  const write = database.prepare("insert or replace into answers (key, value) values (?, ?)");
  return {
    get: (key) => (read.get(key) as { readonly value: string } | undefined)?.value,
    set: (key, value) => void write.run(key, value),
  };
}
