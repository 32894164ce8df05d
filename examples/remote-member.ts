/** A member served over A2A takes part in a group chat like any other, and the whole is one trace. */
import assert from "node:assert/strict";
import { AssistantAgent, GroupChat, defineAgent, messageText, remoteAgent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
import { serve } from "@weft/runtime";

using _ = captureTraces();

const checker = defineAgent({
  name: "checker",
  description: "checks a sum",
  async *respond({ messages }) {
    const last = messages.at(-1);
    yield last === undefined ? "I heard nothing." : `I heard "${messageText(last)}" and it is right.`;
  },
});
await using service = await serve(checker, { port: 0, host: "127.0.0.1", bindings: ["jsonrpc", "ws"] });

const team = new GroupChat({
  agents: [
    new AssistantAgent({ name: "adder", model: scriptedModel(["2 + 3 is 5."]) }),
    await remoteAgent(service.url, { name: "checker", binding: "ws" }),
  ],
  speakerSelection: "roundRobin",
  maxRound: 3,
});
const result = await team.run("What is 2 + 3?").result;
console.log(result.text);
assert.match(result.text, /2 \+ 3 is 5.*right/);

const trace = traceOf(result);
console.log(trace.toText());
assert.equal(trace.roots.length, 1);
assert.equal(trace.orphans.length, 0);
