import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { createApiClient } from "../src/data/api-client.ts";
import { createLiveHub } from "../src/data/live-hub.ts";
import type { LiveEvent } from "../src/data/live-feed.ts";
import { readServerSentEvents } from "../src/data/server-sent-events.ts";
import { useServer } from "./support/use-server.ts";

async function read(...chunks: readonly string[]): Promise<readonly unknown[]> {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
  return Array.fromAsync(readServerSentEvents(ReadableStream.from(bytes) as ReadableStream<Uint8Array>));
}

test("events are read whatever the chunks, line ends, comments and fields", async () => {
  const expected = [
    { event: "trace", data: "{}" },
    { event: "message", data: "one\ntwo" },
  ];
  const text = ": hello\n\nevent: trace\ndata: {}\nid: 7\n\ndata:one\ndata: two\n\ndata: cut off";
  assert.deepEqual(await read(text), expected);
  assert.deepEqual(await read(...text.split("")), expected);
  assert.deepEqual(await read(text.replaceAll("\n", "\r\n")), expected);
});

test("a character cut in two by the network is whole again", async () => {
  const bytes = new TextEncoder().encode("data: é\n\n");
  const stream = ReadableStream.from([bytes.slice(0, 7), bytes.slice(7)]) as ReadableStream<Uint8Array>;
  assert.deepEqual(await Array.fromAsync(readServerSentEvents(stream)), [{ event: "message", data: "é" }]);
});

/** Resolves when `condition` holds; told of every change by `check`. */
function until(condition: () => boolean): { readonly reached: Promise<void>; readonly check: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, check: () => condition() && resolve() };
}

test("traces and spans are heard as they come; what is not understood is passed over", async () => {
  await using server = await useServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(
      'event: trace\ndata: {"traceId":"t1"}\n\nevent: trace\ndata: {broken\n\nevent: news\ndata: {}\n\n',
    );
    response.write('event: span-end\ndata: {"spanId":"s1"}\n\n');
  });
  const hub = createLiveHub(createApiClient({ base: server.url }));
  const events: LiveEvent[] = [];
  const heard = until(() => events.length === 2);
  hub.listen({ onEvent: (event) => (events.push(event), heard.check()), onPoll: () => undefined });
  hub.start();
  await heard.reached;
  assert.deepEqual(
    events.map(({ type }) => type),
    ["trace", "span-end"],
  );
  assert.equal(hub.state.get(), "live");
  hub.stop();
});

test("a lost connection is polled over, taken up again, and what came between is asked for", async () => {
  const open: ServerResponse[] = [];
  let refusals = 0;
  await using server = await useServer((_, response) => {
    if (open.length === 1 && refusals < 2) {
      refusals += 1;
      response.writeHead(503).end();
      return;
    }
    open.push(response);
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    if (open.length === 1) response.end();
  });
  const hub = createLiveHub(createApiClient({ base: server.url }), 1);
  const states: string[] = [];
  const back = until(() => states.at(-1) === "live" && open.length === 2);
  let polls = 0;
  hub.listen({ onEvent: () => undefined, onPoll: () => (polls += 1) });
  hub.state.subscribe(() => (states.push(hub.state.get()), back.check()));
  hub.start();
  await back.reached;
  assert.deepEqual(states, ["live", "polling", "live"]);
  assert.equal(refusals, 2);
  // Once when each connection opened is the least; then at each beat between.
  assert.ok(polls >= 4, String(polls));
  hub.stop();
});

test("a stopped hub lets its connection go and asks no more", async () => {
  const closed = Promise.withResolvers<void>();
  let requests = 0;
  await using server = await useServer((request, response) => {
    requests += 1;
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    request.once("close", closed.resolve);
  });
  const hub = createLiveHub(createApiClient({ base: server.url }), 1);
  const live = until(() => hub.state.get() === "live");
  hub.state.subscribe(live.check);
  hub.start();
  hub.start();
  await live.reached;
  hub.stop();
  await closed.promise;
  assert.equal(requests, 1);
});
