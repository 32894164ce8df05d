/** LangSmith's package, from scripts/bench/peers. */
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { runSubject } from "./run-subject.ts";

const [, url = ""] = process.argv.slice(2);
const load = createRequire(join(process.env["WEFT_BENCH_PEERS"] ?? "", "package.json"));
const { Client } = load("langsmith") as {
  Client: new (options: object) => { awaitPendingTraceBatches(): Promise<void> };
};
const { traceable } = load("langsmith/traceable") as {
  traceable: (fn: (input: object) => object, options: object) => (input: object) => Promise<object>;
};

process.env["LANGSMITH_TRACING"] = "true";
const client = new Client({ apiUrl: url, apiKey: "bench", autoBatchTracing: true });
const pending: Promise<object>[] = [];
let reply = "";
const call = traceable(() => ({ reply }), { name: "call", client, tracingEnabled: true });

await runSubject({
  content: (payload, text) => {
    reply = text;
    pending.push(call(payload));
  },
  drain: async () => {
    await Promise.all(pending.splice(0));
    await client.awaitPendingTraceBatches();
  },
});
