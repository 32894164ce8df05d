import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { LegacyJsonRpcTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { captureSpans, SpanKind } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { defineAgent } from "../src/agent/index.ts";
import { bearer, connect } from "../src/index.ts";
import { EventParser } from "../src/client/server-sent-events.ts";
import type { ServerSentEvent } from "../src/client/server-sent-events.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings, echo, hasCode, recall, startService } from "./support.ts";

const timeout = 30_000;

/** Passes bytes on to a service, and cuts the first `cuts` connections after their first bytes. */
async function startFaultyProxy(port: number, cuts: number) {
  let connections = 0;
  const server = createTcpServer((socket) => {
    const isCut = connections++ < cuts;
    socket.on("error", () => socket.destroy());
    if (isCut) return void socket.once("data", () => socket.resetAndDestroy());
    const target = connectTcp(port, "127.0.0.1");
    target.on("error", () => socket.destroy());
    target.on("close", () => socket.destroy());
    socket.on("close", () => target.destroy());
    socket.pipe(target).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

test(
  "reading is tried again over a connection that broke; a new conversation is not",
  { timeout },
  async () => {
    using captured = captureSpans();
    await using service = await startService(echo);
    for (const binding of ["jsonrpc", "rest"] as const) {
      await using proxy = await startFaultyProxy(service.port, 2);
      const card = structuredClone(service.card);
      for (const known of card.supportedInterfaces) known.url = known.url.replace(service.url, proxy.url);
      await using client = await connect(card, { binding });
      await client.listTasks(listRequest());
      assert.equal(proxy.connections(), 3);
      const span = captured
        .spans()
        .findLast(({ kind, name }) => kind === SpanKind.CLIENT && name === "ListTasks");
      assert.equal(span?.attributes[Attr.a2aRetries], 2);
      await using again = await startFaultyProxy(service.port, 1);
      for (const known of card.supportedInterfaces) known.url = known.url.replace(proxy.url, again.url);
      await using other = await connect(card, { binding });
      await assert.rejects(other.sendMessage(sendRequest("x")), hasCode("unavailable"));
      assert.equal(again.connections(), 1);
      // With a context the service knows the message again: sent twice, it is one turn.
      await using last = await startFaultyProxy(service.port, 1);
      for (const known of card.supportedInterfaces) known.url = known.url.replace(again.url, last.url);
      await using third = await connect(card, { binding });
      await third.sendMessage(sendRequest("x", { contextId: `context-${binding}` }));
      assert.equal(last.connections(), 2);
    }
  },
);

test(
  "a call and a stream that stay silent end at their deadlines, on every binding",
  { timeout },
  async () => {
    const hangs = defineAgent({
      name: "hangs",
      async *respond(_request, { signal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        yield "";
      },
    });
    const service = await startService(hangs);
    for (const binding of bindings) {
      const timeouts = { unaryMs: 300, streamIdleMs: 300 };
      await using client = await connect(service.card, { binding, timeouts });
      await assert.rejects(client.sendMessage(sendRequest("x")), hasCode("deadline_exceeded"), binding);
      const reading = Array.fromAsync(client.sendMessageStream(sendRequest("x")));
      await assert.rejects(reading, hasCode("deadline_exceeded"), binding);
    }
    await service.drain({ timeoutMs: 0 });
  },
);

test(
  "clients of one service with the same login share one WebSocket, others do not",
  { timeout },
  async () => {
    let upgrades = 0;
    const auth = bearer("t");
    await using service = await startService({ echo, recall }, { auth });
    await using proxy = await startCountingProxy(service.port, (text) => {
      if (/upgrade: websocket/i.test(text)) upgrades++;
    });
    const cardOf = (key: string) => {
      const card = structuredClone(service.cards[key]!);
      for (const known of card.supportedInterfaces)
        known.url = known.url.replace(`:${service.port}`, `:${proxy.port}`);
      return card;
    };
    const one = await connect(cardOf("echo"), { binding: "ws", auth });
    const two = await connect(cardOf("recall"), { binding: "ws", auth });
    assert.deepEqual([await one.ask("x"), await two.ask("y")], ["x ", "y"]);
    assert.equal(upgrades, 1);
    await one[Symbol.asyncDispose]();
    assert.equal(await two.ask("z"), "z", "who leaves closes nobody else's connection");
    await using other = await connect(cardOf("echo"), { binding: "ws", auth: bearer("t") });
    await other.ask("x");
    assert.equal(upgrades, 2);
    await two[Symbol.asyncDispose]();
  },
);

async function startCountingProxy(port: number, see: (text: string) => void) {
  const server = createTcpServer((socket) => {
    const target = connectTcp(port, "127.0.0.1");
    for (const end of [socket, target]) end.on("error", () => end.destroy());
    socket.on("data", (chunk) => see(chunk.toString("latin1")));
    socket.on("close", () => target.destroy());
    target.on("close", () => socket.destroy());
    socket.pipe(target).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

test("a client of A2A 0.3 calls, streams, reads and cancels", { timeout }, async () => {
  await using service = await startService(echo);
  const old = new LegacyJsonRpcTransport({ endpoint: service.url });
  const task = await old.sendMessage(sendRequest("a b"));
  assert.ok("status" in task && task.artifacts[0]!.parts[0]!.content?.$case === "text");
  assert.equal(task.artifacts[0]!.parts[0]!.content.value, "a b ");
  assert.equal((await old.getTask({ tenant: "", id: task.id })).id, task.id);
  const events = await Array.fromAsync(old.sendMessageStream(sendRequest("a b")));
  assert.equal(events.at(-1)!.payload?.$case, "statusUpdate");
  await assert.rejects(old.getTask({ tenant: "", id: "none" }), /Task none does not exist/);
  const card = (await (await fetch(`${service.url}/.well-known/agent-card.json`)).json()) as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [card["url"], card["preferredTransport"], card["protocolVersion"]],
    [service.url, "JSONRPC", "0.3.0"],
  );
});

for (const [binding, transport] of [
  ["jsonrpc", "JSONRPC"],
  ["rest", "HTTP+JSON"],
  ["grpc", "GRPC"],
] as const) {
  test(`an agent whose card is of A2A 0.3 is called as one over ${binding}`, { timeout }, async () => {
    await using service = await startService(echo);
    const card = {
      name: "old",
      description: "An agent of 0.3.",
      url: binding === "grpc" ? new URL(service.url).host : service.url,
      preferredTransport: transport,
      protocolVersion: "0.3.0",
      version: "1",
      capabilities: { streaming: true },
      skills: [],
      defaultInputModes: ["text/plain"],
      defaultOutputModes: ["text/plain"],
    };
    const site = createServer(
      (_request: IncomingMessage, response) => void response.end(JSON.stringify(card)),
    );
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    await using client = await connect(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    assert.equal(client.binding, binding);
    assert.equal(await client.ask("a b"), "a b ");
    const events = await Array.fromAsync(client.sendMessageStream(sendRequest("a")));
    assert.equal(events[0]!.payload?.$case, "task");
    site.closeAllConnections();
    site.close();
  });

  test(`what an agent of 0.3 refuses over ${binding} has its code`, { timeout }, async () => {
    const auth = bearer("t");
    await using service = await startService(echo, { auth, limits: { bodyBytes: 3_000 } });
    const card = structuredClone(service.card);
    card.supportedInterfaces = card.supportedInterfaces.filter((known) => known.protocolVersion === "0.3");
    await using stranger = await connect(card, { binding });
    await assert.rejects(stranger.ask("x"), hasCode("unauthenticated"));
    await using client = await connect(card, { binding, auth });
    await assert.rejects(client.getTask({ tenant: "", id: "none" }), hasCode("not_found"));
    await assert.rejects(client.ask("x".repeat(4_000)), (error) => {
      assert.match((error as Error).message, /limit bodyBytes of 3000/);
      return hasCode("limit_exceeded")(error);
    });
    const late = client.resubscribeTask({ tenant: "", id: "none" });
    await assert.rejects(Array.fromAsync(late), hasCode("not_found"));
  });
}

test("a patch number does not change the version, and an unknown one is refused", { timeout }, async () => {
  await using service = await startService(echo);
  const ask = (version: string): Promise<Response> =>
    fetch(`${service.url}/tasks`, { headers: { "a2a-version": version } });
  assert.equal((await ask("1.0.7")).status, 200);
  for (const version of ["9.0", "1.7", "x"]) {
    const answer = await ask(version);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /VERSION_NOT_SUPPORTED/);
  }
});

test("server-sent events are read however their bytes are cut", async () => {
  const text =
    ': hi\r\nid: 1.1\ndata: {"a":\ndata: "ä"}\r\n\r\nevent: error\ndata:x\n\ndata: last\n\nid: lost\n';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const events: ServerSentEvent[] = [];
    const parser = new EventParser(100, (event) => events.push(event));
    for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
    assert.deepEqual(events, [
      { type: "message", data: '{"a":\n"ä"}' },
      { type: "error", data: "x" },
      { type: "message", data: "last" },
    ]);
  }
  for (const chunks of [[`data: ${"x".repeat(200)}\n\n`], ["data: ", "x".repeat(200)]]) {
    const parser = new EventParser(100, () => assert.fail("an event that is too large"));
    const push = (): void => chunks.forEach((chunk) => parser.push(Buffer.from(chunk)));
    assert.throws(push, hasCode("limit_exceeded"));
  }
});

test("an answer that is none of the binding's is an error that says so", { timeout }, async () => {
  let body = "";
  const site = createServer((_request, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(body),
  );
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  await using service = await startService(echo);
  const card = structuredClone(service.card);
  for (const known of card.supportedInterfaces) known.url = url;
  for (const binding of ["jsonrpc", "rest"] as const) {
    await using client = await connect(card, { binding });
    for (body of [
      "",
      "no JSON",
      "7",
      "null",
      '{"jsonrpc":"2.0","id":99,"result":{}}',
      '{"result":7}',
      "[]",
    ]) {
      await assert.rejects(
        client.sendMessage(sendRequest("x")),
        hasCode("protocol_error", "internal"),
        `${binding} ${body}`,
      );
    }
  }
  assert.deepEqual(bindings.length, 4);
  site.closeAllConnections();
  site.close();
});
