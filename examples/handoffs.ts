/** Handoffs: by the model, by the chat's variables, by a tool's result, and by what follows an agent's work. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat, ReplyResult, handoff, regexGuardrail, target, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const findOrder = tool({
  name: "find_order",
  description: "finds an order by its number",
  parameters: { type: "object", properties: { number: { type: "string" } }, required: ["number"] },
  execute: ({ number }) =>
    new ReplyResult({
      message: `Order ${String(number)} was delivered.`,
      contextVariables: { delivered: true },
      target: "triage",
    }),
});

const triage = new AssistantAgent({
  name: "triage",
  model: scriptedModel([{ toolCalls: [{ name: "transfer_to_orders", arguments: {} }] }]),
  handoffs: [
    handoff("refunds", { when: ({ delivered }) => delivered === true }),
    handoff("orders", { prompt: "When the customer asks about an order" }),
  ],
});
const orders = new AssistantAgent({
  name: "orders",
  model: scriptedModel([{ toolCalls: [{ name: "find_order", arguments: { number: "17" } }] }]),
  tools: [findOrder],
});
const refunds = new AssistantAgent({
  name: "refunds",
  model: scriptedModel(["Your card 4111 1111 1111 1111 gets 20 USD back."]),
  afterWork: target.terminate,
  guardrails: [
    regexGuardrail({
      name: "cards",
      on: "output",
      pattern: /\d{4} \d{4} \d{4} \d{4}/,
      message: "You get 20 USD back.",
    }),
  ],
});

const desk = new GroupChat({
  agents: [triage, orders, refunds],
  speakerSelection: "handoffs",
  initialAgent: triage,
  contextVariables: { delivered: false },
});
const run = desk.run("Where is my order 17? I want my money back.");
const ways: string[] = [];
for await (const event of run) {
  if (event.type === "handoff") ways.push(`${event.from} -> ${event.to} (${event.reason})`);
  if (event.type === "message" && event.text) console.log(`${event.from}: ${event.text}`);
}
const result = await run.result;
for (const way of ways) console.log(way);
assert.deepEqual(ways, [
  "triage -> orders (the model's choice)",
  "orders -> triage (a tool's result)",
  "triage -> refunds (by context)",
]);
assert.equal(result.text, "You get 20 USD back.");
assert.equal(result.contextVariables["delivered"], true);
