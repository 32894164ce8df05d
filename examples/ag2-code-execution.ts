/**
 * AG2's first quick start: an assistant writes code, the user proxy runs it and sends back what came out.
 *
 *     assistant = AssistantAgent("assistant", llm_config=llm_config)
 *     user_proxy = UserProxyAgent("user_proxy", code_execution_config={"executor": LocalCommandLineCodeExecutor(...)},
 *                                 human_input_mode="NEVER")
 *     user_proxy.initiate_chat(assistant, message="What is the 10th Fibonacci number?")
 */
import assert from "node:assert/strict";
import { AssistantAgent, UserProxyAgent, localExecutor, messageText } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const code = "let [a, b] = [0, 1];\nfor (let i = 0; i < 10; i++) [a, b] = [b, a + b];\nconsole.log(a);";
const assistant = new AssistantAgent({
  name: "assistant",
  model: scriptedModel([`Run this:\n\`\`\`js\n${code}\n\`\`\``, "TERMINATE"]),
});
const userProxy = new UserProxyAgent({
  name: "user_proxy",
  humanInputMode: "NEVER",
  codeExecution: { executor: localExecutor({ timeoutMs: 20_000 }) },
});

const chat = await userProxy.initiateChat(assistant, {
  message: "What is the 10th Fibonacci number?",
  maxTurns: 5,
});
for (const message of chat.history)
  console.log(`${message.name}: ${messageText(message).split("\n").join(" | ")}`);
assert.equal(chat.history[2]?.content, "exitcode: 0 (execution succeeded)\nCode output: 55\n");
assert.equal(chat.endedBy, "termination");
