import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type {
  InstanceList,
  LiveAnswer,
  LiveReport,
  SpanDetails,
  TraceHealth,
  TraceList,
  TraceSummary,
} from "@weft/tracing/http";
import { attributes, baseMs, nanoseconds, request, spanId, traceId } from "./support/otlp.ts";
import { decodeSkeleton } from "./support/decode-skeleton.ts";
import { get, store, useCollector, useFolder } from "./support/use-collector.ts";
import { until } from "./support/until.ts";

function report(change: Partial<LiveReport> = {}): LiveReport {
  return { instance: "one", service: "desk", clock: baseMs, ended: 0, dropped: 0, ...change };
}

function starts(
  ...ids: readonly { readonly id: number; readonly parent?: number }[]
): NonNullable<LiveReport["starts"]> {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes({ "service.name": "desk", "service.instance.id": "one" }) },
        scopeSpans: [
          {
            spans: ids.map(({ id, parent }) => ({
              traceId: traceId(),
              spanId: spanId(id),
              ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
              name: `span ${id}`,
              kind: 1,
              startTimeUnixNano: nanoseconds(id),
              endTimeUnixNano: "0",
            })),
          },
        ],
      },
    ],
  };
}

async function tell(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/api/live`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

async function told(url: string, body: LiveReport): Promise<string> {
  const response = await tell(url, body);
  assert.equal(response.status, 200, await response.clone().text());
  return ((await response.json()) as LiveAnswer).epoch;
}

const state = async (url: string): Promise<string | undefined> =>
  (await get<TraceList>(url, "/api/traces")).traces[0]?.state;

test("a span that runs is in list, tree, health and details, and no start is stored as a span", async (t) => {
  const { url } = await useCollector(t);
  await told(url, report({ starts: starts({ id: 1 }, { id: 2, parent: 1 }) }));
  const [summary] = (await get<TraceList>(url, "/api/traces?filter=trace.status%20%3D%20'RUNNING'")).traces;
  assert.deepEqual(
    [summary?.rootName, summary?.state, summary?.spanCount, summary?.services],
    ["span 1", "RUNNING", 0, ["desk"]],
  );
  const health = await get<TraceHealth>(url, `/api/traces/${traceId()}/health`);
  assert.deepEqual([health.openSpans, health.lostSpans, health.roots, health.orphans], [2, 0, 1, 0]);
  const bytes = await (await fetch(`${url}/api/traces/${traceId()}/skeleton`)).arrayBuffer();
  const { spans } = decodeSkeleton(bytes);
  assert.deepEqual(
    spans.map((span) => [span.spanId, span.parent, span.flags & 4]),
    [
      [spanId(1), -1, 4],
      [spanId(2), 0, 4],
    ],
  );
  const details = await get<SpanDetails>(url, `/api/traces/${traceId()}/spans?ids=${spanId(2)}`);
  assert.equal(details.spans[0]?.span.endTimeUnixNano, "0");
  assert.deepEqual(await get(url, `/api/traces/${traceId()}`), { resourceSpans: [] });
});

test("a closing beats a start, a real end beats a closing, and nothing beats a real end", async (t) => {
  const { url } = await useCollector(t);
  const lost = { attributes: { "weft.outcome": "lost" }, status: { code: 2 } };
  await told(url, report({ starts: starts({ id: 1 }) }));
  await store(url, request([{ id: 1, name: "closing", end: 5, ...lost }]));
  const summary = async (): Promise<readonly unknown[]> => {
    const found = await get<TraceSummary>(url, `/api/traces/${traceId()}/summary`);
    const { openSpans, lostSpans } = await get<TraceHealth>(url, `/api/traces/${traceId()}/health`);
    return [found.rootName, found.state, found.spanCount, found.errorCount, openSpans, lostSpans];
  };
  assert.deepEqual(await summary(), ["closing", "LOST", 1, 1, 0, 1]);
  await store(url, request([{ id: 1, name: "real", end: 9 }]));
  assert.deepEqual(await summary(), ["real", "OK", 1, 0, 0, 0]);
  await store(url, request([{ id: 1, name: "closing", end: 5, ...lost }]));
  await told(url, report({ starts: starts({ id: 1 }) }));
  assert.deepEqual(await summary(), ["real", "OK", 1, 0, 0, 0]);
});

test("a process that falls silent is lost with what it had open, and runs again when it is heard again", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 300 });
  await told(url, report({ ended: 7, dropped: 2, starts: starts({ id: 1 }, { id: 2, parent: 1 }) }));
  await store(url, request([{ id: 3, parent: 1 }]));
  assert.equal(await state(url), "RUNNING");
  await until(async () => (await state(url)) === "LOST");
  const lost = await get<TraceList>(url, "/api/traces?filter=trace.status%20%3D%20'LOST'");
  assert.equal(lost.traces.length, 1);
  assert.deepEqual(
    (await get<TraceList>(url, "/api/traces?filter=trace.status%20%3D%20'RUNNING'")).traces,
    [],
  );
  const health = await get<TraceHealth>(url, `/api/traces/${traceId()}/health`);
  assert.deepEqual([health.ok, health.openSpans, health.lostSpans], [false, 0, 2]);
  // 7 ended, 2 of them were dropped, none is stored: the one above came from a process that names no instance.
  assert.equal(health.droppedSpans, 7);
  const { instances } = await get<InstanceList>(url, "/api/instances");
  assert.deepEqual(
    instances.map((entry) => [
      entry.instance,
      entry.state,
      entry.spansEnded,
      entry.spansDropped,
      entry.spansLost,
    ]),
    [["one", "LOST", 7, 2, 5]],
  );
  await told(url, report({ ended: 7 }));
  assert.equal(await state(url), "RUNNING");
});

test("a process whose spool was taken over, or that says goodbye, has nothing running at once", async (t) => {
  for (const last of [report({ goodbye: true }), report({ instance: "two", adopted: ["one"] })]) {
    const { url } = await useCollector(t);
    await told(url, report({ starts: starts({ id: 1 }) }));
    await told(url, last);
    assert.equal(await state(url), "LOST");
  }
});

test("silence is counted from the collector's own start, and starts outlive it", async (t) => {
  const data = join(await useFolder(t), "traces.db");
  const first = await useCollector(t, { data });
  const epoch = await told(first.url, report({ starts: starts({ id: 1 }) }));
  await first.close();
  const second = await useCollector(t, { data, silenceMs: 300 });
  assert.equal(await state(second.url), "RUNNING");
  await until(async () => (await state(second.url)) === "LOST");
  assert.notEqual(await told(second.url, report()), epoch);
  assert.equal(await state(second.url), "RUNNING");
  await store(second.url, request([{ id: 1, name: "real" }]));
  assert.equal(await state(second.url), "OK");
});

test("text so far can be read until the span ends, however it was cut into reports", async (t) => {
  const { url } = await useCollector(t);
  const text = (at: number, part: string): LiveReport =>
    report({ texts: [{ traceId: traceId(), spanId: spanId(1), at, text: part }] });
  await told(url, { ...text(0, "Once "), starts: starts({ id: 1 }) });
  await told(url, text(5, "upon a"));
  await told(url, text(5, "upon a time"));
  const read = async (): Promise<string | undefined> =>
    (await get<SpanDetails>(url, `/api/traces/${traceId()}/spans?ids=${spanId(1)}`)).spans[0]?.text;
  assert.equal(await read(), "Once upon a time");
  await store(url, request([{ id: 1 }]));
  assert.equal(await read(), undefined);
});

test("a report that is none is refused, and says what is wrong", async (t) => {
  const { url } = await useCollector(t);
  for (const [body, message] of [
    ["{", /not JSON/],
    [[], /must be an object/],
    [{ ...report(), instance: "" }, /instance must be/],
    [{ ...report(), ended: -1 }, /ended must be/],
    [{ ...report(), texts: [{}] }, /texts must be/],
    [{ ...report(), starts: { resourceSpans: 1 } }, /resourceSpans must be/],
  ] as const) {
    const response = await tell(url, body);
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.match(await response.text(), message);
  }
  const simple = await fetch(`${url}/api/live`, { method: "POST", body: JSON.stringify(report()) });
  assert.equal(simple.status, 415);
  assert.deepEqual((await get<TraceList>(url, "/api/traces")).traces, []);
  assert.deepEqual((await get<InstanceList>(url, "/api/instances")).instances, []);
});
