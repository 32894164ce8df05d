/**
 * `npm run bench -- a2a [seconds a cell] [subjects]`: A2A over the wire, on each binding, traced and not, beside the SDK, raw
 * node:http and raw ws. Subjects are parts of their names (`jsonrpc ws,`). With WEFT_BENCH_PROFILES set to a folder, each process
 * leaves its CPU profile there.
 */
import process from "node:process";
import { run } from "../../packages/runtime/bench/a2a.ts";
import type { BenchRow } from "../../packages/runtime/bench/a2a.ts";
import { printTable } from "./subjects/print-table.ts";
import { writeResults } from "./subjects/write-results.ts";

const [seconds, ...only] = process.argv.slice(2);
const folder = process.env["WEFT_BENCH_PROFILES"];
const rows = await run({
  ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
  ...(only.length === 0 ? {} : { only }),
  ...(folder ? { execArgv: ["--cpu-prof", `--cpu-prof-dir=${folder}`] } : {}),
});

const titleOf = ({ work, events, inFlight }: BenchRow): string =>
  events === undefined ? `${work}, ${inFlight} in flight` : `${work} of ${events}, an event`;

for (const [title, figures] of Map.groupBy(rows, titleOf)) {
  const lines = new Map(figures.map((row) => [row.subject, { ...row } as unknown as Record<string, number>]));
  printTable(title, lines, undefined, [
    ["perSecond", "per second"],
    ["ratio", "to raw node:http"],
    ["cpuRatio", "by CPU"],
    ["clientCpu", "client us"],
    ["serverCpu", "server us"],
  ]);
}
writeResults("a2a", { rows });
