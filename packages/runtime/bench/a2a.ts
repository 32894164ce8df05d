/**
 * A2A over the wire: messages and tasks at 1 and 32 in flight and streams of 100 to 10,000 events, on each binding, traced and
 * not, beside the SDK's own server and client, raw node:http and raw ws + msgpackr, in one run. Read the ratios.
 *
 *   node --conditions=@weft/source packages/runtime/bench/a2a.ts [seconds a cell]
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { captureSpans } from "@weft/tracing/internal";
import type { BenchCalls } from "./a2a-calls.ts";
import { openPeers } from "./a2a-peers.ts";

export interface BenchRow {
  readonly peer: string;
  readonly traced: boolean;
  readonly work: string;
  readonly inFlight: number;
  /** Messages, tasks or events in a second. */
  readonly perSecond: number;
  /** To the raw node:http echo of the same row's kind, 32 in flight; for streams to the SDK's JSON-RPC at 100 events. */
  readonly ratio: number;
}

export interface BenchOptions {
  /** Seconds a cell takes. Default 1. */
  readonly seconds?: number;
  /** Events of the streams. Default 100, 1,000, 10,000. */
  readonly events?: readonly number[];
}

/** All figures; `base` of the ratios is measured in the same run. */
export async function run(options: BenchOptions = {}): Promise<readonly BenchRow[]> {
  const { seconds = 1, events = [100, 1_000, 10_000] } = options;
  const server = await startServer();
  const rows: Omit<BenchRow, "ratio">[] = [];
  try {
    for (const traced of [false, true]) {
      const capture = traced ? captureSpans() : undefined;
      if (traced) server.trace();
      const peers = await openPeers(server.urls, traced);
      for (const peer of peers) rows.push(...(await measurePeer(peer, { traced, seconds, events })));
      for (const peer of peers) await peer.close();
      capture?.[Symbol.dispose]();
    }
  } finally {
    await server.close();
  }
  return withRatios(rows);
}

async function measurePeer(
  peer: BenchCalls,
  options: { traced: boolean; seconds: number; events: readonly number[] },
): Promise<Omit<BenchRow, "ratio">[]> {
  const rows: Omit<BenchRow, "ratio">[] = [];
  const base = { peer: peer.name, traced: options.traced };
  for (const [work, call] of [
    ["message", peer.message],
    ["task", peer.task],
  ] as const) {
    if (!call) continue;
    for (const inFlight of [1, 32]) {
      await rate(call, inFlight, options.seconds / 4);
      rows.push({ ...base, work, inFlight, perSecond: await rate(call, inFlight, options.seconds) });
    }
  }
  for (const count of peer.stream ? options.events : []) {
    if (count > (peer.maxEvents ?? Infinity)) continue;
    const start = performance.now();
    let total = 0;
    do total += await peer.stream!(count);
    while (performance.now() - start < options.seconds * 1_000);
    const perSecond = (total / (performance.now() - start)) * 1_000;
    rows.push({ ...base, work: `stream of ${count}`, inFlight: 1, perSecond });
  }
  return rows;
}

/** Calls a second with `inFlight` of them open all the time. */
async function rate(call: () => Promise<unknown>, inFlight: number, seconds: number): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1_000;
  let count = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      await call();
      count++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (count / (performance.now() - start)) * 1_000;
}

function withRatios(rows: readonly Omit<BenchRow, "ratio">[]): BenchRow[] {
  const http = rows.find(
    ({ peer, work, inFlight, traced }) =>
      peer === "raw node:http" && work === "message" && inFlight === 32 && !traced,
  );
  const stream = rows.find(({ peer, work }) => peer === "SDK JSON-RPC" && work === "stream of 100");
  return rows.map((row) => {
    const base = row.work.startsWith("stream") ? stream : http;
    return { ...row, ratio: row.perSecond / (base?.perSecond ?? Number.NaN) };
  });
}

interface BenchServer {
  readonly urls: Readonly<Record<string, string>>;
  /** From now on it traces too. */
  trace(): void;
  close(): Promise<void>;
}

async function startServer(): Promise<BenchServer> {
  const worker = new Worker(new URL("./a2a-server-worker.ts", import.meta.url));
  const urls = await new Promise<Record<string, string>>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    urls,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    trace: () => worker.postMessage("trace"),
    close: async () => {
      await worker.terminate();
    },
  };
}

function table(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ peer, traced, work, inFlight, perSecond, ratio }) =>
    [
      peer.padEnd(18),
      (traced ? "traced" : "").padEnd(7),
      work.padEnd(17),
      String(inFlight).padStart(3),
      Math.round(perSecond).toLocaleString("en").padStart(10),
      ratio.toFixed(2).padStart(8),
    ].join(" "),
  );
  return [
    `${"peer".padEnd(18)} ${"".padEnd(7)} ${"work".padEnd(17)}  in       per s    ratio`,
    ...lines,
  ].join("\n");
}

if (import.meta.main) {
  const seconds = Number(process.argv[2] ?? 1);
  process.stdout.write(`${table(await run({ seconds }))}\n`);
}
