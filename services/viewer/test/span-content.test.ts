import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtlpKeyValue, OtlpSpan, TranscriptMessage } from "@weft/tracing/http";
import { Attr, EventNames, SpanTypes } from "@weft/tracing/vocabulary";
import { fromTranscript, messagesOfContext, parseInstructions, parseMessages } from "../src/data/message.ts";
import { showValue, textsAt, toAttributes, toPlain } from "../src/data/otlp-value.ts";
import { withNamedTexts } from "../src/data/named-texts.ts";
import { parseExcluded, parseSelection } from "../src/data/selection.ts";
import { decodeSkeleton, SpanFlags } from "../src/data/skeleton.ts";
import { errorOf, groupFacts } from "../src/data/span-facts.ts";
import { buildTalk } from "../src/trace/talk-items.ts";
import { makeSkeleton } from "./support/make-skeleton.ts";

const text = (key: string, stringValue: string): OtlpKeyValue => ({ key, value: { stringValue } });
const list = (key: string, ...values: readonly string[]): OtlpKeyValue => ({
  key,
  value: { arrayValue: { values: values.map((stringValue) => ({ stringValue })) } },
});
const span = (more: Partial<OtlpSpan>): OtlpSpan => ({
  traceId: "t",
  spanId: "s",
  name: "n",
  startTimeUnixNano: "0",
  endTimeUnixNano: "1",
  ...more,
});

test("every kind of OTLP value is read; integers too large for a number stay digits", () => {
  assert.equal(toPlain({ intValue: "42" }), 42);
  assert.equal(toPlain({ intValue: "9223372036854775807" }), "9223372036854775807");
  assert.equal(toPlain({ doubleValue: "NaN" }), "NaN");
  assert.equal(toPlain({ boolValue: false }), false);
  assert.deepEqual(toPlain({ kvlistValue: { values: [text("a", "b")] } }), { a: "b" });
  assert.deepEqual(toPlain({ arrayValue: {} }), []);
  assert.equal(toPlain({}), null);
  assert.equal(showValue(["a", 1, true]), "a, 1, true");
  assert.equal(showValue({ a: 1 }), '{\n  "a": 1\n}');
});

test("lists come as arrays or as JSON in a text", () => {
  const attributes = toAttributes([
    list("a", "x", "y"),
    text("b", '["x",{"y":1}]'),
    text("c", "lone"),
    text("d", ""),
  ]);
  assert.deepEqual(
    ["a", "b", "c", "d", "e"].map((key) => textsAt(attributes, key)),
    [["x", "y"], ["x", '{"y":1}'], ["lone"], [], []],
  );
});

test("a message's parts become text, reasoning, calls, results and the rest", () => {
  const parts = [
    { type: "reasoning", content: "hm" },
    { type: "text", content: "one" },
    { type: "text", text: "two" },
    { type: "tool_call", id: "c1", name: "add", arguments: { a: 1 } },
    { type: "tool_call_response", id: "c1", response: "2", isError: true },
    { type: "uri", modality: "image", uri: "https://x/y.png" },
  ];
  const [message] = parseMessages(JSON.stringify([{ id: "m1", role: "assistant", name: "ann", parts }]));
  assert.deepEqual(message, {
    id: "m1",
    role: "assistant",
    name: "ann",
    text: "one\ntwo",
    reasoning: "hm",
    missing: false,
    toolCalls: [{ id: "c1", name: "add", arguments: '{"a":1}' }],
    toolResponses: [{ id: "c1", name: "", content: "2", isError: true }],
    others: ["image: https://x/y.png"],
  });
});

test("messages that are none, cut short or of another schema harm nobody", () => {
  for (const bad of ["", "{", "3", '["x"]', "null"]) assert.deepEqual(parseMessages(bad), []);
  assert.equal(parseMessages('{"role":"user","content":"plain"}')[0]?.text, "plain");
  assert.equal(parseInstructions("You are Ann."), "You are Ann.");
  assert.equal(parseInstructions('[{"type":"text","content":"You are Ann."}]'), "You are Ann.");
});

test("a model's context is told in order, and what nobody recorded is said to be missing", () => {
  const recorded = { m2: { role: "user", parts: [{ type: "text", content: "hello" }] } };
  const shown = messagesOfContext(["m1", "m2", "constructor"], recorded);
  assert.deepEqual(
    shown.map(({ id, text, missing }) => [id, text, missing]),
    [
      ["m1", "", true],
      ["m2", "hello", false],
      ["constructor", "", true],
    ],
  );
});

test("a selection tells who could speak, who was left out and why, whom it fell on and how", () => {
  const attempt = {
    timeUnixNano: "1",
    name: EventNames.attempt,
    attributes: [list(Attr.selectionCandidates, "ann", "bob")],
  };
  const attributes = [
    text(Attr.selectionMethod, "auto"),
    list(Attr.selectionCandidates, "ann", "bob"),
    list(Attr.selectionExcluded, "carl: spoke last", "dora", '{"name":"eve","reason":"no tools"}'),
    text(Attr.selectionChosen, "bob"),
    text(Attr.selectionReason, "asked for"),
  ];
  assert.deepEqual(parseSelection(span({ attributes, events: [attempt] })), {
    method: "auto",
    candidates: ["ann", "bob"],
    chosen: "bob",
    fallback: "",
    reason: "asked for",
    excluded: [
      { name: "carl", reason: "spoke last" },
      { name: "dora", reason: "" },
      { name: "eve", reason: "no tools" },
    ],
    attempts: [{ number: 1, named: ["ann", "bob"] }],
  });
  assert.equal(
    parseSelection(span({ attributes: [{ key: Attr.selectionFallback, value: { boolValue: false } }] }))
      .fallback,
    "",
  );
  assert.match(
    parseSelection(span({ attributes: [{ key: Attr.selectionFallback, value: { boolValue: true } }] }))
      .fallback,
    /next in list order/,
  );
  assert.deepEqual(parseExcluded("null"), { name: "null", reason: "" });
});

test("facts stand in groups, by key, without what has a view of its own", () => {
  const attributes = toAttributes([
    text(Attr.requestModel, "m"),
    text(Attr.cost, "1"),
    text(Attr.agentName, "ann"),
    text(Attr.a2aMethodName, "SendMessage"),
    text(Attr.toolCallArguments, "{}"),
    text(Attr.spanType, SpanTypes.llm),
    text("custom.key", "v"),
  ]);
  assert.deepEqual(
    groupFacts(attributes).map(({ title, facts }) => [title, ...facts.map(({ key }) => key)]),
    [
      ["Model", Attr.requestModel, Attr.cost],
      ["Agent", Attr.agentName],
      ["A2A and transport", Attr.a2aMethodName],
      ["Trace", Attr.spanType],
      ["Other", "custom.key"],
    ],
  );
});

test("an error says its type and its message, wherever they stand", () => {
  const exception = {
    timeUnixNano: "1",
    name: EventNames.exception,
    attributes: [text(Attr.exceptionType, "E"), text(Attr.exceptionMessage, "boom")],
  };
  assert.equal(errorOf(span({ events: [exception] })), undefined);
  assert.deepEqual(errorOf(span({ status: { code: 2 }, events: [exception] })), {
    type: "E",
    message: "boom",
  });
  assert.deepEqual(
    errorOf(span({ status: { code: 2, message: "off" }, attributes: [text(Attr.errorType, "t")] })),
    { type: "t", message: "off" },
  );
  assert.deepEqual(errorOf(span({ status: { code: 2 } })), { type: "error", message: "" });
});

const at = (ms: number, id: string): TranscriptMessage => ({
  id,
  role: "assistant",
  from: "ann",
  service: "one",
  spanId: "s",
  text: id,
  time: new Date(1_700_000_000_000 + ms).toISOString(),
});

test("selections stand in the talk before the message they led to; messages keep the collector's order", () => {
  const type = SpanTypes.speakerSelection;
  const answer = decodeSkeleton(
    makeSkeleton([
      { id: "01", parent: -1, duration: 100 },
      { id: "02", parent: 0, start: 5, duration: 5.4, type },
      { id: "03", parent: 0, start: 30, duration: 2, type },
      { id: "04", parent: 0, start: 90, type, flags: SpanFlags.open },
    ]),
  );
  assert.ok(answer.ok);
  const talk = buildTalk(answer.value, [at(0, "m0"), at(10, "m1"), at(9, "m2"), at(50, "m3")]);
  const told = talk.map((item) => (item.type === "message" ? item.message.id : item.spanId.slice(-2)));
  assert.deepEqual(told, ["m0", "02", "m1", "m2", "03", "m3"]);
});

test("a speaker who goes on with tools alone continues; a word, another speaker or a selection begins anew", () => {
  const answer = decodeSkeleton(
    makeSkeleton([{ id: "01", parent: -1, start: 25, type: SpanTypes.speakerSelection }]),
  );
  assert.ok(answer.ok);
  const call = { toolCalls: [{ id: "c", name: "add", arguments: "{}" }] };
  const other = { from: "bob", ...call };
  const messages = [
    at(0, "said"),
    { ...at(10, ""), ...call },
    { ...at(20, ""), ...call },
    { ...at(30, ""), ...call },
    { ...at(31, "a word"), ...call },
    { ...at(32, ""), ...other },
    { ...at(33, ""), missing: true as const },
  ];
  const talk = buildTalk(answer.value, messages);
  assert.deepEqual(
    talk.map((item) => (item.type === "message" ? item.continues : "selection")),
    [false, true, true, "selection", false, false, false, false],
  );
});

test("a transcript's message is shown like any other", () => {
  const call = { id: "c", name: "add", arguments: "{}" };
  const shown = fromTranscript({
    ...at(0, "m"),
    missing: true,
    toolCalls: [call],
    toolResponses: [{ toolCallId: "c", content: "1" }],
  });
  assert.deepEqual([shown.name, shown.text, shown.missing], ["ann", "m", true]);
  assert.deepEqual(shown.toolResponses, [{ id: "c", name: "", content: "1", isError: false }]);
});

test("a text that a span only names is shown as its own, from the message that holds it", () => {
  const messages = {
    m1: {
      role: "assistant",
      parts: [
        { type: "text", content: "let me see" },
        { type: "tool_call", id: "c1", name: "find", arguments: '{"q":1}' },
        { type: "tool_call", id: "c2", name: "find", arguments: '{"q":2}' },
      ],
    },
  };
  const call = toAttributes([text(Attr.toolAskedIn, "m1"), text(Attr.toolCallId, "c2")]);
  assert.equal(withNamedTexts(call, messages).get(Attr.toolCallArguments), '{"q":2}');
  const own = toAttributes([
    text(Attr.toolAskedIn, "m1"),
    text(Attr.toolCallId, "c2"),
    text(Attr.toolCallArguments, "own"),
  ]);
  assert.equal(withNamedTexts(own, messages).get(Attr.toolCallArguments), "own");
  const summed = toAttributes([text(Attr.chatSummaryOf, "m1")]);
  assert.equal(withNamedTexts(summed, messages).get(Attr.chatSummary), "let me see");
  const unknown = toAttributes([text(Attr.chatSummaryOf, "m2"), text(Attr.toolAskedIn, "m2")]);
  assert.deepEqual(withNamedTexts(unknown, messages), unknown);
});
