import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "@weft/runtime";
import { ConversableAgent, GroupChat, defineAgent, remoteAgent, tool } from "@weft/agents";
import type { AgentEvent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";

const add = tool({ name: "add", description: "adds", execute: () => 5 });
const usage = { inputTokens: 4, outputTokens: 1 };

function calculator(): ConversableAgent {
  const model = scriptedModel([
    { toolCalls: [{ name: "add", arguments: {} }], usage },
    { text: "it is 5", usage },
    { text: "still 5", usage },
  ]);
  return new ConversableAgent({ name: "calculator", model, tools: [add], humanInputMode: "NEVER" });
}

for (const respondWith of ["task", "message"] as const) {
  test(`A remote agent that answers with a ${respondWith} is a member like any other: streamed, counted, and in the one trace`, async () => {
    using _ = captureTraces();
    await using service = await serve(calculator(), { signals: false, respondWith });
    await using remote = await remoteAgent(service.url, { name: "calculator" });
    const asker = defineAgent({
      name: "asker",
      async *respond() {
        yield "are you sure?";
      },
    });
    const team = new GroupChat({ agents: [remote, asker], speakerSelection: "roundRobin", maxRound: 4 });
    const run = team.run("2+3?");
    const deltas: string[] = [];
    for await (const event of run)
      if (event.type === "text-delta" && event.from === "calculator") deltas.push(event.text);
    const result = await run.result;
    assert.deepEqual(
      result.history.map(({ name, content }) => [name, content]),
      [
        ["user", "2+3?"],
        ["calculator", "it is 5"],
        ["asker", "are you sure?"],
        ["calculator", "still 5"],
      ],
    );
    assert.equal(deltas.join(""), "it is 5still 5");
    if (respondWith === "task") assert.ok(deltas.length >= 4, deltas.join("|"));
    assert.equal(result.usage.totalTokens, 15);
    const trace = traceOf(result);
    assert.equal(trace.orphans.length, 0, trace.toText());
    assert.equal(trace.root.name, "invoke_workflow group");
    assert.equal(trace.find("execute_tool add").length, 1);
  });
}

test("[G7] A served group chat answers like one agent, and its members' talk is one trace with the caller's", async () => {
  using _ = captureTraces();
  const member = (name: string): ConversableAgent =>
    new ConversableAgent({
      name,
      model: scriptedModel([`${name} one`, `${name} two`]),
      humanInputMode: "NEVER",
    });
  const inner = new GroupChat({
    name: "inner",
    agents: [member("x"), member("y")],
    speakerSelection: "roundRobin",
    maxRound: 3,
  });
  await using service = await serve(inner, { signals: false });
  await using remote = await remoteAgent(service.url, { name: "far" });
  const run = new GroupChat({
    agents: [remote, member("z")],
    speakerSelection: "roundRobin",
    maxRound: 4,
  }).run("go");
  const events: AgentEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.result;
  assert.deepEqual(
    result.history.map(({ name, content }) => [name, content]),
    [
      ["user", "go"],
      ["far", "y one"],
      ["z", "z one"],
      ["far", "y two"],
    ],
  );
  const trace = traceOf(result);
  assert.equal(trace.orphans.length, 0, trace.toText());
  assert.equal(trace.find("invoke_workflow inner").length, 2);
  assert.equal(trace.find("invoke_agent x").length, 2);
});
