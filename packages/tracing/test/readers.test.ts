/**
 * What others read of our spans in mode `full`, pinned by attribute names. Each reader below does what its backend does with OTLP spans, as
 * its source had it in 2026: MLflow `mlflow/tracing/otel/translation/genai_semconv.py`, Langfuse `OtelIngestionProcessor.ts`, Phoenix
 * through `@arizeai/openinference-genai`, Jaeger its OTLP translation. When one of them changes, this is where it shows.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { configureContent } from "../src/content/content-settings.ts";
import {
  captureSpans,
  instrument,
  recordInput,
  recordOutput,
  recordSystem,
  recordToolCall,
  recordTools,
} from "../src/internal.ts";
import type { CapturedSpan, RecordableMessage } from "../src/internal.ts";
import { propagateAttributes } from "../src/index.ts";
import { Attr, Operations, SpanTypes } from "../src/vocabulary.ts";

const question: RecordableMessage = { id: "m1", role: "user", content: "What is 2+3?" };
const call: RecordableMessage = {
  id: "m2",
  role: "assistant",
  content: null,
  toolCalls: [{ id: "c1", name: "add", arguments: '{"a":2,"b":3}' }],
};
const result: RecordableMessage = {
  id: "m3",
  role: "tool",
  content: null,
  toolResponses: [{ toolCallId: "c1", content: "5" }],
};
const answer: RecordableMessage = { id: "m4", role: "assistant", content: "5" };

/** A turn with two model calls, one tool that works and one that fails, as Weft's agents record it. */
async function record(): Promise<ReadonlyMap<string, CapturedSpan>> {
  using capture = captureSpans();
  configureContent({ policy: "full" });
  const chat = (
    name: string,
    input: readonly RecordableMessage[],
    output: RecordableMessage,
  ): Promise<void> =>
    instrument(
      {
        name,
        type: SpanTypes.llm,
        kind: SpanKind.CLIENT,
        attributes: {
          [Attr.operationName]: Operations.chat,
          [Attr.providerName]: "openai",
          [Attr.requestModel]: "gpt-5-mini",
          [Attr.responseModel]: "gpt-5-mini-2026",
          [Attr.requestTemperature]: 0.2,
        },
      },
      (span) => {
        recordSystem(span, { id: "s1", text: "You add." });
        recordTools(span, { id: "t1", definitions: [{ type: "function", name: "add", parameters: {} }] });
        recordInput(span, input);
        recordOutput(span, [output]);
        span.setTokenUsage({ inputTokens: 10, outputTokens: 5, cacheReadTokens: 2, cacheWriteTokens: 1 });
      },
    );
  const tool = (name: string, fails: boolean): Promise<void> =>
    instrument(
      {
        name: `execute_tool ${name}`,
        type: SpanTypes.tool,
        attributes: {
          [Attr.operationName]: Operations.executeTool,
          [Attr.toolName]: name,
          [Attr.toolCallId]: "c1",
        },
      },
      (span) => {
        recordToolCall(span, { arguments: '{"a":2,"b":3}', ...(fails ? {} : { result: "5" }) });
        if (fails) throw new RangeError("no such tool");
      },
    );
  await propagateAttributes({ sessionId: "session-1", userId: "user-1" }, () =>
    instrument(
      {
        name: "invoke_agent adder",
        type: SpanTypes.agent,
        attributes: { [Attr.operationName]: Operations.invokeAgent, [Attr.agentName]: "adder" },
      },
      async () => {
        await chat("first", [question], call);
        await tool("add", false);
        await tool("broken", true).catch(() => {});
        await chat("second", [question, call, result], answer);
      },
    ),
  );
  return new Map(capture.spans().map((span) => [span.name, span]));
}

type Read = Readonly<Record<string, unknown>>;

/** The first key that is there, its JSON parsed. */
function read({ attributes }: CapturedSpan, ...keys: readonly string[]): unknown {
  const value = keys.map((key) => attributes[key]).find((found) => found !== undefined);
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function mlflow(span: CapturedSpan): Read {
  const types: Record<string, string> = { chat: "CHAT_MODEL", invoke_agent: "AGENT", execute_tool: "TOOL" };
  return {
    type: types[String(read(span, "gen_ai.operation.name"))],
    model: read(span, "gen_ai.response.model", "gen_ai.request.model"),
    provider: read(span, "gen_ai.provider.name"),
    inputs: read(span, "gen_ai.input.messages", "gen_ai.tool.call.arguments"),
    outputs: read(span, "gen_ai.output.messages", "gen_ai.tool.call.result"),
    usage: [
      "gen_ai.usage.input_tokens",
      "gen_ai.usage.output_tokens",
      "gen_ai.usage.cache_read.input_tokens",
      "gen_ai.usage.cache_creation.input_tokens",
    ].map((key) => read(span, key)),
  };
}

function langfuse(span: CapturedSpan): Read {
  return {
    name: span.attributes["gen_ai.tool.name"] ?? span.name,
    input: read(span, "gen_ai.input.messages", "gen_ai.tool.call.arguments"),
    output: read(span, "gen_ai.output.messages", "gen_ai.tool.call.result"),
    model: read(span, "gen_ai.response.model", "gen_ai.request.model"),
    usage: [read(span, "gen_ai.usage.input_tokens"), read(span, "gen_ai.usage.output_tokens")],
    session: read(span, "session.id"),
    user: read(span, "user.id"),
  };
}

function phoenix(span: CapturedSpan): Read {
  const kinds: Record<string, string> = { chat: "LLM", execute_tool: "TOOL", invoke_agent: "AGENT" };
  const parts = (messages: unknown): unknown =>
    (messages as { role: string; parts: { type: string }[] }[] | undefined)?.map(({ role, parts }) => [
      role,
      ...parts.map(({ type }) => type),
    ]);
  return {
    kind: kinds[String(read(span, "gen_ai.operation.name"))],
    model: read(span, "gen_ai.response.model", "gen_ai.request.model"),
    agent: read(span, "gen_ai.agent.name"),
    system: read(span, "gen_ai.system_instructions"),
    tools: read(span, "gen_ai.tool.definitions"),
    input: parts(read(span, "gen_ai.input.messages")),
    output: parts(read(span, "gen_ai.output.messages")),
  };
}

/** Jaeger keeps attributes as tags, makes the status one and the exception a log. */
function jaeger(span: CapturedSpan): Read {
  return {
    kind: span.kind,
    error: span.status.code === SpanStatusCode.ERROR,
    description: span.status.message,
    type: read(span, "error.type"),
    logs: span.events.map(({ name, attributes }) => [
      name,
      attributes["exception.type"],
      attributes["exception.message"],
    ]),
  };
}

const text = (id: string, role: string, content: string): object => ({
  id,
  role,
  parts: [{ type: "text", content }],
});

test("MLflow reads type, model, messages and usage of a model call, and a tool's arguments and result", async () => {
  const spans = await record();
  const first = mlflow(spans.get("first")!);
  assert.deepEqual(first["inputs"], [text("m1", "user", "What is 2+3?")]);
  assert.deepEqual(
    [first["type"], first["model"], first["provider"]],
    ["CHAT_MODEL", "gpt-5-mini-2026", "openai"],
  );
  assert.deepEqual(first["usage"], [10, 5, 2, 1]);
  const second = mlflow(spans.get("second")!);
  assert.equal((second["inputs"] as unknown[]).length, 3, "full repeats each call's messages");
  assert.deepEqual(second["outputs"], [text("m4", "assistant", "5")]);
  const tool = mlflow(spans.get("execute_tool add")!);
  assert.deepEqual([tool["type"], tool["inputs"], tool["outputs"]], ["TOOL", { a: 2, b: 3 }, 5]);
  assert.equal(mlflow(spans.get("invoke_agent adder")!)["type"], "AGENT");
});

test("Langfuse reads input, output, model, usage, session, user and the tool's name", async () => {
  const spans = await record();
  const first = langfuse(spans.get("first")!);
  assert.deepEqual(first["input"], [text("m1", "user", "What is 2+3?")]);
  assert.deepEqual(first["output"], [
    {
      id: "m2",
      role: "assistant",
      parts: [{ type: "tool_call", id: "c1", name: "add", arguments: '{"a":2,"b":3}' }],
    },
  ]);
  assert.deepEqual([first["model"], first["usage"]], ["gpt-5-mini-2026", [10, 5]]);
  assert.deepEqual([first["session"], first["user"]], ["session-1", "user-1"]);
  const tool = langfuse(spans.get("execute_tool add")!);
  assert.deepEqual([tool["name"], tool["input"], tool["output"]], ["add", { a: 2, b: 3 }, 5]);
});

test("Phoenix reads span kinds, system text, tools and the parts of every message", async () => {
  const spans = await record();
  assert.deepEqual(phoenix(spans.get("second")!), {
    kind: "LLM",
    model: "gpt-5-mini-2026",
    agent: undefined,
    system: [{ type: "text", id: "s1", content: "You add." }],
    tools: [{ type: "function", name: "add", parameters: {} }],
    input: [
      ["user", "text"],
      ["assistant", "tool_call"],
      ["tool", "tool_call_response"],
    ],
    output: [["assistant", "text"]],
  });
  const turn = phoenix(spans.get("invoke_agent adder")!);
  assert.deepEqual([turn["kind"], turn["agent"]], ["AGENT", "adder"]);
  assert.equal(phoenix(spans.get("execute_tool add")!)["kind"], "TOOL");
});

test("Jaeger reads kind, error status, error type and the exception", async () => {
  const spans = await record();
  assert.deepEqual(jaeger(spans.get("execute_tool broken")!), {
    kind: SpanKind.INTERNAL,
    error: true,
    description: "no such tool",
    type: "RangeError",
    logs: [["exception", "RangeError", "no such tool"]],
  });
  assert.deepEqual(
    [jaeger(spans.get("first")!)["kind"], jaeger(spans.get("first")!)["error"]],
    [SpanKind.CLIENT, false],
  );
});
