/** Chats one after another, each with what came out of those before; and an agent that asks others before it answers. */
import assert from "node:assert/strict";
import { AssistantAgent, UserProxyAgent, initiateChats, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const user = new UserProxyAgent({ name: "user", humanInputMode: "NEVER" });
const researcher = new AssistantAgent({
  name: "researcher",
  model: scriptedModel(["Tea has 40 mg of caffeine a cup."]),
});

const critic = new AssistantAgent({ name: "critic", model: scriptedModel(["Say compared with what."]) });
const editor = new AssistantAgent({
  name: "editor",
  model: scriptedModel([({ messages }) => `Edited after: ${messageText(messages[0]!).split("\n").at(-1)}`]),
});
// The writer answers the user by two chats of its own; the last summary is its reply.
const writer = new AssistantAgent({ name: "writer", model: scriptedModel([]) }).registerNestedChats(
  [
    { recipient: critic, maxTurns: 1 },
    { recipient: editor, message: "Mend the text.", maxTurns: 1 },
  ],
  user,
);

const [facts, text] = await initiateChats([
  { sender: user, recipient: researcher, message: "How much caffeine has tea?", maxTurns: 1 },
  { sender: user, recipient: writer, message: "Write one sentence.", maxTurns: 1 },
]);
console.log(`researcher: ${facts?.summary}`);
console.log(`writer was asked: ${JSON.stringify(text?.history[0]?.content)}`);
console.log(`writer: ${text?.text}`);
assert.match(messageText(text!.history[0]!), /Context: \nTea has 40 mg/);
assert.equal(text?.text, "Edited after: Say compared with what.");

// With ids and prerequisites the chats are a graph: what does not wait for another runs at once.
const asked = (name: string) => new AssistantAgent({ name, model: scriptedModel([`${name} done`]) });
const results = await initiateChats([
  { id: "menu", sender: user, recipient: asked("menu"), message: "Menu?", maxTurns: 1 },
  { id: "guests", sender: user, recipient: asked("guests"), message: "Guests?", maxTurns: 1 },
  {
    id: "invite",
    prerequisites: ["menu", "guests"],
    sender: user,
    recipient: asked("invite"),
    message: "Invite.",
    maxTurns: 1,
  },
]);
console.log(`invite was asked: ${JSON.stringify(results["invite"]?.history[0]?.content)}`);
assert.equal(results["invite"]?.history[0]?.content, "Invite.\nContext: \nmenu done\nguests done");
