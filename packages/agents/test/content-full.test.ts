import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";

// Read when the first span is recorded: a process has one policy.
process.env["WEFT_CONTENT"] = "full";

test("[L1] Under the policy `full` every call says all it was sent", async () => {
  using _ = captureTraces();
  const agent = new ConversableAgent({
    name: "a",
    model: scriptedModel(["1", "2"]),
    humanInputMode: "NEVER",
  });
  const user = new ConversableAgent({ name: "u", defaultAutoReply: "more", humanInputMode: "NEVER" });
  const chat = await user.initiateChat(agent, { message: "go", maxTurns: 2 });
  const sent = traceOf(chat)
    .find("chat scripted")
    .map(({ attributes }) => String(attributes["gen_ai.input.messages"]));
  assert.match(sent[1] ?? "", /"go".*"1".*"more"/u);
});
