import { randomUUID } from "node:crypto";
import { Packr } from "msgpackr";
import { Agent, request } from "undici";
import { WebSocket } from "ws";
import type { SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { ClientFactory } from "@a2a-js/sdk/client";
import type { Client } from "@a2a-js/sdk/client";
import { AgentCard } from "@a2a-js/sdk";
import { createSendRequest } from "../src/a2a/send-request.ts";
import { createMessage } from "../src/agent/index.ts";
import { connect } from "../src/index.ts";
import type { BenchCalls } from "./a2a-calls.ts";

type Urls = Readonly<Record<string, string>>;

const requestOf = (events: number): SendMessageRequest =>
  createSendRequest([createMessage(String(events))], { isWeft: false });

/** The raw limits, the SDK (untraced: it has no tracing), and Weft on every binding. */
export async function openPeers(urls: Urls, traced: boolean): Promise<readonly BenchCalls[]> {
  const weft: BenchCalls[] = [];
  for (const binding of ["ws", "jsonrpc", "rest", "grpc"] as const) {
    const client = await connect(urls["weft"]!, { binding });
    weft.push({
      name: `Weft ${binding}`,
      message: () => client.sendMessage(requestOf(1)),
      task: () => drain(client.sendMessageStream(requestOf(1))),
      stream: (events) => drain(client.sendMessageStream(requestOf(events))),
      close: () => client[Symbol.asyncDispose](),
    });
  }
  return traced
    ? weft
    : [await openHttp(urls["http"]!), await openWs(urls["ws"]!), await openSdk(urls["sdk"]!), ...weft];
}

async function drain(stream: AsyncIterable<StreamResponse>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

async function openHttp(url: string): Promise<BenchCalls> {
  const dispatcher = new Agent();
  const headers = { "content-type": "application/json" };
  return {
    name: "raw node:http",
    message: async () => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: rawParams() });
      const answer = await request(url, { dispatcher, method: "POST", headers, body });
      return answer.body.json();
    },
    close: () => dispatcher.destroy(),
  };
}

async function openWs(url: string): Promise<BenchCalls> {
  const socket = new WebSocket(url.replace("http", "ws"), { perMessageDeflate: false });
  await new Promise((resolve) => socket.once("open", resolve));
  const packr = new Packr({ useRecords: false });
  const waiting = new Map<number, (value: unknown) => void>();
  let next = 0;
  socket.on("message", (data) => {
    const frame = packr.unpack(data as Buffer) as { id: number };
    waiting.get(frame.id)?.(frame);
    waiting.delete(frame.id);
  });
  return {
    name: "raw ws + msgpackr",
    message: () => {
      const id = next++;
      const { promise, resolve } = Promise.withResolvers<unknown>();
      waiting.set(id, resolve);
      socket.send(packr.pack({ id, method: "SendMessage", params: rawParams() }));
      return promise;
    },
    close: async () => socket.close(),
  };
}

function rawParams(): object {
  return { message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text: "1" }] } };
}

async function openSdk(url: string): Promise<BenchCalls> {
  const card = AgentCard.fromJSON({
    name: "bench",
    capabilities: { streaming: true },
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  });
  const client: Client = await new ClientFactory().createFromAgentCard(card);
  return {
    name: "SDK JSON-RPC",
    message: () => client.sendMessage(requestOf(1)),
    task: () => drain(client.sendMessageStream(requestOf(1))),
    stream: (events) => drain(client.sendMessageStream(requestOf(events))),
    maxEvents: 1_000,
    close: async () => undefined,
  };
}
