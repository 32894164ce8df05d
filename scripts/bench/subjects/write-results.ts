import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../internal/repository.ts";

/** Keeps what a benchmark measured as `bench/results/<name>.json`, with the machine it was measured on. */
export function writeResults(name: string, results: object): void {
  const folder = join(root, "bench/results");
  mkdirSync(folder, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const document = { time: new Date().toISOString(), machine, ...results };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(document, undefined, 2)}\n`);
}
