/** The tools of an MCP server, which runs as a process of its own, used by an agent. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { AssistantAgent, mcpTools } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const program = fileURLToPath(new URL("servers/sums.ts", import.meta.url));
await using tools = await mcpTools({ command: process.execPath, args: [program] });

const model = scriptedModel([
  { toolCalls: [{ name: "add", arguments: { a: 2, b: 3 } }] },
  ({ messages }) => `The server says ${messages.at(-1)?.toolResponses?.[0]?.content ?? "nothing"}.`,
]);
const { text } = await new AssistantAgent({ name: "adder", model, tools }).run("What is 2 + 3?").result;
console.log(`tools: ${tools.map(({ name }) => name).join(", ")}`);
console.log(text);
assert.equal(text, "The server says 5.");
