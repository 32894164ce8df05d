/** Clients of a service that lets them come and never finishes the handshake of TLS. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { connect } from "../src/index.ts";
import { bindings, echo, hasCode, startService } from "./support.ts";

const timeout = 60_000;
const timeouts = { connectMs: 50 };

/** Accepts connections, reads what comes, and says nothing. */
async function startMute() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.resume();
  });
  const connected = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when there was a connection. */
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const namesDeadline = (error: unknown): boolean => {
  assert.match((error as Error).message, /no connection within connectMs/);
  return hasCode("unavailable")(error);
};

for (const binding of bindings) {
  test(
    `a connection over ${binding} that does not come about is given up after connectMs`,
    { timeout },
    async () => {
      await using mute = await startMute();
      await using service = await startService(echo);
      const card = structuredClone(service.card);
      for (const known of card.supportedInterfaces) {
        known.url = `${binding === "ws" ? "wss" : "https"}://${mute.host}`;
      }
      await using client = await connect(card, { binding, timeouts });
      await assert.rejects(client.ask("x"), namesDeadline);
      // A busy machine gives up before it has come to that.
      await mute.connected;
    },
  );
}

test("a card that is not to be had for want of a connection says so", { timeout }, async () => {
  await using mute = await startMute();
  await assert.rejects(connect(`https://${mute.host}`, { timeouts }), namesDeadline);
});

test("a call that is left while gRPC connects ends at once", { timeout }, async () => {
  await using mute = await startMute();
  await using service = await startService(echo);
  const card = structuredClone(service.card);
  for (const known of card.supportedInterfaces) known.url = `https://${mute.host}`;
  await using client = await connect(card, { binding: "grpc", timeouts: { connectMs: 60_000 } });
  const controller = new AbortController();
  const asked = client.ask("x", { signal: controller.signal });
  controller.abort();
  await assert.rejects(asked, hasCode("aborted"));
});
