/** A chat inside a span of your own: Weft's spans join whatever trace they find. */
import assert from "node:assert/strict";
import { AssistantAgent } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
import { withSpan } from "@weft/tracing";

using _ = captureTraces();

const alice = new AssistantAgent({ name: "alice", model: scriptedModel(["2 + 3 is 5."]) });

const result = await withSpan({ name: "answer a ticket", attributes: { ticket: 17 } }, async (span) => {
  span.setInputs({ question: "What is 2 + 3?" });
  const answer = await alice.run("What is 2 + 3?").result;
  span.setOutputs({ answer: answer.text });
  return answer;
});

const trace = traceOf(result);
console.log(trace.toText());
assert.equal(trace.root?.name, "answer a ticket");
assert.equal(trace.orphans.length, 0);
