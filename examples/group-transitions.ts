/** A group whose members may only speak in an order that a graph allows; a model chooses where it leaves a choice. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const member = (name: string, ...said: string[]) => new AssistantAgent({ name, model: scriptedModel(said) });
const team = new GroupChat({
  agents: [
    member("planner", "Step one: write the function."),
    member("coder", "function add(a, b) { return a - b }", "function add(a, b) { return a + b }"),
    member("reviewer", "It subtracts. Again, please.", "TERMINATE"),
  ],
  allowedTransitions: { planner: ["coder"], coder: ["reviewer"], reviewer: ["coder", "planner"] },
  selectorModel: scriptedModel(["planner", "coder"]),
  maxRound: 10,
});

const run = team.run("We need a function that adds.");
const speakers: string[] = [];
for await (const event of run) {
  if (event.type === "speaker-selected") {
    speakers.push(event.chosen ?? "nobody");
    console.log(`next: ${event.chosen} of ${event.candidates.join(", ")} (${event.reason})`);
  }
}
const result = await run.result;
assert.deepEqual(speakers, ["planner", "coder", "reviewer", "coder", "reviewer"]);
assert.equal(result.endedBy, "termination");
