/** Two agents talk until one of them ends it. */
import assert from "node:assert/strict";
import { AssistantAgent, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const alice = new AssistantAgent({
  name: "alice",
  systemMessage: "You ask about arithmetic.",
  model: scriptedModel(["And 6 * 7?", "Thank you. TERMINATE"]),
});
const bob = new AssistantAgent({
  name: "bob",
  systemMessage: "You answer shortly.",
  model: scriptedModel(["2 + 3 is 5.", "6 * 7 is 42."]),
  isTerminationMessage: (message) => messageText(message).endsWith("TERMINATE"),
});

const chat = await alice.initiateChat(bob, { message: "What is 2 + 3?", maxTurns: 10 });

for (const message of chat.history) console.log(`${message.name}: ${messageText(message)}`);
assert.equal(chat.endedBy, "termination");
assert.equal(chat.history.length, 5);
