/** What the WebSocket client does about a service that does not keep to the binding, or goes away. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { WebSocket } from "ws";
import { connect } from "../src/index.ts";
import { FakeWsService, sendAnswer, sendEvent, sendFrame } from "./fake-ws-service.ts";
import type { SentFrame } from "./fake-ws-service.ts";
import { sendRequest } from "./requests.ts";
import { gate, hasCode } from "./support.ts";

const timeout = 30_000;
const request = sendRequest("go");
const eventLength = 100_000;

/** Answers calls with the number of their connection, and streams as `stream` says. */
function startService(stream: (frame: SentFrame, socket: WebSocket) => void): Promise<FakeWsService> {
  const service = FakeWsService.start((frame, socket) => {
    if (frame.method !== "SendMessage") return stream(frame, socket);
    void service.then(({ sockets }) => sendAnswer(socket, frame.id, String(sockets.indexOf(socket))));
  });
  return service;
}

function isOverdraft(error: unknown): boolean {
  assert.match((error as Error).message, /beyond the credit/);
  return hasCode("protocol_error")(error);
}

test("a stream that is sent more than its credit ends with an error, and its connection stays", async () => {
  const cancelled = gate<number>();
  let granted = 0;
  await using service = await startService(({ type, id, credit }, socket) => {
    if (type === "cancel") return cancelled.resolve(id);
    granted = credit!;
    for (let seq = 0; seq < 8; seq++) sendEvent(socket, id, seq, eventLength);
  });
  await using client = await connect(service.card, { binding: "ws" });
  const stream = client.sendMessageStream(request);
  await stream.next();
  // What its credit covered waits for the reader, and no more: the last of it may overdraw.
  const covered = Math.ceil(granted / eventLength);
  assert.equal(covered, 3);
  await cancelled.promise;
  for (let count = 1; count < covered; count++) assert.equal((await stream.next()).done, false);
  await assert.rejects(stream.next(), isOverdraft);
  assert.equal(await client.ask("x"), "0");
  assert.equal(service.sockets.length, 1);
});

test("what is granted anew may be used", { timeout }, async () => {
  const counts = { sent: 0, granted: 0 };
  await using service = await startService(({ id, credit }, socket) => {
    counts.granted += credit!;
    // A little less than is there for each: the frames around the text count.
    while ((counts.sent + 1) * (eventLength + 200) < counts.granted && counts.sent < 20) {
      sendEvent(socket, id, counts.sent++, eventLength);
    }
    if (counts.sent === 20) sendFrame(socket, { type: "end", id, seq: 20 });
  });
  await using client = await connect(service.card, { binding: "ws" });
  assert.equal((await Array.fromAsync(client.sendMessageStream(request))).length, 20);
});

test("a service that goes on with a stream which overdrew loses the connection", { timeout }, async () => {
  let overdrawing: number | undefined;
  await using service = await startService(({ type, id, method }, socket) => {
    if (method === "SubscribeToTask") overdrawing = id;
    const count = type === "request" ? 4 : 11;
    if (id === overdrawing) for (let seq = 0; seq < count; seq++) sendEvent(socket, id, seq, eventLength);
  });
  await using client = await connect(service.card, { binding: "ws" });
  const other = client.sendMessageStream(request).next();
  const overdrawn = client.resubscribeTask({ tenant: "", id: "t" });
  await overdrawn.next();
  await assert.rejects(other, (error) => {
    assert.match((error as Error).message, /goes on sending/);
    return hasCode("protocol_error")(error);
  });
  await assert.rejects(Array.fromAsync(overdrawn), isOverdraft);
  assert.equal(await client.ask("x"), "1");
});

for (const [missing, frames] of [
  ["an event", [{ type: "event", seq: 1, result: {} }]],
  ["the last event", [{ type: "end", seq: 1 }]],
] as const) {
  test(`a stream that lacks ${missing} breaks its connection`, { timeout }, async () => {
    await using service = await startService(({ type, id }, socket) => {
      if (type === "request") for (const frame of frames) sendFrame(socket, { ...frame, id });
    });
    await using client = await connect(service.card, { binding: "ws" });
    await assert.rejects(Array.fromAsync(client.sendMessageStream(request)), (error) => {
      assert.match((error as Error).message, /Event 0 of a stream is missing/);
      return hasCode("protocol_error")(error);
    });
    assert.equal(await client.ask("x"), "1");
  });
}

test("after a connection is lost the next call opens another at once", { timeout }, async () => {
  await using service = await startService((_frame, socket) => socket.send("no frame"));
  await using client = await connect(service.card, { binding: "ws" });
  const lost = assert.rejects(Array.fromAsync(client.sendMessageStream(request)), hasCode("protocol_error"));
  // Before the socket of the first has closed.
  const asked = lost.then(() => client.ask("x"));
  assert.equal(await asked, "1");
  assert.equal(service.sockets.length, 2);
});

test("a connection told to go that closes later takes no newer one with it", { timeout }, async () => {
  await using service = await startService(() => assert.fail("no stream is asked for"));
  await using client = await connect(service.card, { binding: "ws" });
  assert.equal(await client.ask("x"), "0");
  const [first] = service.sockets;
  sendFrame(first!, { type: "go-away", reason: "draining" });
  // The frame is read before the answer to a call that is sent after it.
  await client.ask("x");
  assert.equal(await client.ask("x"), "1");
  const closed = once(first!, "close");
  first!.close(1000);
  await closed;
  assert.equal(await client.ask("x"), "1");
  assert.equal(service.sockets.length, 2);
});
