/**
 * `npm run bench -- tracing`: what tracing costs, beside OpenTelemetry's SDK, Langfuse's and LangSmith's packages and limits written by
 * hand. Every subject runs in a process of its own and exports to one receiver here, which takes everything and keeps nothing.
 * Langfuse and LangSmith want an older @opentelemetry/api than Weft is developed with; they are fetched into a folder of their own.
 */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { runNode } from "../internal/tools.ts";
import { printTable } from "./subjects/print-table.ts";
import { writeResults } from "./subjects/write-results.ts";

type Figures = Readonly<Record<string, number>>;

const here = import.meta.dirname;
const peers = join(here, "peers");
let received = 0;
const receiver = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => (received += chunk.length));
  request.on("end", () => response.setHeader("content-type", "application/json").end("{}"));
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

async function measure(subject: string, what: string): Promise<Figures | undefined> {
  const file = join(here, "subjects", `${subject.split(" ")[0]}.ts`);
  received = 0;
  const { code, output } = await runNode(file, [what, url, subject], {
    stdio: "pipe",
    execArgv: ["--expose-gc", "--no-warnings", "--max-semi-space-size=64"],
    env: { NODE_PATH: "", WEFT_BENCH_PEERS: peers },
  });
  const line = output.split("\n").findLast((text) => text.startsWith("{"));
  if (code === 0 && line !== undefined) return { ...(JSON.parse(line) as Figures), received };
  process.stderr.write(`${subject}, ${what}: ended with ${code}\n${output.slice(0, 2000)}\n`);
  process.exitCode = 1;
  return undefined;
}

async function measureAll(what: string, subjects: readonly string[]): Promise<Map<string, Figures>> {
  const all = new Map<string, Figures>();
  for (const subject of subjects) {
    const figures = await measure(subject, what);
    if (figures !== undefined) all.set(subject, figures);
  }
  return all;
}

const hasPeers = existsSync(join(peers, "node_modules"));
if (!hasPeers) {
  process.stdout.write(`skipped: langfuse, langsmith: need \`npm ci --prefix scripts/bench/peers\`, once\n`);
}
const others = hasPeers ? ["langfuse", "langsmith"] : [];

const hot = await measureAll("hot", ["hand", "weft", "opentelemetry"]);
const encode = await measureAll("encode", ["hand", "weft", "opentelemetry"]);
const content = await measureAll("content", [
  "weft",
  "weft full",
  "opentelemetry",
  "opentelemetry 32KB",
  ...others,
  "hand",
]);
receiver.closeAllConnections();
receiver.close();

printTable("Hot path, us a span (ratio to a record by hand with AsyncLocalStorage)", hot, "hand", [
  ["bare", "start + end"],
  ["attributes", "with 5 attributes"],
  ["turn", "8-span turn, all in"],
]);
printTable("OTLP encoding, us a span (ratio to a writer by hand over one reused buffer)", encode, "hand", [
  ["small", "small"],
  ["10KB", "10 KB"],
  ["1MB", "1 MB"],
]);
printTable("A call with its content, ms in the call (ratio to JSON.stringify alone)", content, "hand", [
  ["10KB", "10 KB"],
  ["1MB", "1 MB"],
  ["10MB", "10 MB"],
]);
printTable("The same, longest event-loop stall in ms until all is exported", content, undefined, [
  ["10KB stall", "10 KB"],
  ["1MB stall", "1 MB"],
  ["10MB stall", "10 MB"],
]);

const tables = { hot, encode, content };
const plain = Object.fromEntries(
  Object.entries(tables).map(([name, rows]) => [name, Object.fromEntries(rows)]),
);
writeResults("tracing", plain);
