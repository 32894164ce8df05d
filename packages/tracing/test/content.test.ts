import assert from "node:assert/strict";
import { test } from "node:test";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { boundedJson } from "../src/content/bounded-json.ts";
import { cutToBytes } from "../src/content/cut-text.ts";
import { configureContent } from "../src/content/content-settings.ts";
import type { ContentSettings } from "../src/content/content-settings.ts";
import { claim, release } from "../src/content/recorded-ids.ts";
import {
  captureSpans,
  describeAppends,
  describeContext,
  errorText,
  instrument,
  newMessageId,
  recordInput,
  recordOutput,
  recordSystem,
  recordTools,
  recordToolCall,
} from "../src/internal.ts";
import type { CapturedSpan, RecordableMessage, WeftSpan } from "../src/internal.ts";

const question: RecordableMessage = { id: "m1", role: "user", name: "user", content: "What is 2+3?" };
const answer: RecordableMessage = {
  id: "m2",
  role: "assistant",
  content: null,
  toolCalls: [{ id: "c1", name: "add", arguments: '{"a":2,"b":3}' }],
  finishReason: "tool_call",
};
const result: RecordableMessage = {
  id: "m3",
  role: "tool",
  content: null,
  toolResponses: [{ toolCallId: "c1", name: "add", content: "5" }],
};

/** Spans of one trace, each made by one function, under a policy. */
async function record(
  settings: Partial<ContentSettings>,
  ...steps: ((span: WeftSpan) => unknown)[]
): Promise<readonly CapturedSpan[]> {
  using capture = captureSpans();
  configureContent(settings);
  await instrument({ name: "root" }, async () => {
    for (const step of steps) await instrument({ name: "step" }, (span) => void step(span));
  });
  return capture.spans().slice(0, -1);
}

function json(span: CapturedSpan | undefined, key: string): unknown {
  const text = span?.attributes[key];
  return typeof text === "string" ? JSON.parse(text) : text;
}

test("Messages stand on spans in the GenAI message schema, with their ids", async () => {
  const [span] = await record({ policy: "delta" }, (step) => {
    recordInput(step, [question, result]);
    recordOutput(step, [answer]);
  });
  assert.deepEqual(json(span, "gen_ai.input.messages"), [
    { id: "m1", role: "user", name: "user", parts: [{ type: "text", content: "What is 2+3?" }] },
    { id: "m3", role: "tool", parts: [{ type: "tool_call_response", id: "c1", name: "add", response: "5" }] },
  ]);
  assert.deepEqual(json(span, "gen_ai.output.messages"), [
    {
      id: "m2",
      role: "assistant",
      finish_reason: "tool_call",
      parts: [{ type: "tool_call", id: "c1", name: "add", arguments: '{"a":2,"b":3}' }],
    },
  ]);
});

test("Parts of every kind are told apart, and bytes are named, not copied", async () => {
  const content = [
    { type: "text", text: "see" },
    { type: "image", url: "https://x.test/a.png" },
    { type: "file", name: "a.bin", mediaType: "application/x", data: new Uint8Array(5) },
    { type: "data", data: { a: 1 } },
    { type: "strange", b: 2 },
  ];
  const [span] = await record({ policy: "delta" }, (step) =>
    recordInput(step, [{ id: "p", role: "user", content }]),
  );
  assert.deepEqual((json(span, "gen_ai.input.messages") as { parts: unknown }[])[0]?.parts, [
    { type: "text", content: "see" },
    { type: "uri", modality: "image", uri: "https://x.test/a.png" },
    { type: "blob", modality: "file", name: "a.bin", mime_type: "application/x", content: "[5 bytes]" },
    { type: "data", content: { a: 1 } },
    { type: "data", content: { type: "strange", b: 2 } },
  ]);
});

test("delta records a text once per trace, on whichever span comes first; another trace records it again", async () => {
  const steps = [
    (step: WeftSpan): void => recordInput(step, [question]),
    (step: WeftSpan): void => recordInput(step, [question, answer]),
    (step: WeftSpan): void => recordOutput(step, [answer]),
  ];
  for (let round = 0; round < 2; round += 1) {
    const [first, second, third] = await record({ policy: "delta" }, ...steps);
    assert.equal((json(first, "gen_ai.input.messages") as unknown[]).length, 1);
    assert.deepEqual(
      (json(second, "gen_ai.input.messages") as { id: string }[]).map(({ id }) => id),
      ["m2"],
    );
    assert.equal(third?.attributes["gen_ai.output.messages"], undefined);
  }
});

test("full repeats every call's messages, none writes no text, and ids and places stay under both", async () => {
  const step = (span: WeftSpan): void => {
    recordInput(span, [question]);
    recordSystem(span, { id: "s1", text: "You are Alice." });
    recordTools(span, { id: "t1", definitions: [{ type: "function", name: "add" }] });
    recordToolCall(span, { arguments: '{"a":2}', result: { sum: 5 } });
    describeContext(span, ["id:s1", "h:0-0"]);
    describeAppends(span, ["h:0=m1"]);
    describeAppends(span, ["h:1-2=g:3-4"]);
    span.setInputs({ text: "sesame" });
  };
  const full = await record({ policy: "full" }, step, step);
  for (const span of full) {
    assert.equal((json(span, "gen_ai.input.messages") as unknown[]).length, 1);
    assert.deepEqual(json(span, "gen_ai.system_instructions"), [
      { type: "text", id: "s1", content: "You are Alice." },
    ]);
    assert.deepEqual(json(span, "gen_ai.tool.definitions"), [{ type: "function", name: "add" }]);
    assert.equal(span.attributes["gen_ai.tool.call.arguments"], '{"a":2}');
    assert.equal(span.attributes["gen_ai.tool.call.result"], '{"sum":5}');
  }
  const [off] = await record({ policy: "none" }, step);
  assert.deepEqual(off?.attributes, {
    "weft.system.id": "s1",
    "weft.tools.id": "t1",
    "weft.context": ["id:s1", "h:0-0"],
    "weft.history.appends": ["h:0=m1", "h:1-2=g:3-4"],
  });
});

test("With content off an error says its type and nothing more, in status, attributes and events", async () => {
  using capture = captureSpans();
  configureContent({ policy: "none" });
  const error = new RangeError("the password is sesame");
  assert.equal(errorText(error), "RangeError");
  await assert.rejects(instrument({ name: "fails" }, () => Promise.reject(error)));
  const span = trace.getTracer("library").startSpan("library");
  span.recordException(error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.end();
  assert.equal(JSON.stringify(capture.spans()).includes("sesame"), false);
  assert.equal(capture.spans()[0]?.attributes["error.type"], "RangeError");
});

test("A text over its budget is cut, stays valid JSON, and the cut is counted", async () => {
  const long = { id: "long", role: "user", content: "€".repeat(10_000) } as const;
  const [span, next] = await record(
    { policy: "delta", attributeBytes: 1000, spanBytes: 1500 },
    (step) => {
      recordInput(step, [question, long, answer]);
      recordOutput(step, [{ ...long, id: "reply" }]);
    },
    (step) => recordInput(step, [answer]),
  );
  const messages = json(span, "gen_ai.input.messages") as { id: string }[];
  assert.deepEqual(
    messages.map(({ id }) => id),
    ["m1", "long"],
  );
  assert.ok(Buffer.byteLength(String(span?.attributes["gen_ai.input.messages"])) < 1100);
  assert.ok(Buffer.byteLength(String(span?.attributes["gen_ai.output.messages"])) < 700);
  assert.ok(Number(span?.attributes["weft.content.cut_bytes"]) > 57_000);
  assert.equal(span?.attributes["weft.content.cut_items"], 1);
  assert.equal(
    (json(next, "gen_ai.input.messages") as { id: string }[])[0]?.id,
    "m2",
    "what was left out is recorded later",
  );
});

test("The JSON writer agrees with JSON.stringify and stays within its budget and valid", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(300), (value, budget) => {
      const parsed = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(JSON.parse(String(boundedJson(value, 1_000_000).json)), parsed);
      const cut = boundedJson(value, budget);
      JSON.parse(String(cut.json));
    }),
  );
});

test("What JSON cannot hold is named instead of failing", () => {
  const circular: Record<string, unknown> = { a: 1 };
  circular["self"] = circular;
  const hostile = {
    circular,
    big: 12n,
    nan: Number.NaN,
    fn: [(): void => {}],
    symbol: Symbol("s"),
    date: new Date(0),
    map: new Map([["k", 1]]),
    set: new Set([1]),
    error: new Error("e"),
    bytes: new Uint8Array(3),
    get trap(): never {
      throw new TypeError("no");
    },
  };
  assert.deepEqual(
    JSON.parse(String(boundedJson({ ...Object.getOwnPropertyDescriptors({}), inner: hostile }, 10_000).json)),
    {
      inner: "[unreadable]",
    },
  );
  const { trap: _trap, ...rest } = Object.defineProperty(hostile, "trap", { value: 0, enumerable: true });
  assert.deepEqual(JSON.parse(String(boundedJson(rest, 10_000).json)), {
    circular: { a: 1, self: "[circular]" },
    big: "12",
    nan: "NaN",
    fn: ["[function]"],
    symbol: "[symbol]",
    date: "1970-01-01T00:00:00.000Z",
    map: { k: 1 },
    set: [1],
    error: { name: "Error", message: "e" },
    bytes: "[3 bytes]",
  });
});

test("A cut text fits, is a beginning, and never ends inside a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, bytes) => {
      const cut = cutToBytes(text, bytes);
      assert.ok(Buffer.byteLength(cut) <= bytes);
      assert.ok(text.startsWith(cut));
    }),
  );
  assert.equal(cutToBytes("a😀", 4), "a");
  assert.equal(cutToBytes("a😀", 5), "a😀");
});

test("What is recorded is remembered for 1,000 traces, 2,000 at most, and forgotten means recorded again", () => {
  assert.equal(claim("t0", "a"), true);
  assert.equal(claim("t0", "a"), false);
  release("t0", "a");
  assert.equal(claim("t0", "a"), true);
  for (let index = 1; index < 1000; index += 1) claim(`t${index}`, "a");
  assert.equal(claim("t0", "a"), false);
  for (let index = 1000; index < 3000; index += 1) claim(`t${index}`, "a");
  assert.equal(claim("t0", "a"), true);
  assert.equal(claim("t2000", "a"), false);
});

test("Of two traces whose ids end alike neither is taken for the other", () => {
  const [one, other] = ["1", "2"].map((digit) => digit.repeat(16) + "a".repeat(16)) as [string, string];
  assert.equal(claim(one, "text"), true);
  assert.equal(claim(other, "text"), true);
  assert.equal(claim(other, "text"), false);
  release(one, "text");
  assert.equal(claim(other, "text"), false);
});

test("Of many texts of one trace each is recorded once, and one that was released again", () => {
  const ids = Array.from({ length: 40 }, (_, index) => `text ${index}`);
  assert.deepEqual(
    ids.filter((id) => claim("many", id)),
    ids,
  );
  assert.deepEqual(
    ids.filter((id) => claim("many", id)),
    [],
  );
  release("many", "text 7");
  assert.deepEqual(
    ids.filter((id) => claim("many", id)),
    ["text 7"],
  );
});

test("Message ids are random, short and safe in a URL", () => {
  const ids = new Set(Array.from({ length: 2000 }, newMessageId));
  assert.equal(ids.size, 2000);
  for (const id of ids) assert.match(id, /^[\w-]{16}$/);
});
