import assert from "node:assert/strict";
import { test } from "node:test";
import { TraceClient, WeftError } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";
import { useCollector } from "./support/use-collector.ts";

test("a trace that a client makes, with explicit parents, is read back, exported and imported into another collector", async (t) => {
  const first = await useCollector(t);
  const second = await useCollector(t);
  await using _tracing = startTracing({ serviceName: "queue worker", collector: first.url, content: "full" });
  const client = new TraceClient();
  const root = client.startTrace("job", {
    inputs: { n: 1 },
    tags: { env: "test" },
    attributes: { shard: 3 },
  });
  const { traceId } = root;
  const step = client.startSpan({
    traceId,
    parentId: root.spanId,
    name: "step",
    spanType: "TOOL",
    inputs: "in",
  });
  client.endSpan(traceId, step.spanId, { outputs: "out", status: { code: "ERROR", message: "late" } });
  client.endTrace(traceId, { outputs: { n: 2 }, status: "OK" });

  const { info, data } = await client.getTrace(traceId);
  assert.deepEqual([info.state, info.tags], ["OK", { env: "test" }]);
  assert.deepEqual(
    data.spans.map(({ name, parentId, spanType, inputs, outputs, status, statusMessage }) => ({
      name,
      parentId,
      spanType,
      inputs,
      outputs,
      status,
      statusMessage,
    })),
    [
      {
        name: "job",
        parentId: undefined,
        spanType: undefined,
        inputs: { n: 1 },
        outputs: { n: 2 },
        status: "OK",
        statusMessage: undefined,
      },
      {
        name: "step",
        parentId: root.spanId,
        spanType: "TOOL",
        inputs: "in",
        outputs: "out",
        status: "ERROR",
        statusMessage: "late",
      },
    ],
  );
  const listed = await client.searchTraces({ pageSize: 10 });
  assert.deepEqual(
    listed.traces.map((summary) => [summary.traceId, summary.rootName, summary.spanCount]),
    [[traceId, "job", 2]],
  );

  const other = new TraceClient({ collector: second.url });
  const exported = await client.exportTrace(traceId);
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(await other.importTrace(exported), { traceIds: [traceId] });
  }
  assert.deepEqual(await other.exportTrace(traceId), exported);
  assert.equal((await other.searchTraces()).traces[0]?.spanCount, 2, "stored once");
});

test("what is no trace is refused with a reason, and so is another method", async (t) => {
  const { url } = await useCollector(t);
  const client = new TraceClient({ collector: url });
  for (const wrong of [
    {},
    { resourceSpans: [] },
    null,
    { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: "x" }] }] }] },
  ]) {
    await assert.rejects(client.importTrace(wrong as never), (error) => {
      return error instanceof WeftError && error.code === "invalid_argument";
    });
  }
  const text = await fetch(`${url}/api/import`, { method: "POST", body: "no json" });
  assert.equal(text.status, 400);
  assert.equal((await fetch(`${url}/api/import`)).status, 405);
});
