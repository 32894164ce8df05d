/** Streams and generators whose reader does not come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import OpenAI from "openai";
import { autolog, trace, withSpan } from "../src/index.ts";
import { captureSpans } from "../src/internal.ts";
import { startTracing } from "../src/node.ts";
import { startOpenAiServer } from "./support/openai-server.ts";
import { startOtlpServer } from "./support/otlp-server.ts";

const limitMs = 600_000;

function mockTimers(t: TestContext): { tick: (milliseconds: number) => void } {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  return {
    tick(milliseconds) {
      now += milliseconds;
      t.mock.timers.tick(milliseconds);
    },
  };
}

const count = trace(
  async function* count(to: number) {
    for (let number = 1; number <= to; number += 1) yield number;
  },
  { outputs: (chunks) => (chunks as number[]).join(" ") },
);

test("A traced async generator that nobody reads on ends after ten minutes as abandoned, with what it yielded", async (t) => {
  using capture = captureSpans();
  const clock = mockTimers(t);
  const numbers = count(3);
  await numbers.next();
  clock.tick(limitMs - 1);
  await numbers.next();
  clock.tick(limitMs - 1);
  assert.equal(capture.spans().length, 0, "each step counts anew");
  clock.tick(1);
  const [span] = capture.spans();
  assert.deepEqual(
    [span?.name, span?.attributes["weft.outcome"], span?.attributes["weft.outputs"], span?.status.code],
    ["count", "abandoned", '"1 2"', 0],
  );
  assert.deepEqual(await Array.fromAsync(numbers), [3], "who comes back late goes on, untraced");
  assert.equal(capture.spans().length, 1);
});

test("A generator that was never read at all ends too, and one that is returned before its first step ends at once", async (t) => {
  using capture = captureSpans();
  const clock = mockTimers(t);
  const numbers = count(3);
  await numbers.return(undefined);
  assert.deepEqual(
    capture.spans().map(({ attributes }) => attributes["weft.outcome"]),
    [undefined],
  );
  const sync = trace(function* letters() {
    yield "a";
    yield "b";
  });
  const letters = sync();
  assert.deepEqual(
    [
      sync().toArray(),
      sync()
        .map((letter) => letter + letter)
        .toArray(),
    ],
    [
      ["a", "b"],
      ["aa", "bb"],
    ],
  );
  assert.equal(letters.next().value, "a");
  count(3);
  clock.tick(limitMs);
  assert.deepEqual(
    capture.spans().map(({ name, attributes }) => [name, attributes["weft.outcome"]]),
    [
      ["count", undefined],
      ["letters", undefined],
      ["letters", undefined],
      ["letters", "abandoned"],
      ["count", "abandoned"],
    ],
  );
});

test("A source that takes its time is not idle: its reader waits", async (t) => {
  using capture = captureSpans();
  const clock = mockTimers(t);
  const slow = Promise.withResolvers<string>();
  const stream = withSpan("slow", async function* slowly() {
    yield await slow.promise;
  });
  const step = stream.next();
  clock.tick(limitMs * 10);
  assert.equal(capture.spans().length, 0);
  slow.resolve("done");
  assert.equal((await step).value, "done");
  await stream.next();
  assert.equal(capture.spans()[0]?.attributes["weft.outcome"], undefined);
});

test("An autologged stream that nobody reads on is abandoned with the text so far", async (t) => {
  await using server = await startOpenAiServer();
  using capture = captureSpans();
  const openai = autolog.openai(new OpenAI({ apiKey: "test", baseURL: server.baseURL }));
  const messages = [{ role: "user", content: "hi" }] as const;
  const clock = mockTimers(t);
  const stream = await openai.chat.completions.create({
    model: "gpt-5-mini",
    messages: [...messages],
    stream: true,
  });
  const chunks = stream[Symbol.asyncIterator]();
  for (let read = 0; read < 2; read += 1) await chunks.next();
  clock.tick(limitMs);
  const [span] = capture.spans();
  assert.match(String(span?.attributes["gen_ai.output.messages"]), /"content":"[^"]+"/);
  assert.deepEqual([span?.attributes["weft.outcome"], span?.status.code], ["abandoned", 0]);
});

test("streamIdleMs says how long", async () => {
  await using server = await startOtlpServer();
  await using _ = startTracing({ endpoint: server.url, streamIdleMs: 1 });
  await count(3).next();
  await server.received(1);
  assert.equal(server.spans[0]?.attributes["weft.outcome"], "abandoned");
});
