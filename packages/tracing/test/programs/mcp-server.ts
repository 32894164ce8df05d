/** A real MCP server over stdio: one tool that adds and says what context it was called with, one that fails. */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const server = new Server({ name: "adder", version: "1.0.0" }, { capabilities: { tools: {} } });
const inputSchema = { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } } as const;
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: "add", inputSchema }] }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
  const { a = 0, b = 0 } = (params.arguments ?? {}) as { a?: number; b?: number };
  const said = { sum: a + b, traceparent: params._meta?.["traceparent"] ?? "none" };
  return { content: [{ type: "text", text: JSON.stringify(said) }], isError: params.name === "broken" };
});
await server.connect(new StdioServerTransport());
