/**
 * Ends 600 spans of 1 MB each, a few a turn, and prints by how much the process grew, and what of that is held at the end. `cut`: the
 * texts are inputs, of which a budget keeps a part.
 */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const spool = process.env["WEFT_SPOOL"];
const [how] = process.argv.slice(2);
const tracing = startTracing({
  content: "full",
  queue: { maxBytes: 32 * 1024 * 1024 },
  shutdownTimeoutMs: 200,
  ...(spool === undefined ? {} : { spool: { folder: spool, maxBytes: 64 * 1024 * 1024 } }),
});
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const held = async (): Promise<number> => {
  // Buffers are given back a turn after their collection.
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const heldBefore = await held();
for (let index = 0; index < 600; index += 1) {
  // Every text is another one: strings must not be shared.
  // Flat, as it comes from a socket.
  const text = Buffer.alloc(1e6, `${String(index)} so it goes. `).toString("latin1");
  startSpan({ name: "big", ...(how === "cut" ? { inputs: { text } } : { attributes: { text } }) }).end();
  if (index % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
}
const { ended, dropped } = tracing.stats();
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const heldMb = megabytes((await held()) - heldBefore);
process.stdout.write(JSON.stringify({ heldMb, ended, dropped }));
