/** Streams as the client reads them: backpressure, leaving, aborting, and the connection they share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WeftError } from "@weft/tracing";
import { defineAgent } from "../src/agent/index.ts";
import { StreamAnswer } from "../src/client/stream-answer.ts";
import { connect } from "../src/index.ts";
import { sendRequest } from "./requests.ts";
import { bindings, echo, hasCode, heldAgent, startService } from "./support.ts";

const timeout = 30_000;
const request = sendRequest("go");

/** What undici gives to a handler. */
function createController() {
  const calls: string[] = [];
  const controller = {
    paused: false,
    aborted: false,
    reason: null as Error | null,
    calls,
    pause: () => {
      controller.paused = true;
      calls.push("pause");
    },
    resume: () => {
      controller.paused = false;
      calls.push("resume");
    },
    abort: (reason: Error) => {
      controller.aborted = true;
      controller.reason = reason;
      calls.push("abort");
    },
  };
  return controller;
}

const reading = {
  read: (event: { data: string }): unknown => event.data.length,
  refuse: (text: string, status: number): never => {
    throw new WeftError("protocol_error", `${status} ${text}`);
  },
};

function openAnswer(signal?: AbortSignal) {
  const answer = new StreamAnswer(reading, 1_000_000, signal);
  const controller = createController();
  answer.onRequestStart(controller);
  answer.onResponseStart(controller, 200, { "content-type": "text/event-stream; charset=utf-8" });
  const send = (size: number): void =>
    answer.onResponseData(controller, Buffer.from(`data: ${"x".repeat(size)}\n\n`));
  return { answer, controller, send };
}

test("a stream whose reader is behind pauses its connection, and goes on when most of it is read", () => {
  const { answer, controller, send } = openAnswer();
  for (let count = 0; count < 7; count++) send(10_000);
  assert.deepEqual(controller.calls, ["pause"]);
  for (const expected of [0, 0, 0, 1]) {
    assert.equal(answer.take(), 10_000);
    assert.equal(controller.calls.length, 1 + expected);
  }
  assert.deepEqual(controller.calls, ["pause", "resume"]);
});

test("events without a text pause the connection too, when they are many", () => {
  const { controller, send } = openAnswer();
  for (let count = 0; count < 10_000; count++) send(0);
  assert.ok(controller.calls.includes("pause"));
});

test("what arrived before a connection broke is read, and then the error", () => {
  const { answer, controller, send } = openAnswer();
  send(1);
  answer.onResponseError(controller, new Error("broken"));
  assert.equal(answer.take(), 1);
  assert.equal(answer.isOver, true);
  assert.throws(() => answer.take(), /broken/);
});

test("a stream that is given up drops what waits, ends its request once, and wakes its reader", async () => {
  const aborting = new AbortController();
  const { answer, controller, send } = openAnswer(aborting.signal);
  const waiting = answer.ready();
  aborting.abort();
  await waiting;
  assert.throws(() => answer.take(), hasCode("aborted"));
  send(1);
  answer.cancel();
  assert.deepEqual(controller.calls, ["abort"]);

  const left = openAnswer();
  left.send(1);
  left.answer.cancel();
  assert.equal(left.answer.take(), undefined);
  assert.equal(left.answer.isOver, true);
  assert.deepEqual(left.controller.calls, ["abort"]);
});

test("an answer that is no stream is refused with what it says", () => {
  const answer = new StreamAnswer(reading, 10, undefined);
  const controller = createController();
  answer.onRequestStart(controller);
  answer.onResponseStart(controller, 503, { "content-type": "text/plain" });
  answer.onResponseData(controller, Buffer.from("too "));
  answer.onResponseData(controller, Buffer.from("busy"));
  answer.onResponseEnd();
  assert.throws(() => answer.take(), /503 too busy/);
});

// The SDK's gRPC transport is a generator: there leaving waits for the step before it.
for (const binding of ["jsonrpc", "rest", "ws"] as const) {
  test(`${binding}: a reader that leaves while it waits is not kept waiting`, { timeout }, async () => {
    const { agent, release } = heldAgent([], ["first"]);
    await using service = await startService(agent);
    await using client = await connect(service.url, { binding });
    const stream = client.sendMessageStream(request);
    for (let step = await stream.next(); step.value?.payload?.$case !== "artifactUpdate";) {
      step = await stream.next();
    }
    const waiting = stream.next();
    await stream.return();
    assert.equal((await waiting).done, true);
    assert.equal((await stream.next()).done, true);
    release();
  });
}

for (const binding of bindings) {
  test(`${binding}: a stream that nobody reads is never begun`, { timeout }, async () => {
    let turns = 0;
    const counts = defineAgent({
      name: "counts",
      async *respond() {
        turns++;
        yield "x";
      },
    });
    await using service = await startService(counts);
    await using client = await connect(service.url, { binding });
    const left = client.sendMessageStream(request);
    await left.return();
    assert.equal((await left.next()).done, true);
    assert.equal(turns, 0);
    assert.equal(
      (await Array.fromAsync(client.sendMessageStream(request))).at(-1)?.payload?.$case,
      "statusUpdate",
    );
    assert.equal(turns, 1);
  });
}

test(
  "what no frame can say fails its call, before and after there is a connection",
  { timeout },
  async () => {
    await using service = await startService(echo);
    await using client = await connect(service.url, { binding: "ws" });
    const circular: Record<string, unknown> = {};
    circular["itself"] = circular;
    const bad = sendRequest("go");
    bad.metadata = { circular };
    for (const _ of ["before", "after"]) {
      await assert.rejects(client.sendMessage(bad), WeftError);
      await assert.rejects(Array.fromAsync(client.sendMessageStream(bad)), WeftError);
      assert.equal(await client.ask("x"), "x ");
    }
  },
);
