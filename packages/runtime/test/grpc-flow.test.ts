/** How far a gRPC stream runs ahead of a reader that does not read, seen by a client that speaks bare HTTP/2. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { AgentCard, StreamResponse } from "@a2a-js/sdk";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { createAgentCard } from "../src/a2a/agent-card.ts";
import { textPart } from "../src/a2a/message-mapping.ts";
import { GrpcEndpoint } from "../src/server/grpc-endpoint.ts";
import { importGrpc, importLegacyGrpc } from "../src/server/import-grpc.ts";
import { defaultLimits } from "../src/server/limits.ts";
import { sendRequest } from "./requests.ts";
import { echo } from "./support.ts";

function artifactOf(text: string): StreamResponse {
  const parts = [textPart(text)];
  const rest = { name: "", description: "", metadata: undefined, extensions: [] };
  const artifact = { artifactId: "a", parts, ...rest };
  const flags = { append: true, lastChunk: false, metadata: undefined };
  return {
    payload: { $case: "artifactUpdate", value: { taskId: "t", contextId: "c", artifact, ...flags } },
  };
}

const modules = await importGrpc();
const legacy = await importLegacyGrpc();

/** The same question in both versions: its path, its message and its headers. */
const streams = {
  "1.0": () => {
    const { path, requestSerialize } = modules.server.A2AService.sendStreamingMessage;
    const body = requestSerialize(sendRequest("x"));
    return { path, body, headers: { "a2a-version": "1.0" } };
  },
  "0.3": () => {
    const { path, requestSerialize } = legacy.server.LegacyA2AService.sendStreamingMessage;
    const ids = { messageId: "m", contextId: "", taskId: "", extensions: [], metadata: undefined };
    const request = { ...ids, role: 1, content: [{ part: { $case: "text" as const, value: "x" } }] };
    return {
      path,
      body: requestSerialize({ request, configuration: undefined, metadata: undefined }),
      headers: {},
    };
  },
};

for (const [version, bytes, most] of [
  // What HTTP/2's window took, what may wait, and one event more.
  ["1.0", 1_000_000, 2],
  ["1.0", 20_000, 20],
  ["0.3", 1_000_000, 2],
  ["0.3", 20_000, 20],
] as const) {
  test(`of ${version}'s events of ${bytes} bytes at most ${most} are ahead of a reader that reads none`, async (t) => {
    let taken = 0;
    const card: AgentCard = createAgentCard(echo, { url: "", bindings: ["grpc"] });
    const event = artifactOf("x".repeat(bytes));
    const handler = {
      getAgentCard: async () => card,
      async *sendMessageStream() {
        while (++taken < 1_000) yield event;
      },
    } as unknown as A2ARequestHandler;
    const endpoint = new GrpcEndpoint({
      modules,
      legacy,
      handler,
      limits: defaultLimits,
      authenticate: async () => null,
    });
    const server = createServer((socket) => endpoint.inject(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(async () => {
      session.destroy();
      server.close();
      await endpoint.close(0);
    });
    const { path, body, headers } = streams[version]();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    const request = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    request.end(Buffer.concat([head, body]));
    await once(request, "response");
    // Each answer to a ping comes after what the service could send before it.
    for (let round = 0; round < 100; round++) {
      await new Promise((resolve) => session.ping(resolve));
    }
    assert.ok(taken >= 1 && taken <= most, `${taken} events were taken`);
  });
}
