/** Events per second through the engine, in process: `node --conditions=@weft/source bench/engine.bench.ts`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import { callContext, newEngine } from "../test/engine-support.ts";
import { sendRequest } from "../test/requests.ts";

const floods = defineAgent({
  name: "floods",
  async *respond({ messages }) {
    const count = Number(messageText(messages.at(-1)!));
    for (let at = 0; at < count; at++) yield "0123456789";
  },
});
const folder = mkdtempSync(join(tmpdir(), "weft-bench-"));
for (const [name, store] of [
  ["memory", memoryStore()],
  ["sqlite", sqliteStore(join(folder, "tasks.db"))],
] as const) {
  const engine = newEngine(floods, { store }).engine;
  const run = async (count: number, readers: number): Promise<number> => {
    const started = performance.now();
    const stream = engine.sendMessageStream(sendRequest(String(count)), callContext());
    const { value } = await stream.next();
    const id = value?.payload?.$case === "task" ? value.payload.value.id : "";
    const drain = async (source: AsyncIterable<unknown>): Promise<void> => {
      for await (const _ of source);
    };
    const others = Array.from({ length: readers - 1 }, () =>
      engine.resubscribe({ tenant: "", id }, callContext()),
    );
    await Promise.all([stream, ...others].map(drain));
    return count / ((performance.now() - started) / 1_000);
  };
  await run(20_000, 1);
  for (const count of [1_000, 10_000, 100_000]) {
    const rates: number[] = [];
    for (let round = 0; round < 3; round++) rates.push(await run(count, 1));
    console.log(`${name}: ${count} events, 1 reader: ${Math.round(Math.max(...rates))} events/s`);
  }
  console.log(`${name}: 10000 events, 8 readers: ${Math.round(await run(10_000, 8))} events/s`);
  const tasks = 2_000;
  const started = performance.now();
  let left = tasks;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await engine.sendMessage(sendRequest("1"), callContext());
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  console.log(
    `${name}: ${Math.round(tasks / ((performance.now() - started) / 1_000))} tasks/s, 32 in flight`,
  );
  await store[Symbol.asyncDispose]();
}
rmSync(folder, { recursive: true, force: true });
