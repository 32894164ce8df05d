/**
 * AG2's nested chat quick start: the writer's text is criticised inside the user proxy before it answers.
 *
 *     user_proxy.register_nested_chats(
 *         [{"recipient": critic, "message": reflection_message, "summary_method": "last_msg", "max_turns": 1}],
 *         trigger=writer)
 *     res = user_proxy.initiate_chat(recipient=writer, message=task, max_turns=2, summary_method="last_msg")
 */
import assert from "node:assert/strict";
import { AssistantAgent, UserProxyAgent, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const writer = new AssistantAgent({
  name: "Writer",
  model: scriptedModel(["Tea is good.", "Tea is good, and cheap."]),
});
const critic = new AssistantAgent({
  name: "Critic",
  model: scriptedModel([({ messages }) => `Too short: ${messageText(messages[0]!).split("\n").at(-1)}`]),
});
const userProxy = new UserProxyAgent({ name: "User", humanInputMode: "NEVER" });
userProxy.registerNestedChats(
  [
    {
      recipient: critic,
      message: (messages) =>
        `Reflect and provide critique on the following writing.\n${messageText(messages.at(-1)!)}`,
      summaryMethod: "lastMessage",
      maxTurns: 1,
    },
  ],
  writer,
);

const chat = await userProxy.initiateChat(writer, {
  message: "Write about tea.",
  maxTurns: 2,
  summaryMethod: "lastMessage",
});
for (const message of chat.history) console.log(`${message.name}: ${messageText(message)}`);
assert.equal(chat.history[2]?.content, "Too short: Tea is good.");
assert.equal(chat.summary, "Tea is good, and cheap.");
