/**
 * AG2's group chat quick start: a manager lets a model choose who speaks.
 *
 *     groupchat = GroupChat(agents=[teacher, planner, reviewer], speaker_selection_method="auto", messages=[])
 *     manager = GroupChatManager(name="group_manager", groupchat=groupchat, llm_config=llm_config)
 *     teacher.initiate_chat(recipient=manager, message="Let's introduce our kids to the solar system.")
 */
import assert from "node:assert/strict";
import { ConversableAgent, GroupChat, GroupChatManager, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const agent = (name: string, description: string, ...said: string[]) =>
  new ConversableAgent({ name, description, model: scriptedModel(said), humanInputMode: "NEVER" });
const planner = agent(
  "planner_agent",
  "Creates lesson plans.",
  "Plan: the planets.",
  "Plan: the planets, with a game.",
);
const reviewer = agent("reviewer_agent", "Reviews lesson plans.", "Add a game.");
const teacher = new ConversableAgent({
  name: "teacher_agent",
  description: "Sets the topic and approves.",
  humanInputMode: "NEVER",
  model: scriptedModel(["DONE!"]),
});

const groupChat = new GroupChat({
  agents: [teacher, planner, reviewer],
  speakerSelectionMethod: "auto",
  isTerminationMsg: (message) => messageText(message).includes("DONE!"),
});
const manager = new GroupChatManager({
  name: "group_manager",
  groupChat,
  model: scriptedModel(["planner_agent", "reviewer_agent", "planner_agent", "teacher_agent"]),
});
const chat = await teacher.initiateChat(manager, {
  message: "Let's introduce our kids to the solar system.",
});
for (const message of chat.history) console.log(`${message.name}: ${messageText(message)}`);
assert.deepEqual(
  chat.history.map(({ name }) => name),
  ["teacher_agent", "planner_agent", "reviewer_agent", "planner_agent", "teacher_agent"],
);
assert.equal(chat.endedBy, "termination");
