/**
 * A worker with a journal that is to be killed: `killed-service <SQLite file> <spool>`. Says `{"url"}` when ready, then a
 * line for each step it does; ends with its input.
 */
import { setImmediate as turnOfLoop } from "node:timers/promises";
import { defineAgent, serve, sqliteStore } from "@weft/runtime";
import { withSpan } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

const [database = "", spool = ""] = process.argv.slice(2);
await using _tracing = startTracing({ serviceName: "worker", spool });

const worker = defineAgent({
  name: "worker",
  async *respond(_request, { journal }) {
    for (let round = 0; round < 5; round++) {
      const step = (): Promise<number> =>
        withSpan("step", async () => {
          process.stdout.write("step\n");
          await turnOfLoop();
          return round;
        });
      yield `${await journal!.step(`round/${round}`, step)} `;
    }
  },
});
await using service = await serve(worker, { store: sqliteStore(database), limits: { leaseMs: 2_000 } });
process.stdout.write(`${JSON.stringify({ url: service.url })}\n`);
for await (const _ of process.stdin);
