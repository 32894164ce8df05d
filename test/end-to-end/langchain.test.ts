/** What OpenInference's instrumentation writes of LangChain stands in the collector inside the Weft turn that called it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startCollector } from "@weft/collector";
import type { OtlpTraces, TraceHealth, TraceList } from "@weft/tracing/http";
// @boundaries-ignore tests of every package share the one way to run a Node
import { runNode } from "../../scripts/internal/tools.ts";

const folder = fileURLToPath(new URL("../../examples", import.meta.url));

test("A LangChain chain that an agent's tool runs is one trace with the agent, in the collector", async () => {
  await using collector = await startCollector({ port: 0, viewer: false });
  const { code, output } = await runNode("langchain.ts", [], {
    cwd: folder,
    stdio: "pipe",
    env: { WEFT_COLLECTOR: collector.url, NODE_OPTIONS: "--import @weft/tracing/register" },
  });
  assert.equal(code, 0, output);
  const read = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${collector.url}/api/traces${path}`)).json()) as T;
  const { traces } = await read<TraceList>("");
  assert.deepEqual(
    traces.map(({ rootName, state }) => [rootName, state]),
    [["conversation alice", "OK"]],
  );
  const traceId = traces[0]?.traceId ?? "";
  assert.equal((await read<TraceHealth>(`/${traceId}/health`)).ok, true);
  const trace = await read<OtlpTraces>(`/${traceId}`);
  const scopes = trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans);
  const foreign = scopes.find(({ scope }) => scope?.name?.includes("openinference"));
  const call = scopes.flatMap(({ spans }) => spans).find(({ name }) => name === "execute_tool translate");
  assert.deepEqual(
    foreign?.spans.map(({ name, parentSpanId }) => [name, parentSpanId === call?.spanId]),
    [
      ["RunnableSequence", true],
      ["ChatPromptTemplate", false],
      ["FakeListChatModel", false],
      ["StrOutputParser", false],
    ],
  );
});
