/**
 * `npm run bench [-- name]`: the benchmarks of scripts/bench, each by its name, one after another. Each prints tables of ratios measured
 * in one run and writes bench/results/<name>.json.
 */
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { root } from "./internal/repository.ts";
import { runNode } from "./internal/tools.ts";

const folder = join(root, "scripts/bench");
const known = globSync("*.ts", { cwd: folder })
  .map((file) => basename(file, ".ts"))
  .sort();
const [named, ...args] = process.argv.slice(2);

if (named !== undefined && !known.includes(named)) {
  process.stderr.write(`No benchmark is called ${named}. There are: ${known.join(", ")}.\n`);
  process.exitCode = 2;
} else {
  for (const name of named === undefined ? known : [named]) {
    const { code } = await runNode(join(folder, `${name}.ts`), args, { execArgv: ["--expose-gc"] });
    if (code !== 0) process.exitCode = code;
  }
}
