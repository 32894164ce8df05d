/** Testing a chat with a remote member: a script behind the real server and client, and what goes wrong on request. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat, RunError, messageText } from "@weft/agents";
import { captureTraces, fakeRemote, scriptedModel, traceOf } from "@weft/agents/testing";

using _ = captureTraces();
await using checker = await fakeRemote(
  ["2 + 3 is 5.", { text: "2 + 3 is, let me see,", dropAfter: 3 }, { refuse: 503 }],
  { name: "checker" },
);
const planner = new AssistantAgent({ name: "planner", model: scriptedModel(["Check it."]) });
const team = new GroupChat({ agents: [planner, checker], speakerSelection: "roundRobin", maxRound: 3 });

const result = await team.run("What is 2 + 3?").result;
for (const message of result.history) console.log(`${message.name}: ${messageText(message)}`);
assert.equal(result.text, "2 + 3 is 5.");
// The call crossed the wire with the chat's trace, its conversation, and what the checker had not seen.
const [call] = checker.requests;
assert.equal(call?.traceparent?.split("-")[1], result.traceId);
assert.equal(call?.conversationId, result.conversationId);
assert.deepEqual(
  call?.messages.map((message) => messageText(message)),
  ["What is 2 + 3?", "Check it."],
);
assert.equal(traceOf(result).orphans.length, 0);

const alone = new GroupChat({ agents: [checker], speakerSelection: "roundRobin", maxRound: 2 });
for (const what of ["The line breaks", "The service refuses"]) {
  const error: unknown = await alone.run("And 4 + 5?").result.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RunError);
  console.log(`${what}: ${error.code}, ${error.result.endedBy}`);
  assert.equal(error.code, "unavailable");
}
