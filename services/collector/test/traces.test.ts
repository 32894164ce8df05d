import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtlpTraces, ServiceList, SpanDetails, TraceHealth, TraceList } from "@weft/tracing/http";
import { Attr, Outcomes, SpanTypes } from "@weft/tracing/vocabulary";
import { decodeSkeleton } from "./support/decode-skeleton.ts";
import type { Skeleton } from "./support/decode-skeleton.ts";
import { baseMs, nanoseconds, recorded, request, requests, spanId, traceId } from "./support/otlp.ts";
import { get, store, useCollector } from "./support/use-collector.ts";

const agent = (name: string) => ({ [Attr.spanType]: SpanTypes.agent, [Attr.agentName]: name });
const model = (input: number, output: number) => ({
  [Attr.spanType]: SpanTypes.llm,
  [Attr.usageInputTokens]: input,
  [Attr.usageOutputTokens]: output,
});

async function status(
  url: string,
  path: string,
  method = "GET",
): Promise<{ status: number; message: string }> {
  const response = await fetch(url + path, { method });
  const body = (await response.json()) as { error?: { message: string } };
  return { status: response.status, message: body.error?.message ?? "" };
}

async function skeleton(url: string): Promise<Skeleton> {
  const response = await fetch(`${url}/api/traces/${traceId()}/skeleton`);
  assert.equal(response.headers.get("content-type"), "application/octet-stream");
  return decodeSkeleton(await response.arrayBuffer());
}

test("a summary tells root, time, services, agents, turns and tokens, whatever order spans arrive in", async (t) => {
  const desk = [
    {
      id: 1,
      name: "conversation user",
      start: 0,
      end: 100,
      attributes: { [Attr.spanType]: SpanTypes.conversation },
    },
    {
      id: 2,
      parent: 1,
      name: "invoke_agent calculator",
      kind: 3,
      start: 10,
      end: 60,
      attributes: agent("calculator"),
    },
    { id: 5, parent: 1, name: "invoke_agent writer", start: 60, end: 90, attributes: agent("writer") },
    {
      id: 6,
      parent: 5,
      name: "chat m",
      start: 61,
      end: 80,
      attributes: { ...model(7, 3), [Attr.cost]: 0.25 },
    },
  ];
  const calculator = [
    { id: 3, parent: 2, name: "SendMessage", kind: 2, start: 20, end: 50 },
    {
      id: 4,
      parent: 3,
      name: "invoke_agent calculator",
      start: 21,
      end: 49,
      attributes: agent("calculator"),
    },
    { id: 7, parent: 4, name: "chat m", start: 22, end: 40, attributes: model(100, 20), status: { code: 2 } },
  ];
  const orders = [
    [requests(["desk", desk], ["calculator", calculator])],
    [...desk, ...calculator].map((span) =>
      request([span], desk.includes(span as never) ? "desk" : "calculator"),
    ),
    [...calculator, ...desk]
      .reverse()
      .map((span) => request([span], desk.includes(span as never) ? "desk" : "calculator")),
  ];
  for (const bodies of orders) {
    const { url } = await useCollector(t);
    for (const body of bodies) await store(url, body);
    const { traces } = await get<TraceList>(url, "/api/traces");
    const [summary] = traces;
    assert.deepEqual(
      { ...summary, services: summary?.services.toSorted(), agents: summary?.agents.toSorted() },
      {
        traceId: traceId(),
        rootName: "conversation user",
        startTime: new Date(baseMs).toISOString(),
        durationMs: 100,
        spanCount: 7,
        errorCount: 1,
        services: ["calculator", "desk"],
        agents: ["calculator", "writer"],
        turns: 2,
        inputTokens: 107,
        outputTokens: 23,
        cost: 0.25,
        state: "OK",
      },
    );
  }
});

test("a trace's state is its root's: running until it came, then how it ended", async (t) => {
  const { url } = await useCollector(t);
  await store(url, request([{ id: 2, parent: 1, trace: 1 }]));
  await store(url, request([{ id: 1, trace: 2, status: { code: 2 } }]));
  await store(url, request([{ id: 1, trace: 3, attributes: { [Attr.outcome]: Outcomes.suspended } }]));
  await store(url, request([{ id: 1, trace: 4, attributes: { [Attr.outcome]: Outcomes.cancelled } }]));
  await store(
    url,
    request([{ id: 1, trace: 5, attributes: { [Attr.outcome]: Outcomes.lost }, status: { code: 2 } }]),
  );
  const { traces } = await get<TraceList>(url, "/api/traces");
  const states = Object.fromEntries(traces.map((trace) => [Number.parseInt(trace.traceId, 16), trace.state]));
  assert.deepEqual(states, { 1: "RUNNING", 2: "ERROR", 3: "SUSPENDED", 4: "CANCELLED", 5: "LOST" });
  await store(url, request([{ id: 1, trace: 1 }]));
  const all = await get<TraceList>(url, "/api/traces?filter=" + encodeURIComponent("trace.status = 'OK'"));
  assert.deepEqual(
    all.traces.map((trace) => Number.parseInt(trace.traceId, 16)),
    [1],
  );
});

test("the list is newest first and pages through everything once, also while traces arrive", async (t) => {
  const { url } = await useCollector(t);
  // Pairs share a start time: the key must still be unique.
  for (let trace = 1; trace <= 25; trace += 1)
    await store(url, request([{ id: 1, trace, start: trace >> 1 }]));
  const seen: number[] = [];
  let token: string | undefined;
  let page = 0;
  do {
    const query = token === undefined ? "" : `&pageToken=${encodeURIComponent(token)}`;
    const list: TraceList = await get(url, `/api/traces?pageSize=10${query}`);
    seen.push(...list.traces.map((trace) => Number.parseInt(trace.traceId, 16)));
    token = list.nextPageToken;
    page += 1;
    await store(url, request([{ id: 1, trace: 1000 + page, start: 5000 }]));
  } while (token !== undefined);
  assert.equal(page, 3);
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, index) => 25 - index),
  );
});

test("lists are filtered by service and state, and say what they do not understand", async (t) => {
  const { url } = await useCollector(t);
  await store(url, request([{ id: 1, trace: 1 }], "desk"));
  await store(url, request([{ id: 1, trace: 2, status: { code: 2 } }], "desk"));
  await store(url, requests(["desk", [{ id: 1, trace: 3 }]], ["checker", [{ id: 2, trace: 3, parent: 1 }]]));
  const list = async (filter: string): Promise<number[]> => {
    const { traces } = await get<TraceList>(url, `/api/traces?filter=${encodeURIComponent(filter)}`);
    return traces.map((trace) => Number.parseInt(trace.traceId, 16)).sort((a, b) => a - b);
  };
  assert.deepEqual(await list("service.name = 'checker'"), [3]);
  assert.deepEqual(await list("service.name=\"desk\" AND trace.status = 'ERROR'"), [2]);
  assert.deepEqual(await list("service.name = 'nobody'"), []);
  assert.deepEqual(await get<ServiceList>(url, "/api/services"), {
    services: [
      { name: "checker", traces: 1 },
      { name: "desk", traces: 3 },
    ],
  });
  for (const [query, message] of [
    ["filter=" + encodeURIComponent("tag.env = 'x'"), /tag\.env.*this version knows/],
    ["filter=" + encodeURIComponent("trace.status = 'FINE'"), /'FINE' is no trace\.status/],
    ["pageSize=0", /pageSize/],
    ["pageSize=1001", /pageSize/],
    ["pageToken=x", /pageToken/],
    ["orderBy=cost", /orderBy/],
  ] as const) {
    const answer = await status(url, `/api/traces?${query}`);
    assert.equal(answer.status, 400, query);
    assert.match(answer.message, message);
  }
});

test("a trace comes back grouped by service, spans by start, times to the nanosecond", async (t) => {
  const { url } = await useCollector(t);
  await store(
    url,
    request(
      [
        { id: 3, parent: 1, start: 30 },
        { id: 1, start: 0.001 },
      ],
      "desk",
    ),
  );
  await store(url, request([{ id: 2, parent: 1, start: 20 }], "checker"));
  await store(url, request([{ id: 4, parent: 1, start: 25 }], "desk"));
  const trace = await get<OtlpTraces>(url, `/api/traces/${traceId()}`);
  const names = trace.resourceSpans.map(({ resource, scopeSpans }) => [
    resource?.attributes?.[0]?.value.stringValue,
    scopeSpans.flatMap(({ spans }) => spans.map((span) => span.spanId)),
  ]);
  assert.deepEqual(names, [
    ["desk", [spanId(1), spanId(4), spanId(3)]],
    ["checker", [spanId(2)]],
  ]);
  assert.equal(trace.resourceSpans[0]?.scopeSpans[0]?.spans[0]?.startTimeUnixNano, nanoseconds(0.001));
});

test("the skeleton is the tree in depth-first order, 24 bytes a span, with flags and shapes", async (t) => {
  const { url } = await useCollector(t);
  await store(
    url,
    requests(
      [
        "desk",
        [
          { id: 1, name: "root", start: 0, end: 100, attributes: { [Attr.historyAppends]: ["h:0=m"] } },
          { id: 4, parent: 1, name: "late", start: 50, end: 60 },
          {
            id: 2,
            parent: 1,
            name: "early",
            start: 10,
            end: 40,
            attributes: agent("a"),
            status: { code: 2 },
          },
        ],
      ],
      [
        "checker",
        [
          { id: 3, parent: 2, name: "below early", kind: 2, start: 20, end: 30, flags: 0x301 },
          { id: 5, parent: 99, name: "orphan", kind: 2, start: 70, end: 80 },
        ],
      ],
    ),
  );
  const { traceId: id, start, spans } = await skeleton(url);
  assert.equal(id, traceId());
  assert.equal(start, BigInt(nanoseconds(0)));
  assert.deepEqual(
    spans.map((span) => [span.shape.name, span.parent, span.startMs, span.durationMs, span.flags]),
    [
      ["root", -1, 0, 100, 64],
      ["early", 0, 10, 30, 1],
      ["below early", 1, 20, 10, 128],
      ["late", 0, 50, 10, 0],
      ["orphan", -1, 70, 10, 2],
    ],
  );
  assert.deepEqual(spans[1]?.shape, { name: "early", service: "desk", type: "agent", agent: "a", kind: 1 });
  assert.equal(spans[2]?.spanId, spanId(3));
});

test("a deep trace, a long one, and parents in a circle do not break the skeleton", async (t) => {
  const { url } = await useCollector(t);
  const deep = Array.from({ length: 20_000 }, (_, index) => ({
    id: index + 1,
    ...(index === 0 ? {} : { parent: index }),
  }));
  await store(url, request(deep));
  await store(
    url,
    request([
      { id: 30_001, parent: 30_002 },
      { id: 30_002, parent: 30_001 },
      { id: 30_003, parent: 30_003 },
    ]),
  );
  await store(
    url,
    request([{ id: 40_001, parent: 1, start: 100 * 86_400_000, end: 100 * 86_400_000 + 1000 }]),
  );
  const { spans } = await skeleton(url);
  assert.equal(spans.length, 20_004);
  assert.equal(new Set(spans.map((span) => span.spanId)).size, 20_004);
  for (const [index, span] of spans.entries()) assert.ok(span.parent < index);
  const last = spans.find((span) => span.spanId === spanId(40_001));
  assert.ok(Math.abs((last?.startMs ?? 0) - 100 * 86_400_000) < 10_000);
});

test("health names roots, orphans, broken hops, and spans that are open or lost", async (t) => {
  const { url } = await useCollector(t);
  const health = (): Promise<TraceHealth> => get(url, `/api/traces/${traceId()}/health`);
  await store(url, request([{ id: 1 }, { id: 2, parent: 1, kind: 3 }], "desk"));
  await store(url, request([{ id: 3, parent: 2, kind: 2, flags: 0x301 }], "checker"));
  assert.deepEqual(await health(), {
    ok: true,
    roots: 1,
    orphans: 0,
    brokenHops: [],
    openSpans: 0,
    lostSpans: 0,
    droppedSpans: 0,
  });
  await store(
    url,
    request(
      [
        { id: 4, parent: 77, kind: 2 },
        { id: 5, parent: 78, kind: 1 },
      ],
      "checker",
    ),
  );
  await store(url, request([{ id: 6 }, { id: 7, parent: 1, attributes: { [Attr.outcome]: Outcomes.lost } }]));
  const open = request([{ id: 8, parent: 1 }]);
  const [span] = open.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.ok(span);
  await store(url, { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, endTimeUnixNano: "0" }] }] }] });
  const broken = await health();
  assert.deepEqual(
    { ...broken, brokenHops: broken.brokenHops.map(({ spanId, to }) => [spanId, to]) },
    {
      ok: false,
      roots: 2,
      orphans: 2,
      brokenHops: [[spanId(4), "checker"]],
      openSpans: 1,
      lostSpans: 1,
      droppedSpans: 0,
    },
  );
  assert.match(broken.brokenHops[0]?.reason ?? "", new RegExp(spanId(77)));
});

test("a call that nobody's server span answers is a broken hop until the far service delivers, unless it failed", async (t) => {
  const { url } = await useCollector(t);
  const call = { [Attr.spanType]: SpanTypes.a2a };
  const health = (): Promise<TraceHealth> => get(url, `/api/traces/${traceId()}/health`);
  const spans = [
    { id: 1 },
    { id: 2, parent: 1, attributes: { [Attr.agentName]: "checker" } },
    { id: 3, parent: 2, kind: 3, attributes: call },
    { id: 4, parent: 1, kind: 3, attributes: call, status: { code: 2 } },
  ];
  await store(url, request(spans, "desk"));
  const before = await health();
  assert.equal(before.ok, false);
  assert.deepEqual(
    before.brokenHops.map(({ spanId: id, from, to }) => [id, from, to]),
    [[spanId(3), "desk", "checker"]],
  );
  await store(url, request([{ id: 5, parent: 3, kind: 2 }], "checker"));
  const after = await health();
  assert.deepEqual([after.ok, after.brokenHops], [true, []]);
});

test("what a service reports as dropped is counted, and the trace is no longer sure to be whole", async (t) => {
  const { url } = await useCollector(t);
  await store(url, request([{ id: 1 }, { id: 2, parent: 1, attributes: { [Attr.droppedSpans]: 12 } }]));
  const { ok, droppedSpans } = await get<TraceHealth>(url, `/api/traces/${traceId()}/health`);
  assert.deepEqual([ok, droppedSpans], [false, 12]);
});

test("spans come whole by id, with the messages their context names, through mirrored histories", async (t) => {
  const { url } = await useCollector(t);
  await store(
    url,
    requests(
      [
        "desk",
        [
          {
            id: 1,
            attributes: {
              [Attr.historyAppends]: ["h:0=m0"],
              [Attr.inputMessages]: recorded({ id: "m0", role: "user", text: "hi" }),
            },
          },
          { id: 2, parent: 1, attributes: { [Attr.historyAppends]: ["h:1=m1", "g:0-1=h:0-1", "g:2=m2"] } },
        ],
      ],
      [
        "writer",
        [
          {
            id: 3,
            parent: 2,
            name: "chat m",
            attributes: {
              ...model(1, 1),
              [Attr.context]: ["id:s", "g:0-2", "g:9-9", "?"],
              [Attr.systemInstructions]: JSON.stringify([{ type: "text", id: "s", content: "Be brief." }]),
              [Attr.outputMessages]: recorded({ id: "m1", text: "one" }),
            },
          },
        ],
      ],
    ),
  );
  const ids = [spanId(3), spanId(99), spanId(1)].join(",");
  const details = await get<SpanDetails>(url, `/api/traces/${traceId()}/spans?ids=${ids}`);
  assert.deepEqual(
    details.spans.map(({ span, service }) => [span.spanId, service]),
    [
      [spanId(3), "writer"],
      [spanId(1), "desk"],
    ],
  );
  assert.deepEqual(details.spans[0]?.context, ["s", "m0", "m1", "m2"]);
  assert.deepEqual(details.messages, {
    s: { id: "s", role: "system", parts: [{ type: "text", id: "s", content: "Be brief." }] },
    m0: { id: "m0", role: "user", parts: [{ type: "text", content: "hi" }] },
    m1: { id: "m1", role: "assistant", parts: [{ type: "text", content: "one" }] },
  });
  assert.equal(details.spans[0]?.resource.attributes?.[0]?.value.stringValue, "writer");
});

test("deleted traces are gone from every view, and may come again", async (t) => {
  const { url } = await useCollector(t);
  await store(url, request([1, 2, 3].map((trace) => ({ id: 1, trace }))));
  const deleted = await fetch(`${url}/api/traces?ids=${traceId(1)},${traceId(2)},${traceId(9)}`, {
    method: "DELETE",
  });
  assert.deepEqual(await deleted.json(), { deleted: 2 });
  const one = await fetch(`${url}/api/traces/${traceId(3)}`, { method: "DELETE" });
  assert.deepEqual(await one.json(), { deleted: 1 });
  assert.deepEqual(await get(url, "/api/traces"), { traces: [] });
  assert.deepEqual(await get(url, "/api/services"), { services: [] });
  assert.equal((await status(url, `/api/traces/${traceId(3)}`, "DELETE")).status, 404);
  await store(url, request([{ id: 1, trace: 1 }]));
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.deepEqual(
    traces.map(({ spanCount }) => spanCount),
    [1],
  );
  assert.match((await status(url, "/api/traces?filter=x", "DELETE")).message, /by ids/);
  assert.equal((await status(url, "/api/traces", "DELETE")).status, 400);
});

test("what is not there and what is not an id is answered as JSON", async (t) => {
  const { url } = await useCollector(t);
  for (const view of ["", "/skeleton", `/spans?ids=${spanId(1)}`, "/transcript", "/health", "/summary"]) {
    const answer = await status(url, `/api/traces/${traceId(5)}${view}`);
    assert.deepEqual(answer, { status: 404, message: `no trace ${traceId(5)} is stored` }, view);
  }
  assert.equal((await status(url, "/api/traces/xyz")).status, 400);
  assert.equal((await status(url, `/api/traces/${traceId()}/nothing`)).status, 404);
  assert.equal((await status(url, `/api/traces/${traceId()}/spans`)).status, 400);
  assert.equal((await status(url, `/api/traces/${traceId()}/spans?ids=1`)).status, 400);
  assert.equal((await status(url, "/api/nothing")).status, 404);
  assert.equal((await status(url, "/nothing")).status, 404);
  assert.equal((await status(url, "/api/traces", "PUT")).status, 405);
});

test("stored traces of many spans are read whole", async (t) => {
  const { url } = await useCollector(t);
  const spans = Array.from({ length: 5000 }, (_, index) => ({
    id: index + 1,
    ...(index === 0 ? {} : { parent: 1 }),
  }));
  await Promise.all(
    [0, 1, 2, 3, 4].map((part) => store(url, request(spans.slice(part * 1000, part * 1000 + 1000)))),
  );
  const { traces } = await get<TraceList>(url, "/api/traces");
  assert.equal(traces[0]?.spanCount, 5000);
  const trace = await get<OtlpTraces>(url, `/api/traces/${traceId()}`);
  assert.equal(
    trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)).length,
    5000,
  );
  assert.equal((await get<TraceHealth>(url, `/api/traces/${traceId()}/health`)).ok, true);
});
