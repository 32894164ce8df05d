/**
 * AG2's tool quick start: one agent is offered a function, the other runs it.
 *
 *     assistant.register_for_llm(name="calculator", description="A simple calculator")(calculator)
 *     user_proxy.register_for_execution(name="calculator")(calculator)
 *     chat_result = user_proxy.initiate_chat(assistant, message="What is (44232 + 13312 / (232 - 32)) * 5?")
 */
import assert from "node:assert/strict";
import { ConversableAgent, messageText, tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const calculator = tool({
  name: "calculator",
  description: "A simple calculator",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" }, operator: { enum: ["+", "-", "*", "/"] } },
    required: ["a", "b", "operator"],
  },
  execute: ({ a, b, operator }) => {
    const [x, y] = [Number(a), Number(b)];
    return operator === "+" ? x + y : operator === "-" ? x - y : operator === "*" ? x * y : x / y;
  },
});
const calls = (a: number, operator: string, b: number) => ({
  toolCalls: [{ name: "calculator", arguments: { a, b, operator } }],
});

const assistant = new ConversableAgent({
  name: "Assistant",
  systemMessage: "You do simple calculations. Return TERMINATE when the task is done.",
  humanInputMode: "NEVER",
  model: scriptedModel([
    calls(232, "-", 32),
    calls(13312, "/", 200),
    calls(44232, "+", 66.56),
    calls(44298.56, "*", 5),
    "The result is 221492.8. TERMINATE",
  ]),
});
const user = new ConversableAgent({
  name: "User",
  humanInputMode: "NEVER",
  isTerminationMessage: (message) => messageText(message).includes("TERMINATE"),
});
assistant.registerForLLM(calculator);
user.registerForExecution(calculator);

const chat = await user.initiateChat(assistant, { message: "What is (44232 + 13312 / (232 - 32)) * 5?" });
console.log(
  chat.history.flatMap(({ toolResponses = [] }) => toolResponses.map(({ content }) => content)).join(", "),
);
console.log(chat.summary);
assert.equal(chat.history.length, 10);
assert.equal(chat.summary, "The result is 221492.8.");
