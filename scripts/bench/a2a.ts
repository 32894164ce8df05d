/** A2A over the wire: messages, tasks and streams over each binding, beside the SDK, raw node:http and raw ws. */
import process from "node:process";
import { run } from "../../packages/runtime/bench/a2a.ts";
import { printTable } from "./subjects/print-table.ts";
import { writeResults } from "./subjects/write-results.ts";

const [seconds = "1"] = process.argv.slice(2);
const rows = await run({ seconds: Number(seconds) });
const works = [...new Set(rows.map(({ work, inFlight }) => `${work} x${inFlight}`))];
for (const what of works) {
  const figures = new Map(
    rows
      .filter(({ work, inFlight }) => `${work} x${inFlight}` === what)
      .map(({ peer, traced, perSecond, ratio }) => [
        traced ? `${peer}, traced` : peer,
        { "per second": perSecond, ratio },
      ]),
  );
  printTable(`${what} in flight`, figures, undefined, [
    ["per second", "per second"],
    ["ratio", "ratio to raw node:http"],
  ]);
}
writeResults("a2a", { rows });
