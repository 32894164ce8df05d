/** What goes with an answer on each binding, and what does not go with its neighbours'. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { SendMessageRequest } from "@a2a-js/sdk";
import { SendMessageRequest as codec } from "@a2a-js/sdk";
import { hopExtensionUri } from "../src/a2a/uris.ts";
import { defineAgent } from "../src/agent/index.ts";
import { sendJson } from "../src/server/responses.ts";
import { sendRequest } from "./requests.ts";
import { startService } from "./support.ts";
import { WebSocketClient } from "./websocket-client.ts";

const timeout = 20_000;
const asked = { "a2a-version": "1.0", "a2a-extensions": hopExtensionUri };

test("a header that HTTP cannot carry costs its own answer, not those of the same turn", async (t) => {
  const waiting: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    if (waiting.push(response) < 3) return;
    const [before, bad, after] = waiting.toSorted((one, other) => idOf(one) - idOf(other));
    sendJson(before!, 200, { id: idOf(before!) });
    sendJson(bad!, 200, {}, { "x-bad": "line\nbreak" });
    sendJson(after!, 200, { id: idOf(after!) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = async (id: number): Promise<unknown> => (await fetch(`${url}/${id}`)).json();
  const [before, bad, after] = await Promise.allSettled([get(1), get(2), get(3)]);
  assert.deepEqual([before, after], [fulfilled({ id: 1 }), fulfilled({ id: 3 })]);
  assert.equal(bad.status, "rejected");
});

function idOf({ req }: ServerResponse): number {
  return Number(req.url!.slice(1));
}

function fulfilled(value: unknown): PromiseSettledResult<unknown> {
  return { status: "fulfilled", value };
}

/** Reads a stream to its end and tells the extensions that it said at its head. */
const extensionsOf: Record<string, (url: string, request: SendMessageRequest) => Promise<unknown>> = {
  jsonrpc: (url, request) =>
    extensionsOfPost(url, {
      jsonrpc: "2.0",
      id: 1,
      method: "SendStreamingMessage",
      params: codec.toJSON(request),
    }),
  rest: (url, request) => extensionsOfPost(`${url}/message:stream`, codec.toJSON(request)),
  ws: async (url, request) => {
    using client = await WebSocketClient.open(`${url.replace("http", "ws")}/ws`, "json");
    const params = codec.toJSON(request) as object;
    const { events } = await client.stream("SendStreamingMessage", params, { parameters: asked });
    return events[0]?.parameters?.["a2a-extensions"];
  },
  grpc: async (url, request) => {
    const { credentials, makeGenericClientConstructor, Metadata } = await import("@grpc/grpc-js");
    const { A2AService } = await import("@a2a-js/sdk/server/grpc");
    const Client = makeGenericClientConstructor(A2AService, "A2AService");
    const client = new Client(new URL(url).host, credentials.createInsecure());
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(asked)) metadata.set(name, value);
    const call = client["sendStreamingMessage"]!(request, metadata);
    const [head] = (await once(call, "metadata")) as [typeof metadata];
    await once(call.resume(), "end");
    client.close();
    return head.get("a2a-extensions")[0];
  },
};

async function extensionsOfPost(url: string, body: unknown): Promise<string | null> {
  const headers = { "content-type": "application/json", ...asked };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  await answer.text();
  return answer.headers.get("a2a-extensions");
}

for (const [binding, ask] of Object.entries(extensionsOf)) {
  test(
    `${binding}: a stream says its extensions, also that of a message sent again`,
    { timeout },
    async () => {
      let turns = 0;
      const counts = defineAgent({
        name: "counts",
        async *respond() {
          yield String(++turns);
        },
      });
      await using service = await startService(counts);
      const request = sendRequest("go", { contextId: "c", messageId: "m" });
      assert.equal(await ask(service.url, request), hopExtensionUri);
      assert.equal(await ask(service.url, request), hopExtensionUri, "again");
      assert.equal(turns, 1);
    },
  );
}
