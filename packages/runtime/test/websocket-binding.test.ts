import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { captureSpans } from "@weft/tracing/internal";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { bearer, serve } from "../src/index.ts";
import { sendJson } from "./requests.ts";
import { echo, heldAgent, startService } from "./support.ts";
import { WebSocketClient } from "./websocket-client.ts";

const timeout = 20_000;
const wsUrl = (url: string): string => `${url.replace("http", "ws")}/ws`;

const floods = defineAgent({
  name: "floods",
  async *respond({ messages }) {
    const count = Number(messageText(messages.at(-1)!));
    for (let index = 0; index < count; index++) yield "0123456789".repeat(10);
  },
});

const handsBack = defineAgent({
  name: "hands back",
  async *respond({ messages }) {
    const content = messages.at(-1)!.content;
    assert.ok(Array.isArray(content));
    yield { type: "message", text: "", message: { id: "m", role: "assistant", content } } as never;
  },
});

for (const format of ["msgpack", "json"] as const) {
  describe(`a client written from the document, in ${format}`, { timeout }, () => {
    test("calls an operation and gets its answer with the trace id", async () => {
      using _ = captureSpans();
      await using service = await startService(echo);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const { type, result, parameters } = await client.call("SendMessage", sendJson("a b"));
      assert.equal(type, "response");
      assert.equal(result.task.status.state, "TASK_STATE_COMPLETED");
      assert.equal(result.task.artifacts[0]!.parts[0]!.text, "a b ");
      assert.match(parameters!["x-weft-trace-id"]!, /^[0-9a-f]{32}$/);
      const task = await client.call("GetTask", { id: result.task.id });
      assert.equal(task.result.id, result.task.id);
      const list = await client.call("ListTasks", { contextId: result.task.contextId });
      assert.deepEqual([list.result.tasks.length, list.result.nextPageToken], [1, ""]);
    });

    test("reads a stream to its end, numbered without a gap", async () => {
      using _ = captureSpans();
      await using service = await startService(echo);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const { events, last } = await client.stream("SendStreamingMessage", sendJson("a b c"));
      assert.ok(events[0]!.result.task.id);
      assert.match(events[0]!.parameters!["x-weft-trace-id"]!, /^[0-9a-f]{32}$/);
      assert.equal(events.at(-1)!.result.statusUpdate.status.state, "TASK_STATE_COMPLETED");
      assert.deepEqual([last.type, last.seq], ["end", events.length]);
    });

    test("gets an error for its request only, by code and reason", async () => {
      using _ = captureSpans();
      await using service = await startService(echo);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const unknown = await client.call("GetTask", { id: "none" });
      assert.equal(unknown.error!.code, -32001);
      assert.equal(unknown.error!.data![0]!.reason, "TASK_NOT_FOUND");
      assert.match(unknown.parameters!["x-weft-trace-id"]!, /^[0-9a-f]{32}$/);
      assert.equal((await client.call("Nix", {})).error!.code, -32601);
      assert.equal((await client.call("SendMessage", { message: 7 })).error!.code, -32602);
      const old = await client.call("GetTask", { id: "x" }, { parameters: {} });
      assert.equal(old.error!.code, -32009);
      const { last } = await client.stream("SubscribeToTask", { id: "none" });
      assert.equal(last.error!.code, -32001);
      client.send({ type: "request", id: 900, method: "GetTask", params: {}, parameters: { x: 7 } });
      assert.equal((await client.next(900)).error!.data![0]!.reason, "PROTOCOL_ERROR");
      client.send({ type: "nothing", id: 901 });
      assert.equal((await client.next(901)).error!.data![0]!.reason, "PROTOCOL_ERROR");
      assert.equal((await client.call("SendMessage", sendJson("still here"))).type, "response");
    });

    test("is sent no more of a stream than its credit, and the rest as it grants it", async () => {
      await using service = await startService(floods);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const credit = 4_000;
      const id = client.request("SendStreamingMessage", sendJson("500"), { credit });
      let [granted, taken, count] = [credit, 0, 0];
      for (;;) {
        const frame = await client.next(id);
        if (frame.type === "end") {
          assert.equal(frame.seq, count);
          break;
        }
        assert.equal(frame.seq, count++);
        // Before this event there was credit left: at most one event overdraws it.
        assert.ok(taken < granted, `event ${frame.seq} came after ${taken} of ${granted} bytes`);
        taken += frame.bytes;
        if (taken < granted) continue;
        // Another call in between shows that only the stream waits, and that nothing of it comes unasked.
        await client.call("ListTasks", {});
        assert.equal(client.waiting(id), 0);
        client.send({ type: "credit", id, credit });
        granted += credit;
      }
      assert.ok(count > 500);
    });

    test("stops a stream with cancel, and the task goes on", async () => {
      const { agent, release } = heldAgent(["two"], ["one "]);
      await using service = await startService(agent);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const id = client.request("SendStreamingMessage", sendJson("go"));
      const { result } = await client.next(id);
      client.send({ type: "cancel", id });
      const subscribed = client.stream("SubscribeToTask", { id: result.task.id });
      // Answered after it: both are in the service.
      await client.call("ListTasks", {});
      release();
      const { events } = await subscribed;
      assert.equal(events.at(-1)!.result.statusUpdate.status.state, "TASK_STATE_COMPLETED");
      const task = await client.call("GetTask", { id: result.task.id });
      assert.equal(task.result.artifacts[0]!.parts[0]!.text, "one two");
    });

    test("sends and gets bytes", async () => {
      await using service = await startService(handsBack);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const bytes = Buffer.from([0, 1, 254, 255, 128]);
      const raw = format === "msgpack" ? bytes : bytes.toString("base64");
      const parts = [{ raw, filename: "f", mediaType: "application/octet-stream" }];
      const { result } = await client.call("SendMessage", sendJson("", { parts }));
      assert.deepEqual(result.task.artifacts[0]!.parts[0]!.raw, raw);
      const { events } = await client.stream("SendStreamingMessage", sendJson("", { parts }));
      const update = events.find((event) => (event.result.artifactUpdate?.artifact.parts.length ?? 0) > 0);
      assert.deepEqual(update!.result.artifactUpdate!.artifact.parts[0]!.raw, raw);
    });

    test("is told to go away when the service drains, gets its answer, and is closed", async () => {
      const { agent, started, release } = heldAgent(["done"]);
      const service = await startService(agent);
      using client = await WebSocketClient.open(wsUrl(service.url), format);
      const id = client.request("SendMessage", sendJson("go"));
      await started;
      const drained = service.drain();
      assert.equal((await client.next(undefined)).type, "go-away");
      release();
      assert.equal((await client.next(id)).result.task.artifacts[0]!.parts[0]!.text, "done");
      assert.equal((await client.closed).code, 1001);
      await drained;
    });
  });
}

test(
  "a frame that cannot be read is answered with an error and ends the connection",
  { timeout },
  async () => {
    await using service = await startService(echo);
    const cases: [string, string | Uint8Array<ArrayBuffer>, number, RegExp][] = [
      ["no JSON", "{", 1007, /-32700/],
      ["no frame", "7", 1007, /-32700/],
      ["no id", '{"type":"cancel"}', 1007, /-32700/],
      ["no msgpack", new Uint8Array([0xc1]), 1007, /-32700/],
      ["an array of four billion", new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]), 1007, /ends early/],
      ["an extension type", new Uint8Array([0xd4, 0x00, 0x00]), 1007, /0xd4/],
      ["binary where none belongs", new Uint8Array([0x81, 0xa1, 0x61, 0xc4, 0x01, 0x00]), 1007, /raw/],
      ["a key that is no string", new Uint8Array([0x81, 0x01, 0x01]), 1007, /key/],
      ["infinity", new Uint8Array([0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]), 1007, /finite/],
      ["too deep to be read", new Uint8Array(2_000).fill(0x91), 1007, /nested deeper/],
    ];
    for (const [name, data, code, expected] of cases) {
      using client = await WebSocketClient.open(
        wsUrl(service.url),
        typeof data === "string" ? "json" : "msgpack",
      );
      client.sendRaw(data);
      const { id, ...frame } = await client.next(null);
      assert.equal(id, null, name);
      assert.match(JSON.stringify(frame), expected, name);
      assert.equal((await client.closed).code, code, name);
    }
  },
);

test("several agents share one connection by tenant, as their cards say", { timeout }, async () => {
  const loud = defineAgent({
    name: "loud",
    async *respond({ messages }) {
      yield messageText(messages.at(-1)!).toUpperCase();
    },
  });
  await using service = await startService({ echo, loud });
  const [one, two] = Object.values(service.cards).map(({ supportedInterfaces }) =>
    supportedInterfaces.find(({ protocolBinding }) => protocolBinding === "urn:weft:a2a:ws-msgpack:1"),
  );
  assert.equal(one!.url, two!.url);
  using client = await WebSocketClient.open(one!.url, "json");
  const texts: string[] = [];
  for (const { tenant } of [one!, two!]) {
    const { result } = await client.call("SendMessage", { tenant, ...sendJson("a b") });
    texts.push(result.task.artifacts[0]!.parts[0]!.text);
  }
  assert.deepEqual(texts, ["a b ", "A B"]);
  const lost = await client.call("SendMessage", { tenant: "nobody", ...sendJson("x") });
  assert.equal(lost.error!.data![0]!.reason, "NOT_FOUND");
});

test("a web page of another origin is refused, and a login is asked for", { timeout }, async () => {
  const { WebSocket } = await import("ws");
  const statusOf = (url: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, "weft-a2a-v1", { headers });
      socket.on("unexpected-response", (_request, { statusCode = 0 }) => {
        resolve(statusCode);
        socket.terminate();
      });
      socket.on("open", () => {
        resolve(101);
        socket.close();
      });
      socket.on("error", () => undefined);
    });
  await using open = await startService(echo, { cors: { origins: ["https://app.example"] } });
  assert.equal(await statusOf(wsUrl(open.url), { origin: "https://evil.example" }), 403);
  assert.equal(await statusOf(wsUrl(open.url), { origin: "https://app.example" }), 101);
  await using closed = await serve(echo, { auth: bearer("t"), signals: false });
  assert.equal(await statusOf(wsUrl(closed.url), {}), 401);
  assert.equal(await statusOf(wsUrl(closed.url), { authorization: "Bearer t" }), 101);
});

test("a connection with nothing open is told to go and closed", { timeout }, async () => {
  await using service = await startService(echo, { limits: { idleMs: 50 } });
  using client = await WebSocketClient.open(wsUrl(service.url), "msgpack");
  assert.match((await client.next()).reason!, /idle/);
});
