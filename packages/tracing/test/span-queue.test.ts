import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { claim } from "../src/content/recorded-ids.ts";
import { DeferredJsonList } from "../src/content/deferred-json.ts";
import { Delivery } from "../src/export/delivery.ts";
import { DropLedger } from "../src/export/drop-ledger.ts";
import type { SendResult } from "../src/export/http-sender.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import { SpanEncoder } from "../src/export/span-encoder.ts";
import { SpanQueue } from "../src/export/span-queue.ts";
import { spansOf } from "./support/decode-otlp.ts";
import { spanRecord } from "./support/span-record.ts";

const bounds = { maxSpans: 10_000, maxBytes: 10_000_000 };
const delivered: SendResult = { kind: "delivered", rejected: 0, reason: "", body: Buffer.alloc(0) };

function openQueue(ledger = new DropLedger(() => {})): SpanQueue {
  const writer = new OtlpWriter({ "service.name": "test" }, "");
  const encoder = new SpanEncoder();
  return new SpanQueue(
    { write: (spans, texts) => writer.write(spans, texts), encode: (record) => encoder.encode(record) },
    bounds,
    ledger,
  );
}

async function requestOf(queue: SpanQueue): Promise<Buffer> {
  const batch = await queue.next();
  return Buffer.concat((await batch?.encode(0, batch.size)) ?? []);
}

test("A span encoded ahead leaves as the very bytes of one encoded when it is sent, and takes less memory", async () => {
  const records = [
    spanRecord({ attributes: { id: "漢".repeat(20), kind: "step", list: ["a", "b"], at: 1 } }),
    spanRecord({ scope: { name: "other" }, attributes: { long: "x".repeat(20_000) } }),
    spanRecord({ traceState: "a=b", parentSpanId: "00f067aa0ba902b7", attributes: { kind: "step" } }),
  ];
  const [late, ahead] = [openQueue(), openQueue()];
  for (const record of records) ahead.offer(record);
  const { bytes } = ahead;
  await setImmediate();
  for (const record of records) late.offer(record);
  assert.ok(ahead.bytes < bytes);
  assert.deepEqual(await requestOf(ahead), await requestOf(late));
});

test("Of spans encoded ahead, too, the first one that leaves tells how many were lost", async () => {
  const ledger = new DropLedger(() => {});
  const queue = openQueue(ledger);
  for (let index = 0; index < 3; index += 1) queue.offer(spanRecord({ attributes: { index } }));
  await setImmediate();
  ledger.add(7, "for a test");
  const attributes = spansOf(await requestOf(queue)).map((span) => ({ ...span.attributes }));
  assert.deepEqual(attributes, [{ index: 0, "weft.dropped_spans": 7 }, { index: 1 }, { index: 2 }]);
});

test("The texts of a span that was encoded ahead and then dropped may be recorded again", async () => {
  const messages = new DeferredJsonList();
  messages.add('{"id":"m1"}', 11, "m1");
  const record = spanRecord({ attributes: { "gen_ai.input.messages": messages } });
  assert.equal(claim(record.traceId, "m1"), true);
  const queue = openQueue();
  queue.offer(record);
  await setImmediate();
  queue.close();
  assert.equal(claim(record.traceId, "m1"), true);
});

/** A delivery whose requests are answered by `answer`, under a clock that only the test moves. */
function openDelivery(context: TestContext): {
  readonly end: (count: number) => void;
  readonly delivery: Delivery;
  readonly sizes: number[];
  readonly answer: () => Promise<void>;
} {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const ledger = new DropLedger(() => {});
  const source = openQueue(ledger);
  const sizes: number[] = [];
  const waiting: ((result: SendResult) => void)[] = [];
  const sender = {
    send: (segments: readonly Uint8Array[]): Promise<SendResult> => {
      sizes.push(spansOf(Buffer.concat(segments)).length);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: () => {},
  };
  const common = { name: "test", patient: false, giveUpMs: 1000, warn: () => {} };
  const delivery = new Delivery({ source, sender, ledger, ...common });
  const end = (count: number): void => {
    for (let index = 0; index < count; index += 1) source.offer(spanRecord());
    delivery.wake(source.hasBatch);
  };
  const answer = async (): Promise<void> => {
    const { batches } = delivery.counts;
    while (waiting.length === 0) await setImmediate();
    waiting.shift()?.(delivered);
    while (delivery.counts.batches === batches) await setImmediate();
  };
  return { end, delivery, sizes, answer };
}

test("Spans that end while a request is under way wait for company, as others do", async (context) => {
  const { end, sizes, answer } = openDelivery(context);
  end(600);
  context.mock.timers.tick(0);
  while (sizes.length === 0) await setImmediate();
  end(5);
  await answer();
  end(1);
  assert.deepEqual(sizes, [512]);
  context.mock.timers.tick(250);
  await answer();
  assert.deepEqual(sizes, [512, 94]);
});

test("A flush sends all that ended before it, though a request is under way, and does not wait for what ends later", async (context) => {
  const { end, delivery, sizes, answer } = openDelivery(context);
  end(3);
  context.mock.timers.tick(250);
  while (sizes.length === 0) await setImmediate();
  end(5);
  const flushed = delivery.flush(60_000);
  await answer();
  while (sizes.length === 1) await setImmediate();
  end(2);
  await answer();
  assert.equal(await flushed, true);
  assert.deepEqual(sizes, [3, 5]);
  assert.equal(delivery.pending, 2);
});
