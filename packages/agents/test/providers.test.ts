/* The real provider packages, and ours, against hosts that speak the providers' wire formats. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { ConversableAgent, openaiCompatible, tool } from "@weft/agents";
import type { ModelInput } from "@weft/agents";
import { captureTraces, traceOf } from "@weft/agents/testing";

type Handler = (response: ServerResponse, body: Record<string, unknown>) => void;

async function useHost(...handlers: Handler[]) {
  const bodies: Record<string, unknown>[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      headers.push(request.headers);
      const body = JSON.parse(text) as Record<string, unknown>;
      const handler = handlers[Math.min(bodies.push(body), handlers.length) - 1];
      handler?.(response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Server-sent events; with `isCut` the connection breaks where the end should come. */
const sse =
  (events: readonly object[], { isNamed = false, end = "", isCut = false } = {}): Handler =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of events) {
      const name = isNamed ? `event: ${(event as { type: string }).type}\n` : "";
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
    }
    if (isCut) setImmediate(() => response.destroy());
    else response.end(end);
  };

interface Wire {
  readonly name: string;
  readonly model: (url: string) => ModelInput;
  readonly call: Handler;
  readonly answer: Handler;
  readonly cut: Handler;
  /** A refusal in the provider's words. */
  readonly refusal: object;
}

const chatChunk = (delta: object, finish_reason: string | null = null) => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m-1",
  choices: [{ index: 0, delta, finish_reason }],
});
const chatUsage = {
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m-1",
  choices: [],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 8,
    total_tokens: 28,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
};
const done = "data: [DONE]\n\n";
const chat = {
  call: sse(
    [
      chatChunk({
        role: "assistant",
        content: null,
        tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "add", arguments: "" } }],
      }),
      chatChunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":2,' } }] }),
      chatChunk({ tool_calls: [{ index: 0, function: { arguments: '"b":3}' } }] }),
      chatChunk({}, "tool_calls"),
      chatUsage,
    ],
    { end: done },
  ),
  answer: sse(
    [
      chatChunk({ role: "assistant", content: "The sum " }),
      chatChunk({ content: "is 5." }),
      chatChunk({}, "stop"),
      chatUsage,
    ],
    { end: done },
  ),
  cut: sse([chatChunk({ role: "assistant", content: "The sum " })], { isCut: true }),
  refusal: {
    error: { message: "no such key", type: "invalid_request_error", code: "invalid_api_key", param: null },
  },
};

const responsesUsage = {
  input_tokens: 20,
  output_tokens: 8,
  total_tokens: 28,
  input_tokens_details: { cached_tokens: 5 },
  output_tokens_details: { reasoning_tokens: 3 },
};
const responsesEnd = (output: readonly object[]) => ({
  type: "response.completed",
  response: {
    id: "r1",
    object: "response",
    created_at: 1,
    model: "m-1",
    status: "completed",
    output,
    usage: responsesUsage,
  },
});
const responsesStart = {
  type: "response.created",
  response: { id: "r1", object: "response", created_at: 1, model: "m-1", status: "in_progress", output: [] },
};
const functionCall = {
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  name: "add",
  arguments: '{"a":2,"b":3}',
  status: "completed",
};
const saidItem = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "The sum is 5.", annotations: [] }],
};
const textDelta = (delta: string) => ({
  type: "response.output_text.delta",
  item_id: "msg_1",
  output_index: 0,
  content_index: 0,
  delta,
});
const responses = {
  call: sse(
    [
      responsesStart,
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { ...functionCall, arguments: "", status: "in_progress" },
      },
      {
        type: "response.function_call_arguments.delta",
        item_id: "fc_1",
        output_index: 0,
        delta: '{"a":2,"b":3}',
      },
      {
        type: "response.function_call_arguments.done",
        item_id: "fc_1",
        output_index: 0,
        arguments: '{"a":2,"b":3}',
      },
      { type: "response.output_item.done", output_index: 0, item: functionCall },
      responsesEnd([functionCall]),
    ],
    { isNamed: true },
  ),
  answer: sse(
    [
      responsesStart,
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { ...saidItem, content: [], status: "in_progress" },
      },
      textDelta("The sum "),
      textDelta("is 5."),
      { type: "response.output_item.done", output_index: 0, item: saidItem },
      responsesEnd([saidItem]),
    ],
    { isNamed: true },
  ),
  cut: sse(
    [
      responsesStart,
      { type: "response.output_item.added", output_index: 0, item: { ...saidItem, content: [] } },
      textDelta("The sum "),
    ],
    { isNamed: true, isCut: true },
  ),
  refusal: chat.refusal,
};

const anthropicStart = {
  type: "message_start",
  message: {
    id: "m1",
    type: "message",
    role: "assistant",
    model: "m-1",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 15, output_tokens: 1, cache_read_input_tokens: 5, cache_creation_input_tokens: 0 },
  },
};
const anthropicEnd = (stop_reason: string) => [
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 8 } },
  { type: "message_stop" },
];
const anthropicText = (text: string) => ({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text },
});
const anthropicBlock = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
const anthropic = {
  call: sse(
    [
      anthropicStart,
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "call_1", name: "add", input: {} },
      },
      { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"a":2,' } },
      { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '"b":3}' } },
      ...anthropicEnd("tool_use"),
    ],
    { isNamed: true },
  ),
  answer: sse(
    [
      anthropicStart,
      anthropicBlock,
      anthropicText("The sum "),
      anthropicText("is 5."),
      ...anthropicEnd("end_turn"),
    ],
    { isNamed: true },
  ),
  cut: sse([anthropicStart, anthropicBlock, anthropicText("The sum ")], { isNamed: true, isCut: true }),
  refusal: { type: "error", error: { type: "authentication_error", message: "no such key" } },
};

const googleUsage = {
  promptTokenCount: 20,
  candidatesTokenCount: 5,
  thoughtsTokenCount: 3,
  totalTokenCount: 28,
  cachedContentTokenCount: 5,
};
const googleChunk = (parts: readonly object[], more: object = {}) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...more }],
  usageMetadata: googleUsage,
  modelVersion: "m-1",
  responseId: "g1",
});
const google = {
  call: sse([
    googleChunk([{ functionCall: { name: "add", args: { a: 2, b: 3 } } }], { finishReason: "STOP" }),
  ]),
  answer: sse([
    googleChunk([{ text: "The sum " }]),
    googleChunk([{ text: "is 5." }], { finishReason: "STOP" }),
  ]),
  cut: sse([googleChunk([{ text: "The sum " }])], { isCut: true }),
  refusal: { error: { code: 401, message: "no such key", status: "UNAUTHENTICATED" } },
};

const apiKey = "k-secret";
const wires: readonly Wire[] = [
  {
    name: "openaiCompatible, Chat Completions",
    ...chat,
    model: (url) => openaiCompatible({ model: "m-1", baseURL: url, apiKey, maxRetries: 0 }),
  },
  {
    name: "openaiCompatible, Responses",
    ...responses,
    model: (url) => openaiCompatible({ model: "m-1", baseURL: url, apiKey, api: "responses", maxRetries: 0 }),
  },
  {
    name: "@ai-sdk/openai, Responses",
    ...responses,
    model: (url) => createOpenAI({ baseURL: url, apiKey }).responses("m-1"),
  },
  {
    name: "@ai-sdk/openai, Chat Completions",
    ...chat,
    model: (url) => createOpenAI({ baseURL: url, apiKey }).chat("m-1"),
  },
  {
    name: "@ai-sdk/anthropic",
    ...anthropic,
    model: (url) => createAnthropic({ baseURL: url, apiKey })("m-1"),
  },
  {
    name: "@ai-sdk/google",
    ...google,
    model: (url) => createGoogleGenerativeAI({ baseURL: url, apiKey })("m-1"),
  },
];

const add = tool({
  name: "add",
  description: "adds",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
  },
  execute: ({ a, b }) => `sum=${Number(a) + Number(b)}`,
});

for (const { name, model, call, answer, cut, refusal } of wires) {
  test(`[L1] ${name}: streams a tool call and an answer, with usage, and no traceparent to the host`, async () => {
    using _ = captureTraces();
    await using host = await useHost(call, answer);
    const agent = new ConversableAgent({
      name: "adder",
      model: model(host.url),
      tools: [add],
      modelSettings: { temperature: 0.5, maxOutputTokens: 99 },
    });
    const run = agent.run("What is 2 + 3?");
    const deltas: string[] = [];
    for await (const event of run) if (event.type === "text-delta") deltas.push(event.text);
    const result = await run.result;
    assert.equal(result.text, "The sum is 5.");
    assert.deepEqual(deltas, ["The sum ", "is 5."]);
    const { inputTokens, outputTokens, cacheReadTokens } = result.usage;
    assert.deepEqual(
      { inputTokens, outputTokens, cacheReadTokens },
      { inputTokens: 40, outputTokens: 16, cacheReadTokens: 10 },
    );
    assert.match(JSON.stringify(host.bodies[1]), /sum=5/u);
    assert.match(JSON.stringify(host.bodies[0]), /\b99\b/u);
    assert.ok(host.headers.every((headers) => headers["traceparent"] === undefined));
    const chats = traceOf(result).find("chat m-1");
    // Google's package does not tell which model answered.
    const answeredBy = name === "@ai-sdk/google" ? undefined : "m-1";
    assert.deepEqual(
      chats.map(({ attributes }) => attributes["gen_ai.response.model"]),
      [answeredBy, answeredBy],
    );
    assert.deepEqual(
      chats.map(({ attributes }) => attributes["gen_ai.usage.input_tokens"]),
      [20, 20],
    );
  });

  test(`[L1] ${name}: a refusal is an error in the host's words, without the key`, async () => {
    await using host = await useHost((response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify(refusal));
    });
    const agent = new ConversableAgent({ name: "adder", model: model(host.url) });
    const error: unknown = await agent.run("Hi").result.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    assert.match(error.message, /no such key/u);
    assert.ok(!error.message.includes(apiKey));
  });

  test(`[L1] ${name}: a stream that breaks off fails the run, and what was said is taken as no answer`, async () => {
    await using host = await useHost(cut);
    const agent = new ConversableAgent({ name: "adder", model: model(host.url) });
    await assert.rejects(
      agent.run("Hi").result,
      (error: Error & { result: { history: unknown[] } }) => error.result.history.length === 1,
    );
  });
}
