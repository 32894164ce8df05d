import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { ToolLoopAgent, tool as aiTool } from "ai";
import { z } from "zod";
import {
  AssistantAgent,
  ConversableAgent,
  GroupChat,
  UserProxyAgent,
  fromAiSdk,
  terminal,
  toResponse,
  tool,
} from "@weft/agents";
import { captureTraces, replayModel, scriptedModel, traceOf } from "@weft/agents/testing";

const quiet = (name: string, ...script: Parameters<typeof scriptedModel>[0]): ConversableAgent =>
  new ConversableAgent({ name, model: scriptedModel(script), humanInputMode: "NEVER" });

/** An AI SDK model that streams these parts, one call after another. */
function aiModel(...calls: readonly (readonly object[])[]) {
  let next = 0;
  const usage = {
    inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 2, text: 2, reasoning: 0 },
  };
  const prompts: unknown[] = [];
  return {
    prompts,
    specificationVersion: "v4" as const,
    provider: "test",
    modelId: "m",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new TypeError("not asked")),
    doStream: ({ prompt }: { prompt: unknown }) => {
      prompts.push(prompt);
      const call = calls[next++] ?? [];
      const hasCalls = call.some((part) => (part as { type: string }).type === "tool-call");
      const parts = [
        { type: "stream-start", warnings: [] },
        ...call,
        { type: "finish", usage, finishReason: { unified: hasCalls ? "tool-calls" : "stop", raw: "x" } },
      ];
      return Promise.resolve({ stream: ReadableStream.from(parts) as never });
    },
  };
}

const said = (id: string, ...deltas: string[]) => [
  { type: "text-start", id },
  ...deltas.map((delta) => ({ type: "text-delta", id, delta })),
  { type: "text-end", id },
];

test("[L1] fromAiSdk: an AI SDK agent is a member like any other, with its tools, deltas and usage", async () => {
  const add = aiTool({
    description: "adds",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => a + b,
  });
  const model = aiModel(
    [
      ...said("1", "Let me see."),
      { type: "tool-call", toolCallId: "c1", toolName: "add", input: '{"a":2,"b":3}' },
    ],
    said("2", "It is ", "5."),
  );
  const agent = fromAiSdk(new ToolLoopAgent({ id: "solver", model: model, tools: { add } }));
  const team = new GroupChat({ agents: [agent], speakerSelection: "roundRobin", maxRound: 2 });
  const run = team.run("2 + 3?");
  const types: string[] = [];
  let shown = "";
  for await (const event of run) {
    types.push(event.type);
    if (event.type === "text-delta") shown += event.text;
    if (event.type === "reset") shown = "";
  }
  const result = await run.result;
  assert.equal(result.text, "It is 5.");
  assert.equal(shown, "It is 5.");
  assert.equal(result.usage.totalTokens, 10);
  assert.ok(types.includes("tool-call") && types.includes("tool-result"));
  assert.throws(() => fromAiSdk({} as never), { code: "invalid_argument" });
});

test("[O2] A record of AI SDK tools is taken as it is, approval included", async () => {
  const tools = {
    "add two": aiTool({
      description: "adds",
      inputSchema: z.object({ a: z.number() }),
      execute: ({ a }, { toolCallId }) => `${a + 2} by ${toolCallId}`,
    }),
    own: tool({ name: "own", description: "own", execute: () => "mine" }),
  };
  const model = scriptedModel([
    {
      toolCalls: [
        { name: "add_two", arguments: { a: 1 }, id: "c1" },
        { name: "own", arguments: {} },
        { name: "add_two", arguments: { a: "x" } },
      ],
    },
    "ok",
  ]);
  await new AssistantAgent({ name: "a", model, tools }).run("go").result;
  const responses = model.calls[1]?.messages.at(-1)?.toolResponses ?? [];
  assert.deepEqual(
    responses.slice(0, 2).map(({ content }) => content),
    ["3 by c1", "mine"],
  );
  assert.match(responses[2]?.content ?? "", /do not fit/u);
});

test("A responseFormat is asked of the model, checked, and types the output", async () => {
  const answer = z.object({ sum: z.number() });
  const model = scriptedModel(['{"sum": 5}', "not json", '{"sum": "five"}'], {
    supportsStructuredOutput: true,
  });
  const agent = new AssistantAgent({ name: "a", model, responseFormat: answer });
  const { output } = await agent.run("2 + 3?").result;
  const sum: number | undefined = output?.sum;
  assert.equal(sum, 5);
  assert.equal(model.calls[0]?.responseFormat?.name, "a_answer");
  await assert.rejects(agent.run("again").result, { code: "model_failed", message: /not JSON/u });
  await assert.rejects(agent.run("again").result, { code: "model_failed", message: /sum/u });
});

test("send and receive put single messages into the chat of two; reset forgets it", async () => {
  const [alice, bob] = [quiet("alice"), quiet("bob", "b1", "b2")];
  assert.equal((await alice.send("Hi", bob, { requestReply: true }))?.content, "b1");
  assert.equal((await bob.receive("And?", alice))?.content, "b2");
  await alice.send("Bye", bob);
  assert.deepEqual(
    bob.chatMessages(alice).map(({ role, content }) => [role, content]),
    [
      ["user", "Hi"],
      ["assistant", "b1"],
      ["user", "And?"],
      ["assistant", "b2"],
      ["user", "Bye"],
    ],
  );
  bob.reset();
  assert.deepEqual(bob.chatMessages(alice), []);
});

test("[T2] terminal asks at a terminal, and its end is an exit", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const user = new UserProxyAgent({ name: "user", humanInput: terminal({ input, output }) });
  const run = user.run("Hi", { recipient: quiet("bob", "b1", "b2") });
  input.write("go on\n");
  for await (const event of run) if (event.type === "message" && event.text === "b2") input.end();
  const chat = await run.result;
  assert.equal(chat.endedBy, "human");
  assert.equal(chat.history[2]?.content, "go on");
  assert.match(String(output.read()), /b1/u);
});

test("toResponse: server-sent events of ours, ended by the result", async () => {
  const response = toResponse(quiet("a", "one two").run("go"));
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const text = await response.text();
  assert.match(text, /event: text-delta\ndata: \{"type":"text-delta","text":"one"/u);
  assert.match(text, /event: result\ndata: \{"endedBy":"termination"/u);
  const failed = await toResponse(quiet("a").run("go")).text();
  assert.match(failed, /event: error\ndata: \{.*not expected/u);
});

test("toResponse: the AI SDK's UI message stream, read back by the AI SDK", async () => {
  const { readUIMessageStream, uiMessageChunkSchema, parseJsonEventStream } = await import("ai");
  const add = tool({ name: "add", description: "adds", execute: () => 5 });
  const agent = new AssistantAgent({
    name: "a",
    model: scriptedModel([{ text: "Wait.", toolCalls: [{ name: "add", arguments: {} }] }, "It is 5."]),
    tools: [add],
  });
  const team = new GroupChat({
    agents: [agent, quiet("b", "Yes.")],
    speakerSelection: "roundRobin",
    maxRound: 3,
  });
  const response = toResponse(team.run("go"), { format: "ai-sdk" });
  assert.equal(response.headers.get("x-vercel-ai-ui-message-stream"), "v1");
  const chunks = parseJsonEventStream({
    stream: response.body!,
    schema: uiMessageChunkSchema as never,
  }).pipeThrough(
    new TransformStream<{ success: boolean } & Record<string, unknown>, unknown>({
      transform(part, controller) {
        assert.ok(part.success, JSON.stringify(part));
        controller.enqueue(part["value"]);
      },
    }),
  );
  let last:
    | {
        readonly parts: readonly { readonly type: string; readonly text?: string; readonly state?: string }[];
      }
    | undefined;
  for await (const message of readUIMessageStream({ stream: chunks as never })) last = message as never;
  const texts = last?.parts.filter(({ type }) => type === "text").map(({ text }) => text);
  assert.deepEqual(texts?.slice(-2), ["It is 5.", "Yes."]);
  assert.equal(last?.parts.find(({ type }) => type === "dynamic-tool")?.state, "output-available");
});

test("toResponse: a reader that goes away cancels the run", async () => {
  let signal: AbortSignal | undefined;
  const model = scriptedModel([{ text: "never", delayMs: 60_000 }]);
  const run = new ConversableAgent({
    name: "a",
    model: { ...model, stream: (request, call) => ((signal = call.signal), model.stream(request, call)) },
  }).run("go");
  const reader = toResponse(run).body!.getReader();
  await new Promise((resolve) => setImmediate(resolve));
  await reader.cancel();
  await assert.rejects(run.result, { name: "AbortError" });
  assert.equal(signal?.aborted, true);
});

test("replayModel answers as the trace did, and names the first divergence", async () => {
  using _ = captureTraces();
  const add = tool({ name: "add", description: "adds", execute: () => 5 });
  const make = (model: ConstructorParameters<typeof AssistantAgent>[0]["model"]) =>
    new AssistantAgent({ name: "a", ...(model ? { model } : {}), tools: [add] });
  const recorded = await make(
    scriptedModel([
      { toolCalls: [{ name: "add", arguments: {} }], usage: { inputTokens: 3, outputTokens: 1 } },
      "It is 5.",
    ]),
  ).run("1 + 4?").result;
  const trace = traceOf(recorded);
  {
    using model = replayModel(trace);
    const again = await make(model).run("1 + 4?").result;
    assert.equal(again.text, "It is 5.");
    assert.deepEqual(again.usage.totalTokens, recorded.usage.totalTokens);
  }
  await assert.rejects(make(replayModel(trace.spans)).run("1 + 5?").result, {
    message: /call 1, message 1: recorded "1 \+ 4\?", asked "1 \+ 5\?"/u,
  });
  const changed = tool({ name: "add", description: "adds", execute: () => 6 });
  const other = new AssistantAgent({ name: "a", model: replayModel(trace), tools: [changed] });
  await assert.rejects(other.run("1 + 4?").result, {
    message: /call 2, message 3: recorded "=> 5", asked "=> 6"/u,
  });
});
