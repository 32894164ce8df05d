/** A LangChain chain as an agent's tool: OpenInference's instrumentation writes its steps into the agent's trace. */
import assert from "node:assert/strict";
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as callbackManager from "@langchain/core/callbacks/manager";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { AssistantAgent, tool } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
import { z } from "zod";

using _ = captureTraces();
new LangChainInstrumentation().manuallyInstrument(callbackManager);

const chain = ChatPromptTemplate.fromTemplate("Translate into French: {text}")
  .pipe(new FakeListChatModel({ responses: ["bonjour"] }))
  .pipe(new StringOutputParser());

const translate = tool({
  name: "translate",
  description: "Translates into French.",
  parameters: z.object({ text: z.string() }),
  execute: ({ text }) => chain.invoke({ text }),
});

const alice = new AssistantAgent({
  name: "alice",
  model: scriptedModel([
    { toolCalls: [{ name: "translate", arguments: { text: "hello" } }] },
    "In French: bonjour.",
  ]),
  tools: [translate],
});

const result = await alice.run("What is hello in French?").result;
const trace = traceOf(result);
console.log(`${result.text}\n${trace.toText()}`);

assert.equal(result.text, "In French: bonjour.");
assert.deepEqual([trace.roots.length, trace.orphans.length], [1, 0]);
const [called] = trace.find("execute_tool translate");
const [sequence] = trace.find("RunnableSequence");
assert.equal(sequence?.span.parentSpanId, called?.span.spanId);
const kinds = ["RunnableSequence", "ChatPromptTemplate", "FakeListChatModel", "StrOutputParser"].map(
  (name) => trace.find(name)[0]?.attributes["openinference.span.kind"],
);
assert.deepEqual(kinds, ["CHAIN", "PROMPT", "LLM", "CHAIN"]);
