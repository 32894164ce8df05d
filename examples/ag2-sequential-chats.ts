/**
 * AG2's sequential chat quick start: each chat is given the summaries of those before.
 *
 *     chat_results = teacher.initiate_chats([
 *         {"recipient": curriculum, "message": "...", "max_turns": 1, "summary_method": "last_msg"},
 *         {"recipient": planner, "message": "Create a lesson plan.", "max_turns": 1, "summary_method": "last_msg"},
 *         {"recipient": formatter, "message": "Format the lesson plan.", "max_turns": 1, "summary_method": "last_msg"}])
 */
import assert from "node:assert/strict";
import { ConversableAgent, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const teacher = new ConversableAgent({ name: "teacher", humanInputMode: "NEVER" });
const agent = (name: string) =>
  new ConversableAgent({
    name,
    humanInputMode: "NEVER",
    model: scriptedModel([
      ({ messages }) =>
        `${name} has read: ${messageText(messages[0]!).split("\n").slice(2).join("; ") || "nothing"}`,
    ]),
  });

const results = await teacher.initiateChats([
  { recipient: agent("curriculum"), message: "Choose a topic.", maxTurns: 1, summaryMethod: "last_msg" },
  { recipient: agent("planner"), message: "Create a lesson plan.", maxTurns: 1 },
  { recipient: agent("formatter"), message: "Format the lesson plan.", maxTurns: 1 },
]);
for (const { summary } of results) console.log(summary);
assert.equal(results[1]?.summary, "planner has read: curriculum has read: nothing");
assert.match(results[2]?.summary ?? "", /^formatter has read: curriculum .*; planner /);
