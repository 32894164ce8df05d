/*
 * An agent's turn: what the framework costs around a model that answers at once.
 *
 * Each case runs in this process, warm; CPU microseconds (user and system) a turn, the least of twelve slices, and KB
 * allocated a turn. Peers: the AI SDK's ToolLoopAgent, @openai/agents, and a loop by hand. Traced: into memory, nothing
 * leaves the process. Started by itself it prints the table:
 *
 *     node --expose-gc --conditions=@weft/source packages/agents/bench/turn.ts
 */
import { ToolLoopAgent, tool as aiTool } from "ai";
import type { AgentInputItem, Model, ModelResponse as OpenAIModelResponse } from "@openai/agents";
import { Agent as OpenAIAgent, Runner, Usage, setTracingDisabled, tool as openaiTool } from "@openai/agents";
import { ConversableAgent, tool } from "@weft/agents";
import type { ChatModel, ModelResponse } from "@weft/agents";
import { startTracing } from "@weft/tracing/node";
import { z } from "zod";

export interface TurnRow {
  readonly name: string;
  readonly case: "plain" | "tool";
  readonly isTraced: boolean;
  /** CPU microseconds a turn. */
  readonly us: number;
  /** KB allocated a turn; only with --expose-gc. */
  readonly kb: number | undefined;
}

type Turn = () => Promise<unknown>;

const parameters = { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } } as const;

function instantModel(withTool: boolean): ChatModel {
  const usage = { inputTokens: 10, outputTokens: 5 };
  const call: ModelResponse = {
    text: "",
    toolCalls: [{ id: "c1", name: "add", arguments: '{"a":2,"b":3}' }],
    finishReason: "tool_calls",
    usage,
  };
  const said: ModelResponse = { text: "It is 5.", toolCalls: [], finishReason: "stop", usage };
  const next = (count: number): ModelResponse => (withTool && count % 2 === 0 ? call : said);
  let count = 0;
  return {
    provider: "bench",
    modelId: "instant",
    generate: async () => next(count++),
    async *stream() {
      const response = next(count++);
      if (response.text) yield { type: "text-delta", text: response.text };
      yield { type: "finish", response };
    },
  };
}

function weft(withTool: boolean): Turn {
  const add = tool({
    name: "add",
    description: "adds",
    parameters,
    execute: ({ a, b }) => Number(a) + Number(b),
  });
  const agent = new ConversableAgent({
    name: "a",
    model: instantModel(withTool),
    ...(withTool ? { tools: [add] } : {}),
  });
  return () => agent.run("What is 2 + 3?").result;
}

function byHand(withTool: boolean): Turn {
  const model = instantModel(withTool);
  const signal = new AbortController().signal;
  return async () => {
    const messages: unknown[] = [{ role: "user", content: "What is 2 + 3?" }];
    for (;;) {
      const answer = await model.generate({ messages: messages as never }, { signal });
      messages.push({ role: "assistant", content: answer.text, toolCalls: answer.toolCalls });
      if (answer.toolCalls.length === 0) return answer.text;
      for (const call of answer.toolCalls) {
        const { a, b } = JSON.parse(call.arguments) as { a: number; b: number };
        messages.push({ role: "tool", content: String(a + b), id: call.id });
      }
    }
  };
}

function aiSdk(withTool: boolean): Turn {
  const usage = {
    inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 5, text: 5, reasoning: 0 },
  };
  let count = 0;
  const model = {
    specificationVersion: "v4",
    provider: "bench",
    modelId: "instant",
    supportedUrls: {},
    doStream: () => Promise.reject(new TypeError("not asked")),
    doGenerate: () => {
      const isCall = withTool && count++ % 2 === 0;
      const content = isCall
        ? [{ type: "tool-call", toolCallId: "c1", toolName: "add", input: '{"a":2,"b":3}' }]
        : [{ type: "text", text: "It is 5." }];
      const unified = isCall ? "tool-calls" : "stop";
      return Promise.resolve({ content, usage, finishReason: { unified, raw: unified }, warnings: [] });
    },
  };
  const add = aiTool({
    description: "adds",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => a + b,
  });
  const agent = new ToolLoopAgent({ model: model as never, ...(withTool ? { tools: { add } } : {}) });
  return () => agent.generate({ prompt: "What is 2 + 3?" });
}

function openaiAgents(withTool: boolean): Turn {
  setTracingDisabled(true);
  let count = 0;
  const model: Model = {
    async getResponse(): Promise<OpenAIModelResponse> {
      const isCall = withTool && count++ % 2 === 0;
      const output: readonly object[] = isCall
        ? [
            {
              type: "function_call",
              callId: "c1",
              name: "add",
              arguments: '{"a":2,"b":3}',
              status: "completed",
            },
          ]
        : [
            {
              type: "message",
              role: "assistant",
              status: "completed",
              content: [{ type: "output_text", text: "It is 5." }],
            },
          ];
      return { output: output as AgentInputItem[], usage: new Usage() };
    },
    // eslint-disable-next-line require-yield -- not asked
    async *getStreamedResponse() {
      throw new TypeError("not asked");
    },
  };
  const add = openaiTool({
    name: "add",
    description: "adds",
    parameters: z.object({ a: z.number(), b: z.number() }),
    execute: ({ a, b }) => a + b,
  });
  const agent = new OpenAIAgent({
    name: "a",
    instructions: "Add.",
    model,
    ...(withTool ? { tools: [add] } : {}),
  });
  const runner = new Runner({ tracingDisabled: true });
  return () => runner.run(agent, "What is 2 + 3?");
}

/** CPU microseconds a turn, over `turns` of them. */
async function cpuUs(turn: Turn, turns: number): Promise<number> {
  const started = process.cpuUsage();
  for (let i = 0; i < turns; i++) await turn();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / turns;
}

/** The least of twelve slices: a busy machine only ever adds. A slice is long enough for its garbage to be collected in it. */
async function measure(turn: Turn): Promise<Pick<TurnRow, "us" | "kb">> {
  const rough = await cpuUs(turn, 2_000);
  const turns = Math.max(500, Math.ceil(sliceUs / rough));
  let us = Infinity;
  for (let slice = 0; slice < 12; slice++) us = Math.min(us, await cpuUs(turn, turns));
  return { us, kb: await allocated(turn) };
}

const sliceUs = 20_000;

/** The middle of five: a collection in between makes one too small. */
async function allocated(turn: Turn): Promise<number | undefined> {
  if (!globalThis.gc) return undefined;
  const turns = 100;
  const samples: number[] = [];
  for (let sample = 0; sample < 5; sample++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < turns; i++) await turn();
    samples.push((process.memoryUsage().heapUsed - before) / turns / 1024);
  }
  return samples.sort((a, b) => a - b)[2];
}

const peers = { "by hand": byHand, weft, "AI SDK": aiSdk, "@openai/agents": openaiAgents } as const;

/** Runs every case; the peers untraced, Weft both ways. */
export async function benchTurn(): Promise<readonly TurnRow[]> {
  const rows: TurnRow[] = [];
  for (const [name, make] of Object.entries(peers)) {
    for (const kind of ["plain", "tool"] as const) {
      rows.push({ name, case: kind, isTraced: false, ...(await measure(make(kind === "tool"))) });
    }
  }
  await using _ = startTracing({ endpoint: "http://127.0.0.1:9", content: "delta" });
  for (const kind of ["plain", "tool"] as const) {
    rows.push({ name: "weft", case: kind, isTraced: true, ...(await measure(weft(kind === "tool"))) });
  }
  return rows;
}

if (import.meta.main) {
  const rows = await benchTurn();
  const hand = (row: TurnRow): number =>
    rows.find((each) => each.name === "by hand" && each.case === row.case)?.us ?? 1;
  console.table(
    rows.map((row) => ({
      name: row.name,
      case: row.case,
      traced: row.isTraced,
      "us/turn": Number(row.us.toFixed(1)),
      "x by hand": Math.round(row.us / hand(row)),
      "KB/turn": row.kb === undefined ? "" : Number(row.kb.toFixed(1)),
    })),
  );
}
