import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transcript } from "@weft/tracing/http";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";
import { recorded, requests, spanId, traceId } from "./support/otlp.ts";
import type { MessageInput, SpanInput } from "./support/otlp.ts";
import { get, store, useCollector } from "./support/use-collector.ts";

const appends = (...entries: readonly string[]) => ({ [Attr.historyAppends]: entries });
const agent = (name: string) => ({ [Attr.spanType]: SpanTypes.agent, [Attr.agentName]: name });
const out = (...messages: readonly MessageInput[]) => ({ [Attr.outputMessages]: recorded(...messages) });
const input = (...messages: readonly MessageInput[]) => ({ [Attr.inputMessages]: recorded(...messages) });
const conversation = { [Attr.spanType]: SpanTypes.conversation };
const llm = { [Attr.spanType]: SpanTypes.llm };

type Part = readonly [service: string, spans: readonly SpanInput[]];

async function transcript(url: string, ...parts: readonly Part[]): Promise<Transcript["messages"]> {
  await store(url, requests(...parts));
  const { messages } = await get<Transcript>(url, `/api/traces/${traceId()}/transcript`);
  return messages;
}

const brief = (messages: Transcript["messages"]): unknown =>
  messages.map(({ from, text }) => `${from}: ${text}`);

/** A chat over two services: the desk asks, a remote calculator answers, a local writer closes. */
const talk: readonly Part[] = [
  [
    "desk",
    [
      {
        id: 1,
        start: 0,
        end: 100,
        attributes: {
          ...conversation,
          ...appends("h:0=q"),
          ...input({ id: "q", role: "user", name: "user", text: "2+3?" }),
        },
      },
      {
        id: 2,
        parent: 1,
        kind: 3,
        start: 10,
        end: 50,
        attributes: {
          ...agent("calculator"),
          ...appends("g:0-0=h:0-0", "h:1=a"),
          ...out({ id: "a", name: "calculator", text: "5" }),
        },
      },
      {
        id: 6,
        parent: 1,
        start: 60,
        end: 90,
        attributes: { ...agent("writer"), ...appends("w:0-1=h:0-1", "h:2=z") },
      },
      {
        id: 7,
        parent: 6,
        start: 61,
        end: 88,
        attributes: { ...llm, ...out({ id: "z", name: "writer", text: "It is 5." }) },
      },
    ],
  ],
  [
    "calculator",
    [
      { id: 3, parent: 2, kind: 2, start: 12, end: 48 },
      {
        id: 4,
        parent: 3,
        start: 13,
        end: 47,
        attributes: {
          ...agent("calculator"),
          ...appends("c:0=q", "c:1=a"),
          ...input({ id: "q", role: "user", name: "user", text: "2+3?" }),
        },
      },
      {
        id: 5,
        parent: 4,
        start: 14,
        end: 40,
        attributes: { ...llm, ...out({ id: "a", name: "calculator", text: "5" }) },
      },
    ],
  ],
];

test("the transcript is every appended message once, in order, with the service and span that made it", async (t) => {
  const { url } = await useCollector(t);
  const messages = await transcript(url, ...talk);
  assert.deepEqual(
    messages.map(({ id, role, from, service, spanId: span, text }) => [id, role, from, service, span, text]),
    [
      ["q", "user", "user", "desk", spanId(1), "2+3?"],
      ["a", "assistant", "calculator", "calculator", spanId(5), "5"],
      ["z", "assistant", "writer", "desk", spanId(7), "It is 5."],
    ],
  );
  assert.deepEqual(
    messages.map(({ time }) => time).toSorted(),
    messages.map(({ time }) => time),
  );
});

test("a service whose clock is off does not change the order of a history", async (t) => {
  const { url } = await useCollector(t);
  const [desk, [service, spans]] = talk as [Part, Part];
  const ahead = spans.map((span) => ({
    ...span,
    start: (span.start ?? 0) + 3_600_000,
    end: (span.end ?? 0) + 3_600_000,
  }));
  assert.deepEqual(brief(await transcript(url, desk, [service, ahead])), [
    "user: 2+3?",
    "calculator: 5",
    "writer: It is 5.",
  ]);
});

test("without texts the ids, places and makers stay, marked as missing", async (t) => {
  const { url } = await useCollector(t);
  const bare = talk.map(([service, spans]): Part => [
    service,
    spans.map(({ attributes = {}, ...span }) => {
      const { [Attr.inputMessages]: _, [Attr.outputMessages]: __, ...rest } = attributes;
      return { ...span, attributes: rest };
    }),
  ]);
  const messages = await transcript(url, ...bare);
  assert.deepEqual(
    messages.map(({ id, service, text, missing }) => [id, service, text, missing]),
    [
      ["q", "desk", "", true],
      ["a", "calculator", "", true],
      ["z", "desk", "", true],
    ],
  );
});

test("without texts, the opening of a group chat is the chat's, not its first reader's", async (t) => {
  const { url } = await useCollector(t);
  const workflow = { [Attr.spanType]: SpanTypes.workflow };
  const messages = await transcript(
    url,
    ["desk", [{ id: 1, start: 0, end: 100, attributes: { ...workflow, ...appends("h:0=q") } }]],
    [
      "remote",
      [{ id: 2, parent: 1, start: 5, end: 20, attributes: { ...agent("a"), ...appends("g:0=q", "g:1=a") } }],
    ],
  );
  assert.deepEqual(
    messages.map(({ id, service }) => [id, service]),
    [
      ["q", "desk"],
      ["a", "remote"],
    ],
  );
});

test("tool calls and tool responses are part of the talk, arguments as the model wrote them", async (t) => {
  const { url } = await useCollector(t);
  const call = JSON.stringify([
    {
      id: "c",
      role: "assistant",
      name: "bob",
      parts: [
        { type: "text", content: "let me see" },
        { type: "tool_call", id: "t1", name: "add", arguments: '{"a": 2}' },
        { type: "tool_call", id: "t2", name: "add", arguments: { a: 3 } },
      ],
    },
  ]);
  const answer = JSON.stringify([
    {
      id: "r",
      role: "tool",
      parts: [
        { type: "tool_call_response", id: "t1", response: "2" },
        { type: "tool_call_response", id: "t2", response: { error: "no" }, isError: true },
      ],
    },
  ]);
  const messages = await transcript(url, [
    "desk",
    [
      { id: 1, start: 0, end: 50, attributes: { ...agent("bob"), ...appends("h:0=c", "h:1=r", "h:2=f") } },
      { id: 2, parent: 1, start: 1, end: 10, attributes: { ...llm, [Attr.outputMessages]: call } },
      {
        id: 3,
        parent: 1,
        start: 20,
        end: 40,
        attributes: { ...llm, [Attr.inputMessages]: answer, ...out({ id: "f", text: "5" }) },
      },
    ],
  ]);
  assert.deepEqual(
    messages.map(({ spanId: span }) => span),
    [spanId(2), spanId(1), spanId(3)],
  );
  assert.deepEqual(
    messages.map(({ id, text, toolCalls, toolResponses }) => ({ id, text, toolCalls, toolResponses })),
    [
      {
        id: "c",
        text: "let me see",
        toolCalls: [
          { id: "t1", name: "add", arguments: '{"a": 2}' },
          { id: "t2", name: "add", arguments: '{"a":3}' },
        ],
        toolResponses: undefined,
      },
      {
        id: "r",
        text: "",
        toolCalls: undefined,
        toolResponses: [
          { toolCallId: "t1", content: "2" },
          { toolCallId: "t2", content: '{"error":"no"}', isError: true },
        ],
      },
      { id: "f", text: "5", toolCalls: undefined, toolResponses: undefined },
    ],
  );
});

test("histories that contradict each other, and entries that are none, lose no message", async (t) => {
  const { url } = await useCollector(t);
  const messages = await transcript(url, [
    "desk",
    [
      {
        id: 1,
        start: 0,
        attributes: appends("h:0=a", "h:1=b", "nonsense", "h:x=y", "h:3-1=g:3-1", "h:2=a/b:c=d"),
      },
      { id: 2, parent: 1, start: 5, attributes: appends("g:0=b", "g:1=a") },
    ],
  ]);
  assert.deepEqual(messages.map(({ id }) => id).toSorted(), ["a", "a/b:c=d", "b"]);
});

test("a trace of another producer is what its model calls answered, in order of their ends", async (t) => {
  const { url } = await useCollector(t);
  const messages = await transcript(url, [
    "foreign",
    [
      {
        id: 1,
        start: 0,
        end: 90,
        attributes: {
          [Attr.operationName]: "invoke_agent",
          [Attr.agentName]: "bot",
          ...out({ id: "", text: "second" }),
        },
      },
      {
        id: 3,
        parent: 1,
        start: 40,
        end: 80,
        attributes: {
          [Attr.operationName]: "chat",
          [Attr.agentName]: "bot",
          [Attr.outputMessages]: JSON.stringify([
            { role: "assistant", parts: [{ type: "text", content: "second" }] },
          ]),
        },
      },
      {
        id: 2,
        parent: 1,
        start: 10,
        end: 30,
        attributes: {
          [Attr.operationName]: "chat",
          [Attr.agentName]: "bot",
          [Attr.outputMessages]: JSON.stringify([
            { role: "assistant", parts: [{ type: "text", content: "first" }] },
          ]),
        },
      },
      {
        id: 4,
        parent: 1,
        start: 10,
        end: 30,
        attributes: { [Attr.operationName]: "chat", [Attr.outputMessages]: "{not json" },
      },
    ],
  ]);
  assert.deepEqual(brief(messages), ["bot: first", "bot: second"]);
});

test("a foreign agent that shows no model calls speaks for itself", async (t) => {
  const { url } = await useCollector(t);
  const messages = await transcript(url, [
    "foreign",
    [
      {
        id: 1,
        attributes: {
          [Attr.operationName]: "invoke_agent",
          [Attr.agentName]: "bot",
          [Attr.outputMessages]: JSON.stringify([{ role: "assistant", content: "plain" }]),
        },
      },
    ],
  ]);
  assert.deepEqual(brief(messages), ["bot: plain"]);
});
