import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { WeftError } from "@weft/tracing";
import { createMessage, defineAgent, messageText } from "../src/agent/index.ts";
import { bearer, connect } from "../src/index.ts";
import type { RemoteClient } from "../src/index.ts";
import { CallerLimits } from "../src/server/caller-limits.ts";
import { sendRequest } from "./requests.ts";
import { bindings, echo, gate, hasCode, startService } from "./support.ts";
import { WebSocketClient } from "./websocket-client.ts";

const timeout = 60_000;
const limitOf =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof WeftError && error.code === "limit_exceeded" && error.message.includes(name);

/** Waits until it is let go, and says how many came. */
function waitsUntil(release: Promise<void>) {
  const state = { count: 0, next: gate() };
  const agent = defineAgent({
    name: "waits",
    async *respond() {
      state.count++;
      state.next.resolve();
      state.next = gate();
      await release;
      yield "done";
    },
  });
  const arrived = async (wanted: number): Promise<void> => {
    while (state.count < wanted) await state.next.promise;
  };
  return { agent, arrived };
}

test(
  "open calls and streams of one caller are limited by name, over all bindings together",
  { timeout },
  async () => {
    const release = gate();
    const { agent, arrived } = waitsUntil(release.promise);
    await using service = await startService(agent, { limits: { callsPerCaller: 2, streamsPerCaller: 2 } });
    await using one = await connect(service.url, { binding: "ws" });
    await using two = await connect(service.url, { binding: "rest" });
    const open = [one, two].flatMap((client) => [
      client.ask("x"),
      Array.fromAsync(client.sendMessageStream(sendRequest("x"))),
    ]);
    await arrived(4);
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding });
      await assert.rejects(client.ask("x"), limitOf("callsPerCaller of 2"), binding);
      await assert.rejects(
        Array.fromAsync(client.sendMessageStream(sendRequest("x"))),
        limitOf("streamsPerCaller of 2"),
        binding,
      );
    }
    release.resolve();
    await Promise.all(open);
    assert.equal(await one.ask("x"), "done", "what was open is free again");
  },
);

test("a stream that its reader left is not counted any more", { timeout }, async () => {
  const release = gate();
  const { agent } = waitsUntil(release.promise);
  await using service = await startService(agent, { limits: { streamsPerCaller: 1 } });
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding });
    for (let count = 0; count < 3; count++) {
      // The service learns of a leaving a moment later: only the limit itself says when.
      for (;;) {
        try {
          for await (const _ of client.sendMessageStream(sendRequest("x"))) break;
          break;
        } catch (error) {
          assert.ok(limitOf("streamsPerCaller")(error), String(error));
        }
      }
    }
  }
  release.resolve();
});

test(
  "who calls too fast is told so as 429 and when to come back; one login's haste is not another's",
  { timeout },
  async () => {
    let now = 0;
    const callers = new CallerLimits(
      { callsPerSecond: 2, callsPerCaller: 9, streamsPerCaller: 9 },
      () => now,
    );
    const enter = (caller: string): void => callers.enter(caller, "calls", true)();
    enter("ann");
    enter("ann");
    assert.throws(() => enter("ann"), limitOf("callsPerSecond of 2"));
    enter("bob");
    now = 500;
    enter("ann");
    assert.throws(() => enter("ann"), limitOf("callsPerSecond"));
    const auth = bearer("t");
    await using service = await startService(echo, { auth, limits: { callsPerSecond: 1 } });
    const headers = { authorization: "Bearer t", "a2a-version": "1.0" };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${service.url}/tasks`, { headers })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length >= 10);
    assert.equal(refused[0]!.headers.get("retry-after"), "1");
    assert.match(await refused[0]!.text(), /callsPerSecond/);
  },
);

test("calls open on one WebSocket are limited by name, and only that one", { timeout }, async () => {
  const release = gate();
  const { agent, arrived } = waitsUntil(release.promise);
  await using service = await startService(agent, { limits: { callsPerConnection: 2 } });
  const card = { ...service.card };
  await using client = await connect(card, { binding: "ws" });
  const open = [client.ask("x"), client.ask("x")];
  await arrived(2);
  await assert.rejects(client.ask("x"), limitOf("callsPerConnection of 2"));
  await using other = await connect(card, {
    binding: "ws",
    auth: bearer("a login has a connection of its own"),
  });
  open.push(other.ask("x"));
  await arrived(3);
  release.resolve();
  assert.deepEqual(await Promise.all(open), ["done", "done", "done"]);
  assert.equal(await client.ask("x"), "done");
});

test("a connection beyond the limit is dropped, and one is free when another ends", { timeout }, async () => {
  await using service = await startService(echo, { limits: { connections: 2 } });
  const held = [connectTcp(service.port, "127.0.0.1"), connectTcp(service.port, "127.0.0.1")];
  await Promise.all(held.map((socket) => once(socket, "connect")));
  const dropped = connectTcp(service.port, "127.0.0.1").on("error", () => undefined);
  await once(dropped, "close");
  held[0]!.destroy();
  for (;;) {
    const answer = await fetch(`${service.url}/healthz`).catch(() => undefined);
    if (answer?.ok) break;
  }
  held[1]!.destroy();
});

test("a WebSocket whose peer shows no sign of life is ended, one that does is not", { timeout }, async () => {
  await using service = await startService(echo, { limits: { keepAliveMs: 50 } });
  using alive = await WebSocketClient.open(`${service.url.replace("http", "ws")}/ws`, "json");
  const dead = connectTcp(service.port, "127.0.0.1");
  const key = Buffer.alloc(16).toString("base64");
  const head = ["GET /ws HTTP/1.1", "host: x", "connection: upgrade", "upgrade: websocket"];
  const more = [
    "sec-websocket-version: 13",
    `sec-websocket-key: ${key}`,
    "sec-websocket-protocol: weft-a2a-v1",
  ];
  dead.write(`${[...head, ...more].join("\r\n")}\r\n\r\n`);
  const [answer] = (await once(dead, "data")) as [Buffer];
  assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101/);
  // It takes the pings and answers none.
  dead.on("data", () => undefined).on("error", () => undefined);
  await once(dead, "close");
  assert.equal((await alive.call("ListTasks", {})).type, "response");
});

test("headers that come too slowly end their connection by name", { timeout }, async () => {
  await using service = await startService(echo, { limits: { headersMs: 100, requestMs: 200 } });
  const socket = connectTcp(service.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nx: ");
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString()));
  await new Promise((resolve) => socket.on("close", resolve));
  assert.match(text, /408.*headersMs/s);
});

test("an answer larger than the client takes is refused by its limit", { timeout }, async () => {
  const large = defineAgent({
    name: "large",
    async *respond() {
      yield "x".repeat(50_000);
    },
  });
  await using service = await startService(large);
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding, answerBytes: 20_000 });
    await assert.rejects(client.ask("x"), (error) => {
      assert.match((error as Error).message, /exceeds the client's limit answerBytes of 20000/, binding);
      return hasCode("limit_exceeded")(error);
    });
  }
});

test("an artifact of 10 MB arrives whole on every binding, as answer and as event", { timeout }, async () => {
  const bytes = Buffer.alloc(10_000_000, "weft");
  const gives = defineAgent({
    name: "gives",
    async *respond() {
      const file = {
        type: "file" as const,
        name: "large.bin",
        mediaType: "application/octet-stream",
        data: bytes,
      };
      yield createMessage({ role: "assistant", content: [file] });
    },
  });
  await using service = await startService(gives);
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding });
    const task = await client.sendMessage(sendRequest("x"));
    assert.ok("status" in task);
    const part = task.artifacts[0]!.parts[0]!.content;
    assert.ok(part?.$case === "raw" && bytes.equals(part.value), binding);
    let found = 0;
    for await (const { payload } of client.sendMessageStream(sendRequest("x"))) {
      const content =
        payload?.$case === "artifactUpdate" ? payload.value.artifact?.parts[0]?.content : undefined;
      if (content?.$case === "raw") found += content.value.length;
    }
    assert.equal(found, bytes.length, binding);
  }
});

test("five thousand streams run at once", { timeout: 110_000 }, async () => {
  const streams = 5_000;
  const release = gate();
  const { agent, arrived } = waitsUntil(release.promise);
  const limits = {
    streamsPerCaller: 10_000,
    callsPerConnection: 10_000,
    runningTasks: 10_000,
    tasksPerCaller: 10_000,
    endedTasks: 10,
  };
  await using service = await startService(agent, { limits });
  const run = async (client: RemoteClient): Promise<string> => {
    let text = "";
    for await (const { payload } of client.sendMessageStream(sendRequest("x"))) {
      const part =
        payload?.$case === "artifactUpdate" ? payload.value.artifact?.parts[0]?.content : undefined;
      if (part?.$case === "text") text += part.value;
    }
    return text;
  };
  await using client = await connect(service.url, { binding: "ws" });
  const all = Array.from({ length: streams }, () => run(client));
  await arrived(streams);
  assert.equal(await connectAndCount(service.url), streams);
  release.resolve();
  assert.ok((await Promise.all(all)).every((text) => text === "done"));
});

async function connectAndCount(url: string): Promise<number> {
  const ready = (await (await fetch(`${url}/readyz`)).json()) as { runningTasks: number };
  return ready.runningTasks;
}

test("a message of many parts is one turn, and its text whole", { timeout }, async () => {
  const hears = defineAgent({
    name: "hears",
    async *respond({ messages }) {
      yield String(messageText(messages.at(-1)!).length);
    },
  });
  await using service = await startService(hears);
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding });
    const request = sendRequest("x");
    const part = request.message!.parts[0]!;
    const message = { ...request.message!, parts: Array.from({ length: 1_000 }, () => part) };
    const task = await client.sendMessage({ ...request, message });
    const content = "status" in task ? task.artifacts[0]?.parts[0]?.content : undefined;
    assert.ok(content?.$case === "text" && content.value === "1000");
  }
});
