import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { boundedJson } from "../src/content/bounded-json.ts";
import { configureContent } from "../src/content/content-settings.ts";
import { DeferredJson } from "../src/content/deferred-json.ts";
import { DeferredText } from "../src/content/deferred-text.ts";
import { estimateBytes } from "../src/export/estimate-bytes.ts";
import { encodeLongTexts } from "../src/export/long-texts.ts";
import { otlpJsonWriter } from "../src/export/otlp-json.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import { undoRecorded } from "../src/export/recorded-in.ts";
import type { OtlpTraces } from "../src/http.ts";
import { redactors, withSpan } from "../src/index.ts";
import { captureSpans, recordInput } from "../src/internal.ts";
import { ownProvider } from "../src/spans/current-tracer.ts";
import { DelegatingSpan } from "../src/spans/delegating-span.ts";
import type { RecordingSpan } from "../src/spans/recording-span.ts";
import type { SpanRecord } from "../src/spans/span-record.ts";
import { WeftTracerProvider } from "../src/spans/weft-tracer-provider.ts";
import { spansOf } from "./support/decode-otlp.ts";
import { spanRecord } from "./support/span-record.ts";

const everything = { attributeBytes: 64 << 20, spanBytes: 64 << 20 };

/** The records that end while `work` runs, as a sink gets them. */
function recordsOf(work: () => void): readonly SpanRecord[] {
  using _tracing = captureSpans();
  configureContent({ policy: "full", redact: [], bodyStore: undefined, ...everything });
  const records: SpanRecord[] = [];
  const sink = { onEnd: (record: SpanRecord): void => void records.push(record) };
  ownProvider()?.addSink(sink);
  try {
    work();
  } finally {
    ownProvider()?.removeSink(sink);
  }
  return records;
}

function jsonOf(text: unknown): unknown {
  return JSON.parse(String(text));
}

const long = "so it goes, he said. ".repeat(500);

test("What happens to a value after it was recorded does not show, however late its JSON is written", () => {
  const bytes = new Uint8Array(3);
  const value = {
    text: long,
    list: [1, { deep: [true] }] as unknown[],
    date: new Date(0),
    map: new Map<string, unknown>([["k", { v: 1 }]]),
    set: new Set([1]),
    big: 12n,
    bytes,
    own: { toJSON: () => ({ own: "json" }) },
  };
  const expected = {
    text: long,
    list: [1, { deep: [true] }],
    date: "1970-01-01T00:00:00.000Z",
    map: { k: { v: 1 } },
    set: [1],
    big: "12",
    bytes: "[3 bytes]",
    own: { own: "json" },
  };
  const [record] = recordsOf(() => withSpan("call", (span) => span.setInputs(value)));
  value.text = "changed";
  (value.list[1] as { deep: unknown[] }).deep.push("changed");
  value.list.push("changed");
  value.date.setTime(1e12);
  (value.map.get("k") as { v: number }).v = 2;
  value.set.add(2);
  value.own.toJSON = () => ({ own: "changed" });
  assert.ok(record?.attributes["weft.inputs"] instanceof DeferredText);
  const [exported] = spansOf(Buffer.concat(new OtlpWriter({}, "").write([record])));
  assert.deepEqual(jsonOf(exported?.attributes["weft.inputs"]), expected);
});

test("A text is counted where it waits without being written, and its string is the caller's own", () => {
  const [record] = recordsOf(() => withSpan("call", (span) => span.setInputs({ long })));
  const value = record?.attributes["weft.inputs"];
  assert.ok(value instanceof DeferredJson && record !== undefined);
  assert.equal((value.copy as { long: string }).long, long);
  assert.ok(value.bytes >= long.length && value.bytes < long.length + 200);
  assert.ok(estimateBytes(record) > long.length);
});

test("JSON in pieces is the JSON in one go, also with texts, lists and records longer than a piece", () => {
  const surrogates = `${"x".repeat(128 * 1024 - 1)}😀${"\n".repeat(200_000)}\ud83d`;
  const samples: unknown[] = [
    surrogates,
    [surrogates, surrogates, { a: surrogates }],
    Array.from({ length: 60_000 }, (_, at) => ({ at, name: `name ${at}` })),
    Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`key "${at}"`, [at]])),
    { [`${"k".repeat(200_000)}"`]: [[], {}, [[surrogates], surrogates], "", null, 1.5] },
    { a: undefined, long: "z".repeat(200_000), fn: (): void => {}, last: undefined },
    { only: undefined, more: { fn: (): void => {}, text: ["z".repeat(200_000)] }, b: [undefined] },
    JSON.parse(`{"__proto__": {"a": "${"y".repeat(300_000)}"}, "b": 1}`),
  ];
  for (const sample of samples) {
    const { json } = boundedJson(sample, 1e9);
    assert.ok(json instanceof DeferredJson);
    assert.equal([...json.pieces()].join(""), JSON.stringify(sample));
    assert.equal(json.toString(), JSON.stringify(sample));
  }
});

test("10 MB of JSON are made over many turns of the event loop, and no piece is more than a slice of work", async () => {
  const messages = Array.from({ length: 10 }, (_, at) => `${at} "so it goes"\n`.repeat(70_000));
  const { json } = boundedJson({ messages }, 1e9);
  let turns = 0;
  let done = false;
  const turn = (): void => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const encoded = await encodeLongTexts([json]);
  done = true;
  const { bytes, pieces } = encoded.get(json) ?? { bytes: 0, pieces: [] };
  assert.ok(turns >= 30, `${turns} turns`);
  assert.ok(pieces.every(({ length }) => length < 1024 * 1024));
  assert.equal(bytes, Buffer.byteLength(JSON.stringify({ messages })));
  assert.deepEqual(JSON.parse(Buffer.concat(pieces).toString()), { messages });
});

test("OTLP, as protobuf and as JSON, says the same of texts that were encoded ahead as of those that were not", async () => {
  const text = `${'quote " and \\ and \n '.repeat(20_000)}é漢😀`;
  const { json } = boundedJson({ text, list: [text] }, 1e9);
  const other = { name: "other" };
  const records = [
    spanRecord({ attributes: { before: 1, json, text, after: "a" } }),
    spanRecord({ scope: other, attributes: { text, small: boundedJson({ long }, 1e9).json } }),
    spanRecord({ attributes: { json } }),
  ];
  const protobuf = new OtlpWriter({ "service.name": "desk" }, "");
  const whole = Buffer.concat(protobuf.write(records));
  assert.ok(Buffer.concat(protobuf.write(records, await encodeLongTexts([json, text]))).equals(whole));
  const writer = otlpJsonWriter({ "service.name": "desk" }, "");
  const ahead = Buffer.concat(writer.write(records, await encodeLongTexts([json, text], writer.encodePiece)));
  assert.ok(ahead.equals(Buffer.concat(writer.write(records))));
  const traces = JSON.parse(ahead.toString()) as OtlpTraces;
  const [first] = traces.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.deepEqual(jsonOf(first?.attributes?.[1]?.value.stringValue), { text, list: [text] });
  assert.equal(spansOf(whole)[0]?.attributes["text"], text);
});

test("What a redactor takes out is not in what waits either, and a redactor that throws takes all", () => {
  const secret = "sk-proj-Zx81hGq0pLw93mNvB4tRc7Yd";
  const broken = (text: string): string => {
    if (text.includes("sesame")) throw new TypeError("no");
    return text;
  };
  const records = recordsOf(() => {
    configureContent({ redact: [redactors.secrets, broken] });
    withSpan("call", (span) => span.setInputs({ text: `${long}${secret}${long}`, other: `sesame ${long}` }));
  });
  const value = records[0]?.attributes["weft.inputs"];
  assert.ok(value instanceof DeferredJson);
  const waiting = JSON.stringify(value.copy);
  assert.doesNotMatch(waiting, /sk-proj|sesame/);
  assert.match(waiting, /\[redacted\].*\[redaction failed\]/);
});

test("With a budget no more than that is kept, cut texts keep nothing of the rest, and the JSON is valid", () => {
  const budget = 20_000;
  const texts = ["x", "é", "漢", "😀", "\ud83d"].map((unit) => unit.repeat(60_000));
  for (const text of texts) {
    const bounded = boundedJson({ role: "user", text, after: text }, budget);
    const parsed = JSON.parse(String(bounded.json)) as { readonly text: string };
    assert.ok(text.startsWith(parsed.text) && parsed.text.length >= budget / 4);
    assert.ok(Buffer.byteLength(parsed.text) <= budget);
    assert.ok(bounded.cutBytes > 60_000 - budget);
    assert.equal(bounded.cutItems, 1);
  }
});

test("The walk ends where the budget is spent: what lies behind is not read", () => {
  const members = Array.from({ length: 1000 }, (_, at) => [`key ${at}`, "x".repeat(100)]);
  const record = Object.fromEntries(members) as Record<string, unknown>;
  let read = 0;
  for (const name of ["late", "later"]) {
    Object.defineProperty(record, name, { enumerable: true, get: () => (read += 1) });
  }
  const items = Array.from({ length: 1000 }, () => ({ text: "y".repeat(100) }));
  items.push(record as never);
  for (const value of [record, items]) {
    const bounded = boundedJson(value, 10_000);
    JSON.parse(String(bounded.json));
    assert.ok(bounded.bytes < 10_300 && bounded.cutItems > 800);
  }
  assert.equal(read, 0);
});

test("The name of a member that is a secret is not in the copy either, in one piece or in many", () => {
  const secret = "sk-proj-Zx81hGq0pLw93mNvB4tRc7Yd";
  for (const count of [1, 100]) {
    const others = Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, "x".repeat(4000)]));
    const [record] = recordsOf(() => {
      configureContent({ redact: [redactors.secrets] });
      withSpan("call", (span) => span.setInputs({ [secret]: 1, ...others, last: "z".repeat(200_000) }));
    });
    const value = record?.attributes["weft.inputs"];
    assert.ok(value instanceof DeferredJson);
    assert.doesNotMatch(Object.keys(value.copy as object).join(), /sk-proj/);
    const parsed = JSON.parse([...value.pieces()].join("")) as Record<string, unknown>;
    assert.deepEqual(
      Object.keys(parsed).toSorted(),
      ["[redacted]", ...Object.keys(others), "last"].toSorted(),
    );
  }
});

test("A span of another SDK gets strings", () => {
  using _tracing = captureSpans();
  configureContent({ policy: "full" });
  const span = new TracerProvider({ spanProcessors: [] }).getTracer("other").startSpan("span");
  const delegating = new DelegatingSpan(span, ROOT_CONTEXT);
  delegating.setInputs({ long });
  recordInput(delegating, [{ id: "a1", role: "user", content: long }]);
  recordInput(delegating, [{ id: "a2", role: "user", content: "and more" }]);
  span.end();
  const { attributes } = span as unknown as ReadableSpan;
  assert.equal(attributes["weft.inputs"], JSON.stringify({ long }));
  assert.equal(typeof attributes["gen_ai.input.messages"], "string");
  assert.deepEqual(
    (jsonOf(attributes["gen_ai.input.messages"]) as { id: string }[]).map(({ id }) => id),
    ["a1", "a2"],
  );
});

test("Whoever captures spans sees strings", () => {
  using capture = captureSpans();
  configureContent({ policy: "full" });
  withSpan("call", (span) => span.setInputs({ long }));
  assert.equal(capture.spans()[0]?.attributes["weft.inputs"], JSON.stringify({ long }));
});

test("A limit on the length of values holds for content too", () => {
  using _tracing = captureSpans();
  configureContent({ policy: "full" });
  const provider = new WeftTracerProvider({ limits: { attributeValueLength: 100 } });
  const records: SpanRecord[] = [];
  provider.addSink({ onEnd: (record) => void records.push(record) });
  const span = provider.getTracer("limited").startSpan("span") as RecordingSpan;
  span.setInputs({ long });
  span.end();
  assert.equal(records[0]?.attributes["weft.inputs"], JSON.stringify({ long }).slice(0, 100));
});

test("The ids of messages that a dropped span held are forgotten without writing their texts", () => {
  const message = { id: "d1", role: "user", content: long } as const;
  const ended: SpanRecord[] = [];
  const drop = { onEnd: (record: SpanRecord): void => void ended.push(record) };
  recordsOf(() => {
    configureContent({ policy: "delta" });
    ownProvider()?.addSink(drop);
    withSpan("root", () => {
      withSpan("first", (span) => recordInput(span, [message]));
      withSpan("second", (span) => recordInput(span, [message]));
      for (const record of ended) undoRecorded(record);
      withSpan("third", (span) => recordInput(span, [message]));
    });
  });
  assert.deepEqual(
    ended.map(({ attributes }) => attributes["gen_ai.input.messages"] instanceof DeferredText),
    [true, false, true, false],
  );
});

test("Texts of every script and length are written as they are", () => {
  const unit = fc.constantFrom("a", "é", "漢", "😀", '"', "\\", "\u0001");
  const texts = fc.dictionary(fc.string({ unit, maxLength: 40 }), fc.string({ unit, maxLength: 300 }));
  fc.assert(
    fc.property(texts, (attributes) => {
      delete attributes[""];
      const [span] = spansOf(Buffer.concat(new OtlpWriter({}, "").write([spanRecord({ attributes })])));
      assert.deepEqual({ ...span?.attributes }, { ...attributes });
    }),
  );
  // Around the lengths at which the buffer is grown by guess.
  for (let length = 16_300; length < 16_500; length += 1) {
    const attributes = { a: `${"x".repeat(length * 3)}漢`, b: "漢".repeat(length) };
    const [span] = spansOf(Buffer.concat(new OtlpWriter({}, "").write([spanRecord({ attributes })])));
    assert.deepEqual({ ...span?.attributes }, attributes);
  }
});
