/** A group chat whose speakers are chosen by a function, one of them with a tool. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat, messageText, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const number = { type: "number" } as const;
const multiply = tool({
  name: "multiply",
  description: "multiplies two numbers",
  parameters: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
  execute: ({ a, b }) => Number(a) * Number(b),
});

const planner = new AssistantAgent({
  name: "planner",
  model: scriptedModel(["Multiply 6 by 7, then check it."]),
});
const calculator = new AssistantAgent({
  name: "calculator",
  model: scriptedModel([{ toolCalls: [{ name: "multiply", arguments: { a: 6, b: 7 } }] }, "6 * 7 is 42."]),
  tools: [multiply],
});
const checker = new AssistantAgent({ name: "checker", model: scriptedModel(["42 / 7 is 6. TERMINATE"]) });

const team = new GroupChat({
  agents: [planner, calculator, checker],
  speakerSelection: ({ lastSpeaker }) =>
    lastSpeaker === undefined ? planner : lastSpeaker === planner ? calculator : checker,
  isTerminationMessage: (message) => messageText(message).endsWith("TERMINATE"),
  maxRound: 6,
});

const run = team.run("What is 6 * 7?");
const seen: string[] = [];
for await (const event of run) {
  seen.push(event.type);
  if (event.type === "message") console.log(`${event.from}: ${event.text}`);
  if (event.type === "tool-result")
    console.log(`${event.from} got ${JSON.stringify(event.output)} from its tool`);
}

const result = await run.result;
assert.equal(result.endedBy, "termination");
assert.ok(seen.includes("tool-call") && seen.includes("tool-result") && seen.includes("speaker-selected"));
