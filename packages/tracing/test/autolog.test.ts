import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createOpenAI } from "@ai-sdk/openai";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { autolog, withSpan } from "../src/index.ts";
import { captureSpans, instrument, injectCarrier } from "../src/internal.ts";
import type { CapturedSpan } from "../src/internal.ts";
import { SpanTypes } from "../src/vocabulary.ts";
import { startOpenAiServer } from "./support/openai-server.ts";

afterEach(() => autolog({ disable: false }));

function openAi(baseURL: string): OpenAI {
  return autolog.openai(new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 }));
}

function textsOf(span: CapturedSpan | undefined, key: string): unknown {
  const messages = JSON.parse((span?.attributes[key] as string | undefined) ?? "[]") as {
    role: string;
    parts: { content?: unknown }[];
  }[];
  return messages.map(({ role, parts }) => [role, ...parts.map(({ content }) => content)]);
}

const messages = [
  { role: "system", content: "Add." },
  { role: "user", content: "2+3?" },
] as const;

test("openai: a chat completion is one span under the open one, with parameters, messages, answer and usage", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  const tools = [{ type: "function", function: { name: "add" } }] as const;
  const answer = await withSpan("ask", () =>
    client.chat.completions.create({
      model: "gpt-test",
      messages: [...messages],
      temperature: 0.5,
      tools: [...tools],
    }),
  );
  assert.equal(answer.choices[0]?.message.content, "5");
  const [call, ask] = capture.spans();
  assert.deepEqual(
    [call?.name, call?.kind, call?.parentSpanId],
    ["chat gpt-test", SpanKind.CLIENT, ask?.spanId],
  );
  const { attributes } = call ?? {};
  assert.equal(attributes?.["gen_ai.request.temperature"], 0.5);
  assert.equal(attributes?.["gen_ai.response.model"], "gpt-test-2026");
  assert.deepEqual(attributes?.["gen_ai.response.finish_reasons"], ["stop"]);
  assert.deepEqual(
    ["input_tokens", "output_tokens", "cache_read.input_tokens", "reasoning.output_tokens"].map(
      (name) => attributes?.[`gen_ai.usage.${name}`],
    ),
    [9, 3, 4, 1],
  );
  assert.deepEqual(textsOf(call, "gen_ai.input.messages"), [
    ["system", "Add."],
    ["user", "2+3?"],
  ]);
  assert.match(
    String(attributes?.["gen_ai.output.messages"]),
    /"type":"tool_call","id":"call_1","name":"add"/,
  );
  assert.equal((attributes?.["weft.context"] as string[] | undefined)?.length, 2);
});

test("openai: the client's promises keep their methods, its other calls work, and a refusal is an error", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  const raw = await client.chat.completions
    .create({ model: "gpt-test", messages: [...messages] })
    .withResponse();
  assert.equal(raw.response.status, 200);
  await assert.rejects(
    client.chat.completions.create({ model: "fails", messages: [...messages] }),
    OpenAI.BadRequestError,
  );
  const parsed = await client.chat.completions.parse({ model: "gpt-test", messages: [...messages] });
  assert.equal(parsed.choices[0]?.message.content, "5");
  const response = await client.responses.create({ model: "gpt-test", instructions: "Add.", input: "2+3?" });
  assert.equal(response.output_text, "5");
  await client.embeddings.create({ model: "embed", input: "text" });
  const spans = capture.spans();
  assert.deepEqual(
    spans.map(({ name, status, attributes }) => [name, status.code, attributes["gen_ai.usage.input_tokens"]]),
    [
      ["chat gpt-test", SpanStatusCode.UNSET, 9],
      ["chat fails", SpanStatusCode.ERROR, undefined],
      ["chat gpt-test", SpanStatusCode.UNSET, 9],
      ["chat gpt-test", SpanStatusCode.UNSET, 7],
      ["embeddings embed", SpanStatusCode.UNSET, 5],
    ],
  );
  assert.deepEqual(textsOf(spans[3], "gen_ai.output.messages"), [["assistant", "5"]]);
  assert.equal(JSON.stringify(spans[4]).includes("0.12345"), false, "vectors are not recorded");
});

test("openai: a stream's span ends when it is consumed, broken off or fails", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  const start = (model: string) =>
    client.chat.completions.create({
      model,
      messages: [...messages],
      stream: true,
      stream_options: { include_usage: true },
    });
  const whole = await start("gpt-test");
  assert.equal(capture.spans().length, 0, "open while the stream is unread");
  for await (const _ of whole);
  for await (const _ of await start("gpt-test")) break;
  await assert.rejects(async () => {
    for await (const _ of await start("breaks"));
  });
  const helper = client.chat.completions.stream({ model: "gpt-test", messages: [...messages] });
  assert.equal(await helper.finalContent(), "The sum is 5.");
  const spans = capture.spans();
  assert.deepEqual(
    spans.map(({ status, attributes }) => [
      status.code,
      attributes["weft.outcome"],
      attributes["gen_ai.usage.output_tokens"],
    ]),
    [
      [SpanStatusCode.UNSET, undefined, 3],
      [SpanStatusCode.UNSET, "cancelled", undefined],
      [SpanStatusCode.ERROR, undefined, undefined],
      [SpanStatusCode.UNSET, undefined, 3],
    ],
  );
  assert.deepEqual(textsOf(spans[0], "gen_ai.output.messages"), [["assistant", "The sum is 5."]]);
  assert.deepEqual(textsOf(spans[1], "gen_ai.output.messages"), [["assistant", "The "]]);
});

test("aisdk: generateText and streamText over a traced model; the stream ends consumed, cancelled or failed", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const provider = createOpenAI({ baseURL: server.baseURL, apiKey: "none" });
  const model = autolog.aisdk(provider.chat("gpt-test"));
  const { text } = await generateText({
    model,
    system: "Add.",
    prompt: "2+3?",
    temperature: 0.5,
    maxRetries: 0,
  });
  assert.equal(text, "5");
  const streamed = streamText({ model, prompt: "2+3?" });
  let all = "";
  for await (const delta of streamed.textStream) all += delta;
  assert.equal(all, "The sum is 5.");
  const { stream } = await model.doStream({
    prompt: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  });
  await stream.cancel();
  await assert.rejects(
    generateText({ model: autolog.aisdk(provider.chat("fails")), prompt: "x", maxRetries: 0 }),
  );
  const spans = capture.spans().filter(({ name }) => name.startsWith("chat "));
  assert.deepEqual(
    spans.map(({ name, status, attributes }) => [
      name,
      status.code,
      attributes["weft.outcome"],
      attributes["gen_ai.usage.input_tokens"],
    ]),
    [
      ["chat gpt-test", SpanStatusCode.UNSET, undefined, 9],
      ["chat gpt-test", SpanStatusCode.UNSET, undefined, 9],
      ["chat gpt-test", SpanStatusCode.UNSET, "cancelled", undefined],
      ["chat fails", SpanStatusCode.ERROR, undefined, undefined],
    ],
  );
  assert.equal(spans[0]?.attributes["gen_ai.provider.name"], "openai");
  assert.deepEqual(textsOf(spans[1], "gen_ai.output.messages"), [["assistant", "The sum is 5."]]);
});

test("mcp: a call to a real server over stdio is a span, its context crosses in _meta, a failed tool is an error", async () => {
  using capture = captureSpans();
  const file = fileURLToPath(new URL("programs/mcp-server.ts", import.meta.url));
  const bare = new Client({ name: "test", version: "1" });
  await bare.connect(new StdioClientTransport({ command: process.execPath, args: [file] }));
  try {
    const client = autolog.mcp(bare);
    const result = await withSpan("ask", () => client.callTool({ name: "add", arguments: { a: 2, b: 3 } }));
    const { tools } = await client.listTools();
    assert.equal(tools[0]?.name, "add");
    await client.callTool({ name: "broken" });
    const [call, ask, list, broken] = capture.spans();
    const [content] = result.content as { text: string }[];
    const said = JSON.parse(content?.text ?? "") as { sum: number; traceparent: string };
    assert.equal(said.sum, 5);
    assert.equal(said.traceparent, `00-${call?.traceId}-${call?.spanId}-01`);
    assert.deepEqual(
      [call?.name, call?.kind, call?.parentSpanId],
      ["tools/call add", SpanKind.CLIENT, ask?.spanId],
    );
    assert.equal(call?.attributes["gen_ai.tool.call.arguments"], '{"a":2,"b":3}');
    assert.equal(call?.attributes["mcp.method.name"], "tools/call");
    assert.equal(list?.name, "tools/list");
    assert.deepEqual(
      [broken?.status.code, broken?.attributes["error.type"]],
      [SpanStatusCode.ERROR, "tool_error"],
    );
  } finally {
    await bare.close();
  }
});

test("Each autolog is switched off by its name, all by true, and on again; the client itself is never changed", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const bare = new OpenAI({ baseURL: server.baseURL, apiKey: "none" });
  const client = autolog.openai(bare);
  const model = autolog.aisdk(createOpenAI({ baseURL: server.baseURL, apiKey: "none" }).chat("gpt-test"));
  const both = async (): Promise<number> => {
    const before = capture.spans().length;
    await client.chat.completions.create({ model: "gpt-test", messages: [...messages] });
    await generateText({ model, prompt: "2+3?" });
    return capture.spans().length - before;
  };
  autolog({ disable: ["openai"] });
  assert.equal(await both(), 1);
  autolog({ disable: true });
  assert.equal(await both(), 0);
  autolog({ disable: false });
  assert.equal(await both(), 2);
  await bare.chat.completions.create({ model: "gpt-test", messages: [...messages] });
  assert.equal(capture.spans().length, 3);
});

test("What the code of a Weft turn or tool asks by itself is a step of its own; an MCP call that is the turn's tool is none", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  const sent: unknown[] = [];
  const mcp = autolog.mcp({ callTool: async (request: object) => void sent.push(request) });
  const ask = () => client.chat.completions.create({ model: "gpt-test", messages: [...messages] });
  await instrument({ name: "invoke_agent weft", type: SpanTypes.agent }, ask);
  await instrument({ name: "execute_tool own", type: SpanTypes.tool }, async () => {
    await ask();
    await mcp.callTool({ name: "add" });
  });
  await instrument({ name: "execute_tool add", type: SpanTypes.tool }, (span) =>
    mcp.callTool({ name: "add", _meta: { ...injectCarrier(span.context) } }),
  );
  const spans = capture.spans();
  const nameOf = (spanId: string | undefined) => spans.find((span) => span.spanId === spanId)?.name;
  assert.deepEqual(
    spans.map(({ name, parentSpanId }) => [name, nameOf(parentSpanId)]),
    [
      ["chat gpt-test", "invoke_agent weft"],
      ["invoke_agent weft", undefined],
      ["chat gpt-test", "execute_tool own"],
      ["tools/call add", "execute_tool own"],
      ["execute_tool own", undefined],
      ["execute_tool add", undefined],
    ],
  );
  const parents = sent.map((request) => (request as { _meta: { traceparent: string } })._meta.traceparent);
  assert.deepEqual(
    parents.map((parent) => nameOf(parent.split("-")[2])),
    ["tools/call add", "execute_tool add"],
  );
});

test("Inside a model call that Weft's agents record, or another autolog, nothing is added", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  await instrument({ name: "chat weft", type: SpanTypes.llm }, async () => {
    await client.chat.completions.create({ model: "gpt-test", messages: [...messages] });
  });
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["chat weft"],
  );
});

test("A message that is sent again is recorded once, and each call names all it was sent", async () => {
  using capture = captureSpans();
  await using server = await startOpenAiServer();
  const client = openAi(server.baseURL);
  await withSpan("talk", async () => {
    const talk: OpenAI.ChatCompletionMessageParam[] = [...messages];
    await client.chat.completions.create({ model: "gpt-test", messages: talk });
    talk.push({ role: "user", content: "and 4?" });
    await client.chat.completions.create({ model: "gpt-test", messages: talk });
  });
  const [first, second] = capture.spans();
  assert.equal((textsOf(first, "gen_ai.input.messages") as unknown[]).length, 2);
  assert.deepEqual(textsOf(second, "gen_ai.input.messages"), [["user", "and 4?"]]);
  assert.equal((second?.attributes["weft.context"] as string[] | undefined)?.length, 3);
});
