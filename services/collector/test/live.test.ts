import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveReport, LiveSpan, OtlpSpan, OtlpTraces, TraceSummary } from "@weft/tracing/http";
import { baseMs, request, spanId, traceId } from "./support/otlp.ts";
import { store, useCollector } from "./support/use-collector.ts";

interface LiveEvent {
  readonly name: string;
  readonly data: unknown;
}

/** The events of an SSE answer, as they come; resolves once the stream is open. */
async function openFeed(url: string): Promise<{ next: () => Promise<LiveEvent>; stop: () => void }> {
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const block = async (): Promise<string> => {
    for (let at = text.indexOf("\n\n"); ; at = text.indexOf("\n\n")) {
      if (at >= 0) {
        const found = text.slice(0, at);
        text = text.slice(at + 2);
        return found;
      }
      const { value, done } = await reader.read();
      assert.equal(done, false);
      text += value ?? "";
    }
  };
  assert.equal(await block(), ": open");
  const next = async (): Promise<LiveEvent> => {
    const match = /^event: (.+)\ndata: (.+)$/.exec(await block());
    assert.ok(match);
    return { name: match[1] ?? "", data: JSON.parse(match[2] ?? "") };
  };
  return { next, stop: () => stop.abort() };
}

test("live readers are told of spans and of the trace they changed, after it is stored", async (t) => {
  const { url } = await useCollector(t);
  const feed = await openFeed(`${url}/api/live`);
  await store(url, request([{ id: 2, parent: 1, name: "step", start: 5, end: 8, status: { code: 2 } }]));
  const span = await feed.next();
  assert.equal(span.name, "span-end");
  assert.deepEqual(span.data, {
    traceId: traceId(),
    spanId: spanId(2),
    parentSpanId: spanId(1),
    name: "step",
    service: "desk",
    type: "",
    kind: 1,
    startTime: new Date(baseMs + 5).toISOString(),
    durationMs: 3,
    error: true,
  });
  const trace = await feed.next();
  assert.equal(trace.name, "trace");
  assert.equal((trace.data as TraceSummary).state, "RUNNING");
  await store(url, request([{ id: 1, name: "root" }]));
  assert.equal((await feed.next()).name, "span-end");
  const ended = (await feed.next()).data as TraceSummary;
  assert.deepEqual([ended.rootName, ended.state, ended.spanCount], ["root", "OK", 2]);
  feed.stop();
});

test("a reader of one trace hears of no other, and duplicates are no news", async (t) => {
  const { url } = await useCollector(t);
  const feed = await openFeed(`${url}/api/live?traceId=${traceId(2)}`);
  await store(url, request([{ id: 1, trace: 1 }]));
  await store(url, request([{ id: 1, trace: 2, name: "mine" }]));
  await store(url, request([{ id: 1, trace: 2, name: "mine" }]));
  await store(url, request([{ id: 3, trace: 2, name: "next" }]));
  const events = [await feed.next(), await feed.next(), await feed.next()];
  assert.deepEqual(
    events.map(({ name, data }) => [name, (data as LiveSpan).name]),
    [
      ["span-end", "mine"],
      ["trace", undefined],
      ["span-end", "next"],
    ],
  );
  feed.stop();
});

test("a reader hears of a span that began, once, and then of its end", async (t) => {
  const { url } = await useCollector(t);
  const feed = await openFeed(`${url}/api/live`);
  const start = openSpan(1);
  for (let time = 0; time < 2; time += 1) await report(url, { starts: startsOf(start) });
  await store(url, request([{ id: 1, name: "root" }]));
  const events: string[] = [];
  while (events.at(-1) !== "span-end") events.push((await feed.next()).name);
  assert.deepEqual(events, ["span-start", "trace", "span-end"]);
  feed.stop();
});

function openSpan(trace: number): OtlpSpan {
  return {
    traceId: traceId(trace),
    spanId: spanId(1),
    name: "root",
    startTimeUnixNano: String(BigInt(baseMs) * 1_000_000n),
    endTimeUnixNano: "0",
  };
}

function startsOf(...spans: readonly OtlpSpan[]): OtlpTraces {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}

async function report(url: string, more: Partial<LiveReport>): Promise<void> {
  const body: LiveReport = { instance: "one", service: "desk", clock: baseMs, ended: 0, dropped: 0, ...more };
  const response = await fetch(`${url}/api/live`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.text());
}

/** The states that are told of, by trace, until `count` of them were. */
async function statesTold(
  feed: Awaited<ReturnType<typeof openFeed>>,
  count: number,
): Promise<readonly string[]> {
  const states: string[] = [];
  while (states.length < count) {
    const { name, data } = await feed.next();
    if (name === "trace")
      states.push(`${(data as TraceSummary).traceId.at(-1)} ${(data as TraceSummary).state}`);
  }
  return states;
}

test("a reader hears that a trace is lost when its process falls silent, and that it runs when it is heard again", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 500 });
  await report(url, { starts: startsOf(openSpan(1)), goodbye: true });
  const quiet = await openFeed(`${url}/api/live?traceId=${traceId(1)}`);
  const feed = await openFeed(`${url}/api/live?traceId=${traceId(2)}`);
  await report(url, { instance: "two", starts: startsOf(openSpan(2)) });
  assert.deepEqual(await statesTold(feed, 2), ["2 RUNNING", "2 LOST"]);
  await report(url, { instance: "two" });
  assert.deepEqual(await statesTold(feed, 2), ["2 RUNNING", "2 LOST"]);
  await store(url, request([{ id: 1, trace: 1, name: "root" }]));
  assert.equal((await quiet.next()).name, "span-end", "what was lost before somebody listened is no news");
  feed.stop();
  quiet.stop();
});

test("a reader hears at once that a trace is lost when its process says goodbye with open spans, or its spool is taken over", async (t) => {
  const { url } = await useCollector(t, { silenceMs: 1e9 });
  const feed = await openFeed(`${url}/api/live`);
  await report(url, { starts: startsOf(openSpan(1)) });
  await report(url, { instance: "two", starts: startsOf(openSpan(2)) });
  await report(url, { goodbye: true });
  await report(url, { instance: "three", adopted: ["two"] });
  assert.deepEqual(await statesTold(feed, 4), ["1 RUNNING", "2 RUNNING", "1 LOST", "2 LOST"]);
  feed.stop();
});
