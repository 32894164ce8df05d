/** One agent's model asks for a tool, the other agent runs it: both halves of a tool, apart. */
import assert from "node:assert/strict";
import { AssistantAgent, UserProxyAgent, messageText, registerFunction, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const exchange = tool({
  name: "exchange",
  description: "converts an amount of USD into EUR",
  parameters: { type: "object", properties: { usd: { type: "number" } }, required: ["usd"] },
  execute: ({ usd }) => `${(Number(usd) * 0.9).toFixed(2)} EUR`,
});

const assistant = new AssistantAgent({
  name: "assistant",
  model: scriptedModel([
    { toolCalls: [{ name: "exchange", arguments: { usd: 100 } }] },
    ({ messages }) => `That is ${messages.at(-1)?.toolResponses?.[0]?.content ?? "unknown"}.`,
    "TERMINATE",
  ]),
});
const user = new UserProxyAgent({ name: "user", humanInputMode: "NEVER", defaultAutoReply: "Thanks." });
registerFunction(exchange, { caller: assistant, executor: user });

const chat = await user.initiateChat(assistant, { message: "How much is 100 USD in EUR?", maxTurns: 5 });
for (const { name, toolCalls, toolResponses, ...message } of chat.history) {
  const calls = toolCalls?.map((call) => `calls ${call.name}(${call.arguments})`) ?? [];
  const results = toolResponses?.map((response) => `ran it: ${response.content}`) ?? [];
  console.log(`${name}: ${[messageText(message), ...calls, ...results].filter(Boolean).join(" ")}`);
}
assert.equal(chat.history[3]?.content, "That is 90.00 EUR.");
assert.equal(chat.history[2]?.name, "user");
assert.equal(chat.endedBy, "termination");
