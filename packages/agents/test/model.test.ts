import assert from "node:assert/strict";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { LanguageModelV3, LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { ConversableAgent, createMessage, modelOf, openaiCompatible, tool } from "@weft/agents";
import type { AiSdkModel, ModelPart } from "@weft/agents";
import { captureTraces, traceOf } from "@weft/agents/testing";

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** A model host: answers each request with the next handler. */
async function useHost(
  ...handlers: ((response: ServerResponse, asked: Asked) => void)[]
): Promise<{ baseURL: string; asked: Asked[] } & AsyncDisposable> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const each = { headers: request.headers, body: JSON.parse(text) as Record<string, unknown> };
      const handler = handlers[asked.push(each) - 1];
      if (handler) handler(response, each);
      else response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function stream(...chunks: unknown[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\r\n\r\n`);
    response.end("data: [DONE]\n\n");
  };
}

const text = (content: string, finish_reason: string | null = null): object => ({
  id: "r1",
  model: "host-model",
  choices: [{ index: 0, delta: { content }, finish_reason }],
});

const usage = {
  choices: [],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 8,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
};

const answer = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ id: "r", choices: [{ message: { content: "ok" }, finish_reason: "stop" }] }));
};

const signal = new AbortController().signal;
const request = { messages: [createMessage("Hi")] };

async function collect(parts: AsyncIterable<ModelPart>): Promise<readonly ModelPart[]> {
  const list: ModelPart[] = [];
  for await (const part of parts) list.push(part);
  return list;
}

test("[L1] openaiCompatible streams text, tool calls in pieces, and usage with cache and reasoning tokens", async () => {
  const call = (index: number, piece: object): object => ({
    choices: [{ delta: { tool_calls: [{ index, ...piece }] } }],
  });
  await using host = await useHost(
    stream(
      text("Let "),
      text("me."),
      call(0, { id: "c1", function: { name: "add", arguments: '{"a":' } }),
      call(0, { function: { arguments: "1}" } }),
      call(1, { id: "c2", function: { name: "sub", arguments: "" } }),
      text("", "tool_calls"),
      usage,
    ),
  );
  const parts = await collect(
    openaiCompatible({ ...host, model: "m", apiKey: "secret" }).stream(request, { signal }),
  );
  assert.deepEqual(parts.slice(0, 2), [
    { type: "text-delta", text: "Let " },
    { type: "text-delta", text: "me." },
  ]);
  const last = parts.at(-1);
  assert.ok(last?.type === "finish");
  assert.deepEqual(last.response, {
    id: "r1",
    model: "host-model",
    text: "Let me.",
    toolCalls: [
      { id: "c1", name: "add", arguments: '{"a":1}' },
      { id: "c2", name: "sub", arguments: "{}" },
    ],
    finishReason: "tool_calls",
    usage: { inputTokens: 20, outputTokens: 8, cacheReadTokens: 5, reasoningTokens: 3 },
  });
  assert.equal(host.asked[0]?.headers.authorization, "Bearer secret");
});

test("[L1] An agent over openaiCompatible: the wire, the span, and no traceparent to the host", async () => {
  using _ = captureTraces();
  await using host = await useHost(
    stream(
      {
        choices: [
          { delta: { tool_calls: [{ id: "c1", function: { name: "add", arguments: '{"a":1,"b":2}' } }] } },
        ],
      },
      text("", "tool_calls"),
    ),
    stream(text("3", "stop"), usage),
  );
  const add = tool({
    name: "add",
    description: "adds",
    parameters: { type: "object" },
    execute: ({ a, b }) => Number(a) + Number(b),
  });
  const model = openaiCompatible({ ...host, model: "m" });
  const agent = new ConversableAgent({
    name: "calc",
    systemMessage: "Be exact.",
    model,
    modelSettings: { temperature: 0.5 },
    tools: [add],
  });
  const result = await agent.run("1+2?").result;
  assert.equal(result.text, "3");
  assert.equal(result.usage.byModel["host-model"]?.cacheReadTokens, 5);
  assert.deepEqual(host.asked[1]?.body["messages"], [
    { role: "system", content: "Be exact." },
    { role: "user", content: "1+2?", name: "user" },
    {
      role: "assistant",
      content: null,
      name: "calc",
      tool_calls: [{ id: "c1", type: "function", function: { name: "add", arguments: '{"a":1,"b":2}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "3" },
  ]);
  assert.equal(host.asked[0]?.headers["traceparent"], undefined);
  const [, span] = traceOf(result).find("chat");
  const attributes = span?.attributes ?? {};
  assert.equal(span?.name, "chat m");
  assert.equal(attributes["gen_ai.provider.name"], "openai");
  assert.equal(attributes["gen_ai.response.model"], "host-model");
  assert.deepEqual(attributes["gen_ai.response.finish_reasons"], ["stop"]);
  assert.equal(attributes["gen_ai.usage.input_tokens"], 20);
  assert.equal(attributes["gen_ai.request.temperature"], 0.5);
  assert.equal(attributes["server.address"], "127.0.0.1");
  assert.ok(Number(attributes["gen_ai.response.time_to_first_chunk"]) > 0);
  assert.match(String(attributes["weft.context"]), /^id:system-[0-9a-f]+,h[0-9a-f]+:0-2$/u);
  assert.deepEqual(traceOf(result).find("POST"), []);
});

test("[L1] A refusal that may pass is repeated after Retry-After; one that may not fails with the host's words", async () => {
  await using host = await useHost(
    (response) => response.writeHead(429, { "retry-after": "0" }).end(),
    (response) => response.writeHead(503, { "retry-after-ms": "1" }).end(),
    answer,
    (response) => response.writeHead(400).end('{"error":{"message":"bad model"}}'),
    (response) => response.writeHead(401).end("who?"),
  );
  const model = openaiCompatible({ ...host, model: "m" });
  assert.equal((await model.generate(request, { signal })).text, "ok");
  await assert.rejects(model.generate(request, { signal }), {
    code: "model_failed",
    message: /400: bad model/u,
  });
  await assert.rejects(model.generate(request, { signal }), { code: "unauthenticated", message: /who\?/u });
  assert.equal(host.asked.length, 5);
});

test("[L1] Each repeat is an event on the call's span, and the wait is none of the first part's time", async () => {
  using _ = captureTraces();
  await using host = await useHost(
    (response) => response.writeHead(429, { "retry-after-ms": "40" }).end(),
    (response) => response.writeHead(503, { "retry-after-ms": "40" }).end(),
    stream(text("ok"), { choices: [{ delta: {}, finish_reason: "stop" }] }),
  );
  const model = openaiCompatible({ ...host, model: "m" });
  const agent = new ConversableAgent({ name: "a", model, modelSettings: { timeoutMs: 2_000 } });
  const result = await agent.run("Hi").result;
  const [chat, another] = traceOf(result).find("chat m");
  assert.equal(another, undefined);
  assert.deepEqual(
    chat?.span.events.map(({ name, attributes }) => ({ name, ...attributes })),
    [
      { name: "weft.retry", "weft.attempt": 1, "error.type": "limit_exceeded", "weft.retry.wait_ms": 40 },
      { name: "weft.retry", "weft.attempt": 2, "error.type": "unavailable", "weft.retry.wait_ms": 40 },
    ],
  );
  assert.equal(chat?.attributes["error.type"], undefined);
});

test("[L1] An AI SDK model is asked again after a refusal that may pass, as long as Retry-After says", async () => {
  const refusal = (isRetryable: boolean) =>
    Object.assign(new TypeError("busy"), { isRetryable, responseHeaders: { "retry-after-ms": "1" } });
  const parts: LanguageModelV4StreamPart[] = [
    { type: "text-start", id: "1" },
    { type: "text-delta", id: "1", delta: "ok" },
  ];
  const refusals = [refusal(true), refusal(true), refusal(false)];
  const inner = aiSdkModel(parts, []);
  const model = modelOf({
    ...inner,
    doStream: (options: Parameters<typeof inner.doStream>[0]) => {
      const refused = refusals.length === 1 ? undefined : refusals.shift();
      return refused ? Promise.reject(refused) : inner.doStream(options);
    },
    doGenerate: () => Promise.reject(refusals[0]!),
  });
  const answered = (await collect(model.stream(request, { signal }))).at(-1);
  assert.ok(answered?.type === "finish");
  assert.equal(answered.response.text, "ok");
  assert.equal(refusals.length, 1);
  await assert.rejects(model.generate(request, { signal }), { code: "model_failed", message: "busy" });
});

test("[L1] Usage that an AI SDK model does not know is unknown, not 0", async () => {
  const tokens = { noCache: undefined, cacheRead: undefined, cacheWrite: undefined, text: undefined };
  const answer = {
    content: [{ type: "text" as const, text: "ok" }],
    finishReason: { unified: "stop" as const, raw: "stop" },
    usage: {
      inputTokens: { ...tokens, total: undefined },
      outputTokens: { ...tokens, total: undefined, reasoning: undefined },
    },
    warnings: [],
  };
  const model = modelOf({
    ...aiSdkModel([], []),
    doGenerate: () => Promise.resolve(answer),
  });
  assert.equal((await model.generate(request, { signal })).usage, undefined);
});

test("[L1] Structured output, settings and provider options go on the wire", async () => {
  await using host = await useHost(answer);
  const schema = { type: "object", properties: {} };
  await openaiCompatible({ ...host, model: "m" }).generate(
    {
      ...request,
      responseFormat: { name: "out", schema },
      settings: { topP: 0.9, maxOutputTokens: 7, stopSequences: ["."], providerOptions: { seed: 3 } },
    },
    { signal },
  );
  const { messages: _, ...body } = host.asked[0]!.body;
  assert.deepEqual(body, {
    model: "m",
    response_format: { type: "json_schema", json_schema: { name: "out", schema, strict: true } },
    top_p: 0.9,
    max_tokens: 7,
    stop: ["."],
    seed: 3,
  });
});

test("[L1] A stream that breaks off, an error inside it, and a body that is no JSON are errors", async () => {
  await using host = await useHost(
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify(text("half"))}\n\n`);
    },
    stream(text("x"), { error: { message: "overloaded" } }),
    (response) => response.end("<html>"),
  );
  const model = openaiCompatible({ ...host, model: "m", maxRetries: 0 });
  await assert.rejects(collect(model.stream(request, { signal })), {
    code: "unavailable",
    message: /broke off/u,
  });
  await assert.rejects(collect(model.stream(request, { signal })), {
    code: "model_failed",
    message: /overloaded/u,
  });
  await assert.rejects(model.generate(request, { signal }), { code: "model_failed", message: /not JSON/u });
});

test("[L1] A silent host is given up after its time, and an abort reaches the request", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using host = await useHost(
    () => undefined,
    (response) => void response.on("close", () => resolve()),
  );
  const model = openaiCompatible({ ...host, model: "m", maxRetries: 0 });
  await assert.rejects(model.generate({ ...request, settings: { timeoutMs: 20 } }, { signal }), {
    code: "deadline_exceeded",
  });
  const abort = new AbortController();
  const pending = model.generate(request, { signal: abort.signal });
  while (host.asked.length < 2) await new Promise((next) => setImmediate(next));
  abort.abort();
  await assert.rejects(pending, { name: "AbortError" });
  await closed;
});

test("[L1] A host that cannot be reached is an error with its name", async () => {
  const model = openaiCompatible({ baseURL: "http://127.0.0.1:1", model: "m", maxRetries: 0 });
  await assert.rejects(model.generate(request, { signal }), {
    code: "unavailable",
    message: /127\.0\.0\.1:1/u,
  });
});

/** An AI SDK V4 model, made of the real types. */
function aiSdkModel(parts: LanguageModelV4StreamPart[], asked: unknown[]): LanguageModelV4 {
  const total = {
    inputTokens: { total: 9, noCache: 5, cacheRead: 4, cacheWrite: undefined },
    outputTokens: { total: 3, text: 2, reasoning: 1 },
  };
  const finishReason = { unified: "stop", raw: "stop" } as const;
  return {
    specificationVersion: "v4",
    provider: "acme.chat",
    modelId: "acme-1",
    supportedUrls: {},
    async doGenerate(options) {
      asked.push(options);
      return { content: [{ type: "text", text: "whole" }], finishReason, usage: total, warnings: [] };
    },
    async doStream(options) {
      asked.push(options);
      const finish: LanguageModelV4StreamPart = { type: "finish", usage: total, finishReason };
      return { stream: ReadableStream.from([...parts, finish]) };
    },
  };
}

test("[L1] An AI SDK model object works as it is", async () => {
  const asked: Parameters<LanguageModelV4["doStream"]>[0][] = [];
  const first = aiSdkModel(
    [
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "Hi" },
      { type: "reasoning-delta", id: "r", delta: "hm" },
    ],
    asked,
  );
  const agent = new ConversableAgent({
    name: "a",
    systemMessage: "S",
    model: first,
    modelSettings: { maxOutputTokens: 5 },
  });
  const result = await agent.run({
    content: [
      { type: "text", text: "look" },
      { type: "image", url: "https://example.test/x.png" },
    ],
  }).result;
  assert.equal(result.text, "Hi");
  assert.deepEqual(
    [result.usage.totalTokens, result.usage.cacheReadTokens, result.usage.reasoningTokens],
    [12, 4, 1],
  );
  assert.deepEqual(asked[0]?.prompt, [
    { role: "system", content: "S" },
    {
      role: "user",
      content: [
        { type: "text", text: "look" },
        {
          type: "file",
          mediaType: "image/*",
          data: { type: "url", url: new URL("https://example.test/x.png") },
        },
      ],
    },
  ]);
  assert.equal(asked[0]?.maxOutputTokens, 5);
  assert.equal((await modelOf(first).generate(request, { signal })).text, "whole");
});

test("[L1] An AI SDK model's tool calls, errors and wrong versions", async () => {
  const calls: LanguageModelV4StreamPart[] = [
    { type: "tool-call", toolCallId: "c", toolName: "add", input: '{"a":1}' },
  ];
  const parts = await collect(modelOf(aiSdkModel(calls, [])).stream(request, { signal }));
  const last = parts.at(-1);
  assert.ok(last?.type === "finish");
  assert.deepEqual(last.response.toolCalls, [{ id: "c", name: "add", arguments: '{"a":1}' }]);
  const broken = modelOf(
    aiSdkModel(
      [{ type: "error", error: Object.assign(new TypeError("refused"), { isRetryable: true }) }],
      [],
    ),
  );
  await assert.rejects(collect(broken.stream(request, { signal })), {
    code: "model_failed",
    message: "refused",
    retryable: true,
  });
  assert.throws(() => modelOf({ ...aiSdkModel([], []), specificationVersion: "v2" }), {
    message: /v3 or v4/u,
  });
  assert.throws(() => modelOf("gpt-5"), { message: /openaiCompatible/u });
});

// The types hold at compile time: the real interfaces fit ours.
const fitsV3 = (model: LanguageModelV3): AiSdkModel => model;
const fitsV4 = (model: LanguageModelV4): AiSdkModel => model;
void [fitsV3, fitsV4];
