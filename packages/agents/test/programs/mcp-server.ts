/* An MCP server over standard input and output. */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createMcpServer } from "../support/mcp-server.ts";

await createMcpServer().connect(new StdioServerTransport());
