import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

/** Two tools: one that adds and says in which trace, one that fails. */
export function createMcpServer(): McpServer {
  const server = new McpServer({ name: "sums", version: "1.0.0" });
  server.registerTool(
    "add.numbers",
    { description: "adds two numbers", inputSchema: { a: z.number(), b: z.number() } },
    ({ a, b }, { _meta }) => ({
      content: [{ type: "text", text: `${a + b} in ${String(_meta?.["traceparent"]).split("-")[1]}` }],
    }),
  );
  server.registerTool("fail", { description: "fails", inputSchema: {} }, () => {
    throw new TypeError("out of order");
  });
  return server;
}
