/** A server process of the benchmark: `a2a-server.ts <subject> <OTLP url>`. It tells its address, then its CPU time when asked. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Packr } from "msgpackr";
import { WebSocketServer } from "ws";
import type { Message } from "@a2a-js/sdk";
import { startTracing } from "@weft/tracing/node";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { serve } from "../src/index.ts";
import { createSdkServer } from "./a2a-sdk-server.ts";
import { directText, subjects } from "./a2a-subjects.ts";
import type { BenchSubject } from "./a2a-subjects.ts";

const many = 1_000_000_000;
const limits = { callsPerSecond: many, callsPerCaller: many, streamsPerCaller: many, runningTasks: many };

const agent = defineAgent({
  name: "bench",
  async *respond({ messages }) {
    const count = Number.parseInt(messageText(messages.at(-1)!), 10);
    for (let index = 0; index < count; index++) yield "0123456789";
  },
});

function respondWith({ parts }: Message): "message" | "task" {
  const content = parts[0]?.content;
  return content?.$case === "text" && content.value === directText ? "message" : "task";
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function createRawHttp(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      const length = Buffer.byteLength(body);
      response.writeHead(200, { "content-type": "application/json", "content-length": length });
      response.end(body);
    });
  });
}

function createRawWs(): Server {
  const server = createServer();
  const packr = new Packr({ useRecords: false });
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    socket.on("message", (data) => socket.send(packr.pack(packr.unpack(data as Buffer))));
  });
  return server;
}

async function start({ peer, binding }: BenchSubject): Promise<string> {
  if (peer === "http" || peer === "undici") return listen(createRawHttp());
  if (peer === "ws") return listen(createRawWs());
  if (peer === "sdk") return listen(createSdkServer());
  return (await serve(agent, { bindings: [binding!], limits, respondWith })).url;
}

const [name, endpoint = ""] = process.argv.slice(2);
const subject = subjects.find((known) => known.name === name)!;
const tracing = startTracing({
  enabled: subject.isTraced === true,
  serviceName: "bench-server",
  endpoint,
  content: "delta",
});
const url = await start(subject);
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send!(user + system);
});
process.once("disconnect", () => void tracing.shutdown().then(() => process.exit()));
process.send!(url);
