import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { AssistantAgent, mcpTools } from "@weft/agents";
import type { McpTools } from "@weft/agents";
import { captureTraces, humanScript, scriptedModel, traceOf } from "@weft/agents/testing";
import { createMcpServer } from "./support/mcp-server.ts";

async function useHttpServer() {
  const server = createServer((request, response) => {
    // Without sessions: a transport of its own for each request.
    const transport = new StreamableHTTPServerTransport();
    response.on("close", () => void transport.close());
    void createMcpServer()
      .connect(transport as Parameters<ReturnType<typeof createMcpServer>["connect"]>[0])
      .then(() => transport.handleRequest(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function checkTools(tools: McpTools): Promise<void> {
  using _ = captureTraces();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["add_numbers", "fail"],
  );
  const calls = [
    { name: "add_numbers", arguments: { a: 2, b: 3 } },
    { name: "fail", arguments: {} },
    { name: "add_numbers", arguments: { a: "two" } },
  ];
  const model = scriptedModel([{ toolCalls: calls }, "done"]);
  const result = await new AssistantAgent({ name: "a", model, tools }).run("go").result;
  assert.equal(result.text, "done");
  const [sum, failure, misfit] = model.calls[1]?.messages.at(-1)?.toolResponses ?? [];
  assert.equal(sum?.content, `5 in ${result.traceId}`);
  assert.match(failure?.content ?? "", /out of order/u);
  assert.match(misfit?.content ?? "", /do not fit/u);
  assert.equal(
    traceOf(result).find("execute_tool add_numbers")[0]?.attributes["mcp.method.name"],
    "tools/call",
  );
}

test("[O4] An MCP server over standard input and output gives tools", async () => {
  const program = fileURLToPath(new URL("programs/mcp-server.ts", import.meta.url));
  await using tools = await mcpTools({ command: process.execPath, args: [program] });
  await checkTools(tools);
});

test("[O4] An MCP server over HTTP gives tools", async () => {
  await using server = await useHttpServer();
  await using tools = await mcpTools({ url: server.url });
  await checkTools(tools);
});

test("[O4] A client that is connected already is used as it is, and stays connected", async () => {
  const client = new Client({ name: "own", version: "1" });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await createMcpServer().connect(far);
  await client.connect(near);
  {
    await using tools = await mcpTools(client, { prefix: "sums", only: ["add.numbers"] });
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["sums_add_numbers"],
    );
  }
  assert.equal((await client.listTools()).tools.length, 2);
  await client.close();
});

test("[O5] MCP tools may need approval", async () => {
  const client = new Client({ name: "own", version: "1" });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await createMcpServer().connect(far);
  await client.connect(near);
  using humanInput = humanScript([{ approved: false }]);
  await using tools = await mcpTools(client, { needsApproval: (name) => name === "add.numbers" });
  const model = scriptedModel([{ toolCalls: [{ name: "add_numbers", arguments: { a: 1, b: 1 } }] }, "ok"]);
  await new AssistantAgent({ name: "a", model, tools, humanInput }).run("go").result;
  assert.match(model.calls[1]?.messages.at(-1)?.toolResponses?.[0]?.content ?? "", /not approved/u);
  await client.close();
});

test("[O4] A server that cannot be reached is an error with its name", async () => {
  await assert.rejects(mcpTools({ url: "http://127.0.0.1:1/mcp" }), {
    code: "unavailable",
    message: /127\.0\.0\.1:1/u,
  });
  await assert.rejects(mcpTools({ command: "weft-no-such-program" }), {
    code: "unavailable",
    message: /no-such-program/u,
  });
});
