/** A tool that needs a human's word: answered while the chat runs, or after it was put away as JSON. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const paid: number[] = [];
const pay = tool({
  name: "pay",
  description: "pays an amount in USD",
  parameters: { type: "object", properties: { amount: { type: "number" } }, required: ["amount"] },
  needsApproval: ({ amount }) => Number(amount) > 100,
  execute: ({ amount }) => {
    paid.push(Number(amount));
    return "paid";
  },
});
const office = (...script: Parameters<typeof scriptedModel>[0]) =>
  new GroupChat({
    name: "office",
    agents: [new AssistantAgent({ name: "clerk", model: scriptedModel(script), tools: [pay] })],
    speakerSelection: "roundRobin",
    maxRound: 2,
  });
const call = (amount: number) => ({ toolCalls: [{ name: "pay", arguments: { amount } }] });

// While it runs: whoever reads the events answers.
const run = office(call(50), call(500), "Both are paid.").run("Pay the bills.");
for await (const event of run) {
  if (event.type !== "input-required") continue;
  console.log(`asked: ${event.prompt}`);
  event.respond({ approved: true });
}
console.log((await run.result).text);
assert.deepEqual(paid, [50, 500]);

// Later, in another process: without a reader the chat is suspended, and its state is plain JSON.
const first = await office(call(900)).run("Pay the last bill.").result;
assert.equal(first.endedBy, "suspended");
const stored = JSON.stringify(first.state);
console.log(`put away: ${first.pending[0]?.prompt}`);
assert.deepEqual(paid, [50, 500]);

const answers = { [first.pending[0]?.id ?? ""]: { approved: false, reason: "too much" } };
const told: string[] = [];
const later = await office(({ messages }) => {
  told.push(messages.at(-1)?.toolResponses?.[0]?.content ?? "");
  return "It was not approved.";
}).resume(stored, { answers }).result;
console.log(`${later.text} The model was told: ${told[0]}`);
assert.deepEqual(paid, [50, 500]);
assert.match(told[0] ?? "", /too much/);
