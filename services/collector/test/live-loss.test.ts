/** A process and its collector, together: what runs, what is lost, and that nothing is stored twice. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { ChildProcess } from "node:child_process";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startCollector } from "@weft/collector";
import type { InstanceList, SpanDetails, TraceHealth, TraceList, TraceSummary } from "@weft/tracing/http";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { decodeSkeleton } from "./support/decode-skeleton.ts";
import { until } from "./support/until.ts";
import { get, useCollector, useFolder } from "./support/use-collector.ts";

/** There OpenTelemetry's SDK is at hand. */
const sdkProgram = "../../../packages/tracing/test/programs/running-sdk.ts";

function run(
  t: TestContext,
  args: readonly string[],
  environment: Record<string, string>,
  program = "programs/running.ts",
): ChildProcess {
  const child = spawnNode(new URL(program, import.meta.url), args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return line;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function summaryOf(url: string, traceId: string): Promise<TraceSummary | undefined> {
  const { traces } = await get<TraceList>(url, "/api/traces?pageSize=1000");
  return traces.find((trace) => trace.traceId === traceId);
}

test("Live: a trace is RUNNING while its root is open, its ended child no orphan, and OK when it ended", async (t) => {
  const { url } = await useCollector(t);
  const child = run(t, ["open-root"], { WEFT_COLLECTOR: url });
  const traceId = await firstLine(child);
  await until(async () => ((await summaryOf(url, traceId))?.spanCount ?? 0) >= 1);
  const running = await summaryOf(url, traceId);
  assert.deepEqual([running?.state, running?.rootName, running?.spanCount], ["RUNNING", "root", 1]);
  const health = await get<TraceHealth>(url, `/api/traces/${traceId}/health`);
  assert.deepEqual([health.roots, health.orphans, health.openSpans], [1, 0, 2]);
  const skeleton = decodeSkeleton(await (await fetch(`${url}/api/traces/${traceId}/skeleton`)).arrayBuffer());
  const open = skeleton.spans.filter((span) => span.flags & 4).map((span) => span.spanId);
  const details = async (): Promise<SpanDetails> =>
    get<SpanDetails>(url, `/api/traces/${traceId}/spans?ids=${open.join(",")}`);
  await until(async () => (await details()).spans.some(({ text }) => text === "Once upon a time"));
  child.stdin?.write("go on\n");
  await ended(child);
  const done = await summaryOf(url, traceId);
  assert.deepEqual([done?.state, done?.spanCount], ["OK", 3]);
  assert.equal((await get<TraceHealth>(url, `/api/traces/${traceId}/health`)).ok, true);
  const { instances } = await get<InstanceList>(url, "/api/instances");
  assert.deepEqual(
    instances.map(({ state, spansEnded, spansStored, spansLost }) => [
      state,
      spansEnded,
      spansStored,
      spansLost,
    ]),
    [["ENDED", 3, 3, 0]],
  );
});

test("Live: a process that ends by itself, or by SIGTERM, is not lost", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 100_000 });
  const instances = async (): Promise<InstanceList["instances"]> =>
    (await get<InstanceList>(url, "/api/instances")).instances;
  const child = run(t, ["open-root"], { WEFT_COLLECTOR: url });
  await firstLine(child);
  await until(async () => (await instances())[0]?.state === "RUNNING");
  child.kill("SIGTERM");
  await ended(child);
  assert.deepEqual([child.signalCode, (await instances())[0]?.state], ["SIGTERM", "ENDED"]);
  const other = run(t, ["natural"], { WEFT_COLLECTOR: url });
  await firstLine(other);
  await until(async () => (await instances())[0]?.state === "RUNNING");
  other.stdin?.write("go on\n");
  await ended(other);
  assert.deepEqual([other.exitCode, (await instances())[0]?.state], [0, "ENDED"]);
});

test("Live: process.exit can say no goodbye: what it left open is LOST once it was silent, what had ended stays as it was", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 2500 });
  const child = run(t, ["exit"], { WEFT_COLLECTOR: url });
  const traceId = await firstLine(child);
  await until(async () => (await summaryOf(url, traceId))?.state === "RUNNING");
  child.stdin?.write("go on\n");
  await ended(child);
  assert.equal(child.exitCode, 0);
  await until(async () => (await summaryOf(url, traceId))?.state === "LOST");
  const { instances } = await get<InstanceList>(url, "/api/instances");
  assert.deepEqual(
    instances.map(({ state, spansEnded, spansStored, spansLost }) => [
      state,
      spansEnded,
      spansStored,
      spansLost,
    ]),
    [["LOST", 1, 1, 0]],
  );
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.deepEqual(traces.map(({ rootName, state }) => `${rootName} ${state}`).sort(), [
    "ended OK",
    "root LOST",
  ]);
});

test("Live: under an SDK with WeftSpanProcessor a trace is RUNNING, then OK", async (t) => {
  const { url } = await useCollector(t);
  const child = run(t, ["processor"], { WEFT_COLLECTOR: url }, sdkProgram);
  const traceId = await firstLine(child);
  await until(async () => (await summaryOf(url, traceId))?.state === "RUNNING");
  child.stdin?.write("go on\n");
  await ended(child);
  const done = await summaryOf(url, traceId);
  assert.deepEqual([done?.state, done?.spanCount, done?.rootName], ["OK", 1, "root"]);
});

test("Live: under an SDK that exports elsewhere, what Weft's helper starts is RUNNING here all the same", async (t) => {
  const { url } = await useCollector(t);
  const child = run(t, ["none"], { WEFT_COLLECTOR: url }, sdkProgram);
  const traceId = await firstLine(child);
  await until(async () => (await summaryOf(url, traceId))?.state === "RUNNING");
  assert.equal((await summaryOf(url, traceId))?.rootName, "root");
  child.stdin?.write("go on\n");
  await ended(child);
});

test("Live: a collector that was started anew hears again what runs", async (t) => {
  const first = await startCollector({ port: 0, viewer: false });
  const child = run(t, ["open-root"], { WEFT_COLLECTOR: first.url });
  const traceId = await firstLine(child);
  await until(async () => (await summaryOf(first.url, traceId))?.state === "RUNNING");
  await first.close();
  const { url } = await useCollector(t, { port: first.port });
  await until(async () => (await summaryOf(url, traceId))?.rootName === "root");
  child.stdin?.write("go on\n");
  await ended(child);
  assert.equal((await summaryOf(url, traceId))?.state, "OK");
});

test("Loss matrix, no spool, SIGKILL: the collector says how many spans were lost, from the last heartbeat", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 2500 });
  await using front = await startFront(url);
  const child = run(t, ["open-root", "500"], { WEFT_COLLECTOR: front.url });
  const traceId = await firstLine(child);
  const instance = async (): Promise<InstanceList["instances"][number] | undefined> =>
    (await get<InstanceList>(url, "/api/instances")).instances[0];
  await until(async () => (await instance())?.spansEnded === 501);
  assert.equal((await instance())?.spansLost, 0);
  child.kill("SIGKILL");
  await until(async () => (await instance())?.state === "LOST");
  assert.deepEqual((await instance())?.spansLost, 501);
  assert.equal((await summaryOf(url, traceId))?.state, "LOST");
  const health = await get<TraceHealth>(url, `/api/traces/${traceId}/health`);
  assert.deepEqual([health.ok, health.lostSpans, health.droppedSpans], [false, 2, 501]);
});

test("Loss matrix, spool, SIGKILL: a Weft collector stores each of 10,000 spans once, whatever was sent again", async (t) => {
  const spool = await useFolder(t);
  const { url } = await useCollector(t);
  const environment = { WEFT_COLLECTOR: url, WEFT_SPOOL: spool };
  const child = run(t, ["burst-kill", "10000"], environment);
  await ended(child);
  assert.equal(child.signalCode, "SIGKILL");
  const next = run(t, ["open-root"], environment);
  const own = await firstLine(next);
  next.stdin?.write("go on\n");
  await ended(next);
  const found = new Map<string, number>();
  let pageToken = "";
  do {
    const page: TraceList = await get(url, `/api/traces?pageSize=1000&pageToken=${pageToken}`);
    for (const trace of page.traces) if (trace.traceId !== own) found.set(trace.rootName, trace.spanCount);
    pageToken = page.nextPageToken ?? "";
  } while (pageToken !== "");
  assert.equal(found.size, 10_000);
  assert.ok([...found.values()].every((count) => count === 1));
});

test("Loss matrix, spool, SIGKILL: what was open is RUNNING, then LOST at once when the next start takes the spool over", async (t) => {
  const spool = await useFolder(t);
  const { url } = await useCollector(t);
  const environment = { WEFT_COLLECTOR: url, WEFT_SPOOL: spool };
  const child = run(t, ["open-root"], environment);
  const traceId = await firstLine(child);
  await until(async () => (await summaryOf(url, traceId))?.state === "RUNNING");
  child.kill("SIGKILL");
  await ended(child);
  const next = run(t, ["open-root"], environment);
  await firstLine(next);
  next.stdin?.write("go on\n");
  await ended(next);
  const summary = await summaryOf(url, traceId);
  assert.deepEqual([summary?.state, summary?.spanCount, summary?.errorCount], ["LOST", 3, 2]);
  const health = await get<TraceHealth>(url, `/api/traces/${traceId}/health`);
  assert.deepEqual([health.roots, health.orphans, health.openSpans, health.lostSpans], [1, 0, 0, 2]);
});

/** Passes on everything but spans: those it never answers. */
async function startFront(target: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    if (request.url === "/v1/traces") return void request.resume();
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    const pass = async (): Promise<void> => {
      const method = request.method ?? "GET";
      const answer = await fetch(target + (request.url ?? ""), {
        method,
        headers: { "content-type": request.headers["content-type"] ?? "" },
        ...(method === "POST" ? { body: Buffer.concat(chunks) } : {}),
      });
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    };
    request.on("end", () => void pass());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
