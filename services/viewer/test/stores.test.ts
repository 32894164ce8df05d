import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpanDetails, TraceList, TraceSummary } from "@weft/tracing/http";
import type { ApiClient } from "../src/data/api-client.ts";
import { fail, succeed } from "../src/data/result.ts";
import type { Result } from "../src/data/result.ts";
import { decodeSkeleton } from "../src/data/skeleton.ts";
import { createSpanDetailsStore } from "../src/data/span-details-store.ts";
import { createTraceListStore, mergeTraces } from "../src/data/trace-list-store.ts";
import { createTraceStore } from "../src/data/trace-store.ts";
import { throttle } from "../src/ui/throttle.ts";
import { makeSkeleton } from "./support/make-skeleton.ts";

const away = fail("unreachable", "Nobody answers.", "Start it.");

function summary(traceId: string, second: number, spanCount = 1): TraceSummary {
  const startTime = new Date(Date.UTC(2026, 10, 22, 12, 0, second)).toISOString();
  const rest = {
    rootName: traceId,
    durationMs: 1,
    errorCount: 0,
    services: [],
    agents: [],
    turns: 0,
  } as const;
  return { ...rest, traceId, startTime, spanCount, inputTokens: 0, outputTokens: 0, cost: null, state: "OK" };
}

/** Answers given by hand, in the order asked. */
function byHand<T>() {
  const asked: { readonly about: unknown; readonly answer: (result: Result<T>) => void }[] = [];
  const ask = (about: unknown): Promise<Result<T>> => {
    const { promise, resolve } = Promise.withResolvers<Result<T>>();
    asked.push({ about, answer: resolve });
    return promise;
  };
  return { asked, ask };
}

test("traces stand newest first, each once, with what was told last", () => {
  const known = mergeTraces([], [summary("a", 1), summary("b", 3), summary("c", 2)]);
  assert.deepEqual(
    known.map(({ traceId }) => traceId),
    ["b", "c", "a"],
  );
  const grown = mergeTraces(known, [summary("c", 2, 7), summary("d", 3)]);
  assert.deepEqual(
    grown.map(({ traceId, spanCount }) => [traceId, spanCount]),
    [
      ["b", 1],
      ["d", 1],
      ["c", 7],
      ["a", 1],
    ],
  );
  assert.equal(mergeTraces(known, []), known);
});

test("the list reads page by page, grows at its head, and a refresh does not lose its place", async () => {
  const { asked, ask } = byHand<TraceList>();
  const list = createTraceListStore({ listTraces: (query) => ask(query.pageToken) });
  const first = list.refresh();
  asked[0]?.answer(succeed({ traces: [summary("c", 3), summary("b", 2)], nextPageToken: "p2" }));
  await first;
  assert.equal(list.get().status, "ready");

  const more = list.loadMore();
  void list.loadMore();
  list.add(summary("d", 4));
  asked[1]?.answer(succeed({ traces: [summary("a", 1)] }));
  await more;
  assert.deepEqual(
    list.get().traces.map(({ traceId }) => traceId),
    ["d", "c", "b", "a"],
  );
  assert.equal(list.get().nextPageToken, undefined);

  const again = list.refresh();
  asked[2]?.answer(succeed({ traces: [summary("e", 5)], nextPageToken: "p2" }));
  await again;
  await list.loadMore();
  assert.equal(list.get().traces.length, 5);
  assert.deepEqual(
    asked.map(({ about }) => about),
    [undefined, "p2", undefined],
    "the end was reached: nothing more is asked",
  );
});

test("a failure at first is the page; later it stands beside what was read, and goes with the next success", async () => {
  const { asked, ask } = byHand<TraceList>();
  const list = createTraceListStore({ listTraces: ask });
  const answers = [away, succeed({ traces: [summary("a", 1)] }), away, succeed({ traces: [] })];
  const seen: unknown[] = [];
  for (const [index, answer] of answers.entries()) {
    const done = list.refresh();
    asked[index]?.answer(answer);
    await done;
    const { status, failure, traces } = list.get();
    seen.push([status, failure?.kind, traces.length]);
  }
  assert.deepEqual(seen, [
    ["failed", "unreachable", 0],
    ["ready", undefined, 1],
    ["ready", "unreachable", 1],
    ["ready", undefined, 1],
  ]);
});

test("an answer that comes after the list was left changes nothing", async () => {
  const { asked, ask } = byHand<TraceList>();
  const list = createTraceListStore({ listTraces: ask });
  const done = list.refresh();
  list.dispose();
  asked[0]?.answer(succeed({ traces: [summary("a", 1)] }));
  await done;
  assert.equal(list.get().status, "loading");
});

const detail = (spanId: string) =>
  ({ span: { spanId }, service: "one", resource: {}, scope: {} }) as unknown as SpanDetails["spans"][number];

test("details asked for together go in one request, each span once", async () => {
  const { asked, ask } = byHand<SpanDetails>();
  const store = createSpanDetailsStore({ spans: (_, ids) => ask(ids) }, "t");
  for (const id of ["a", "b", "a", "gone"]) store.ask(id);
  await Promise.resolve();
  assert.deepEqual(
    asked.map(({ about }) => about),
    [["a", "b", "gone"]],
  );
  asked[0]?.answer(succeed({ spans: [detail("a"), detail("b")], messages: {} }));
  await new Promise(setImmediate);
  assert.deepEqual(
    [...store.get()].map(([id, { status }]) => [id, status]),
    [
      ["a", "ready"],
      ["b", "ready"],
      ["gone", "failed"],
    ],
  );
  store.ask("a");
  store.ask("gone");
  await Promise.resolve();
  assert.deepEqual(asked[1]?.about, ["gone"], "what failed may be asked again, what is known is not");
});

test("many details go in several requests and only so many are kept", async () => {
  const sizes: number[] = [];
  const spans = (_: string, ids: readonly string[]) => {
    sizes.push(ids.length);
    return Promise.resolve(succeed({ spans: ids.map(detail), messages: {} }));
  };
  const store = createSpanDetailsStore({ spans }, "t");
  for (let index = 0; index < 620; index++) store.ask(String(index));
  await new Promise(setImmediate);
  assert.equal(Math.max(...sizes), 50);
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    620,
  );
  assert.ok(store.get().size <= 500);
  assert.equal(store.get().get("619")?.status, "ready");
});

test("the tree is shown before the rest came, and a growing trace is read once more after a read", async () => {
  const tree = decodeSkeleton(makeSkeleton([{ id: "01", parent: -1 }]));
  const gate = Promise.withResolvers<void>();
  const calls: string[] = [];
  const rest = async () => {
    await gate.promise;
    return away;
  };
  const client = {
    skeleton: () => (calls.push("skeleton"), Promise.resolve(tree)),
    summary: rest,
    transcript: rest,
    health: rest,
  } as unknown as ApiClient;
  const trace = createTraceStore(client, "t");
  const read = trace.refresh();
  void trace.refresh();
  void trace.refresh();
  await new Promise(setImmediate);
  assert.equal(trace.get().status, "ready");
  assert.equal(trace.get().transcript, undefined);
  gate.resolve();
  await read;
  assert.deepEqual(calls, ["skeleton", "skeleton"]);
  assert.equal(trace.get().transcript?.ok, false);
});

test("a trace that cannot be read any more stays in sight, with the failure beside it", async () => {
  const answers = [decodeSkeleton(makeSkeleton([{ id: "01", parent: -1 }])), away];
  const rest = () => Promise.resolve(away);
  const client = {
    skeleton: () => Promise.resolve(answers.shift()),
    summary: rest,
    transcript: rest,
    health: rest,
  } as unknown as ApiClient;
  const trace = createTraceStore(client, "t");
  await trace.refresh();
  await trace.refresh();
  const { status, skeleton, failure } = trace.get();
  assert.deepEqual([status, skeleton?.count, failure?.kind], ["ready", 1, "unreachable"]);
});

test("throttled work runs at once, at most once a while, and the last ask is never lost", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let runs = 0;
  const { ask, cancel } = throttle(() => (runs += 1), 100);
  ask();
  ask();
  ask();
  assert.equal(runs, 1);
  context.mock.timers.tick(100);
  assert.equal(runs, 2);
  context.mock.timers.tick(500);
  assert.equal(runs, 2);
  ask();
  ask();
  cancel();
  context.mock.timers.tick(500);
  assert.equal(runs, 3);
});
