import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { startCollector } from "@weft/collector";
import { WeftError } from "@weft/tracing";
import type { TraceHealth, TraceList } from "@weft/tracing/http";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { request, traceId } from "./support/otlp.ts";
import { get, post, store, useCollector, useFolder } from "./support/use-collector.ts";

test("what was acknowledged survives kill -9 in the middle of ingest, each span once", async (t) => {
  const data = join(await useFolder(t), "traces.db");
  const child = spawnNode(new URL("fixtures/run-collector.ts", import.meta.url), [data], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.stdout);
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  const acknowledged = new Set<number>();
  const senders = Array.from({ length: 8 }, async (_, sender) => {
    for (let trace = 1 + sender; ; trace += 8) {
      const spans = [
        { id: 1, trace },
        { id: 2, trace, parent: 1, attributes: { text: "x".repeat(2000) } },
      ];
      const response = await post(url, request(spans)).catch(() => undefined);
      if (response?.status !== 200) return;
      acknowledged.add(trace);
      if (acknowledged.size === 120) child.kill("SIGKILL");
    }
  });
  await Promise.all(senders);
  await (child.signalCode === null ? once(child, "exit") : undefined);
  assert.equal(child.signalCode, "SIGKILL");
  assert.ok(acknowledged.size >= 120);

  const collector = await useCollector(t, { data });
  for (const trace of acknowledged) {
    const health = await get<TraceHealth>(collector.url, `/api/traces/${traceId(trace)}/health`);
    assert.equal(health.ok, true, `trace ${String(trace)}`);
  }
  await store(
    collector.url,
    request([
      { id: 1, trace: 1 },
      { id: 3, trace: 1, parent: 1 },
    ]),
  );
  const list = await get<TraceList>(collector.url, "/api/traces?pageSize=1000");
  assert.equal(list.traces.find((trace) => trace.traceId === traceId(1))?.spanCount, 3);
});

test("a file written before is read again, and its summaries go on counting", async (t) => {
  const data = join(await useFolder(t), "deep", "er", "traces.db");
  const first = await startCollector({ port: 0, data });
  await store(first.url, request([{ id: 2, parent: 1 }]));
  await first.close();
  const second = await useCollector(t, { data });
  await store(
    second.url,
    request([
      { id: 1, name: "root" },
      { id: 2, parent: 1 },
    ]),
  );
  const { traces } = await get<TraceList>(second.url, "/api/traces");
  assert.deepEqual(
    traces.map(({ spanCount, rootName, state }) => ({ spanCount, rootName, state })),
    [{ spanCount: 2, rootName: "root", state: "OK" }],
  );
});

test("a file in use by another collector, of another version, or no database is refused with the reason", async (t) => {
  const folder = await useFolder(t);
  const data = join(folder, "traces.db");
  const collector = await useCollector(t, { data });
  await assert.rejects(startCollector({ port: 0, data }), (error) => {
    assert.ok(error instanceof WeftError);
    assert.equal(error.code, "failed_precondition");
    assert.match(error.message, /in use by another collector/);
    return true;
  });
  await collector.close();

  const later = join(folder, "later.db");
  const database = new DatabaseSync(later);
  database.exec("PRAGMA user_version = 999");
  database.close();
  await assert.rejects(startCollector({ port: 0, data: later }), /another version of Weft/);
  const text = join(folder, "text.db");
  await writeFile(text, "no database at all, but long enough to be read as one\n".repeat(20));
  await assert.rejects(startCollector({ port: 0, data: text }), /cannot be opened as a trace store/);
  const below = join(text, "traces.db");
  await assert.rejects(startCollector({ port: 0, data: below }), /cannot be opened as a trace store/);
  const again = await startCollector({ port: 0, data });
  await again.close();
});

test("close commits what was acknowledged, ends open streams, and may be called twice", async (t) => {
  const data = join(await useFolder(t), "traces.db");
  const collector = await startCollector({ port: 0, data });
  const live = await fetch(`${collector.url}/api/live`);
  await store(collector.url, request([{ id: 1 }]));
  await Promise.all([collector.close(), collector.close()]);
  assert.match(await live.text(), /event: trace/);
  await assert.rejects(fetch(collector.url));
  const again = await useCollector(t, { data });
  assert.equal((await get<TraceList>(again.url, "/api/traces")).traces.length, 1);
});

test("a port that is taken is named", async (t) => {
  const { port } = await useCollector(t);
  await assert.rejects(startCollector({ port }), (error) => {
    assert.ok(error instanceof WeftError);
    assert.equal(error.code, "failed_precondition");
    assert.match(error.message, new RegExp(`port ${String(port)} of 127.0.0.1 is in use`));
    return true;
  });
});
