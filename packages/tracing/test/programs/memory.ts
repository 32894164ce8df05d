/** Ends 600 spans of 1 MB each, a few a turn, and prints by how much the process grew. */
import process from "node:process";
import { startSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const spool = process.env["WEFT_SPOOL"];
const tracing = startTracing({
  queue: { maxBytes: 32 * 1024 * 1024 },
  shutdownTimeoutMs: 200,
  ...(spool === undefined ? {} : { spool: { folder: spool, maxBytes: 64 * 1024 * 1024 } }),
});
const before = process.memoryUsage().rss;
let most = 0;
for (let index = 0; index < 600; index += 1) {
  // Every text is another one: strings must not be shared.
  startSpan({
    name: "big",
    attributes: { text: String.fromCharCode(97 + (index % 26)).repeat(1e6) + String(index) },
  }).end();
  if (index % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  most = Math.max(most, process.memoryUsage().rss);
}
const { ended, dropped } = tracing.stats();
process.stdout.write(JSON.stringify({ grownMb: Math.round((most - before) / 1e6), ended, dropped }));
