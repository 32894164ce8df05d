/**
 * Serves an agent that says 40 MB in small pieces: `serve-flood <SQLite file>`. Each line on its standard input is
 * answered with the bytes in use, garbage collected before. Started with `--expose-gc`.
 */
import { createInterface } from "node:readline";
import { serve, sqliteStore } from "@weft/runtime";
import { defineAgent } from "@weft/runtime/agent";

const chunk = "0123456789".repeat(2_000);
const floods = defineAgent({
  name: "floods",
  async *respond() {
    for (let index = 0; index < 2_000; index++) {
      if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield chunk;
    }
  },
});
const service = await serve(floods, {
  bindings: ["jsonrpc", "rest", "ws", "grpc"],
  limits: { events: 50 },
  store: sqliteStore(process.argv[2]!),
});
process.stdout.write(`${service.url}\n`);

for await (const _ of createInterface({ input: process.stdin })) {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${heapUsed + external}\n`);
}
await service.drain({ timeoutMs: 0 });
