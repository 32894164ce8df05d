/** The servers of the benchmark, on one thread, so that the client's work does not slow them. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { Packr } from "msgpackr";
import { WebSocketServer } from "ws";
import { AgentCard, TaskState } from "@a2a-js/sdk";
import type { Message } from "@a2a-js/sdk";
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from "@a2a-js/sdk/server";
import type { AgentExecutor, ExecutionEventBus, RequestContext } from "@a2a-js/sdk/server";
import { captureSpans } from "@weft/tracing/internal";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { serve } from "../src/index.ts";

const many = 1_000_000_000;
const limits = { callsPerSecond: many, callsPerCaller: many, streamsPerCaller: many, runningTasks: many };

const agent = defineAgent({
  name: "bench",
  async *respond({ messages }) {
    const count = Number(messageText(messages.at(-1)!));
    for (let index = 0; index < count; index++) yield "0123456789";
  },
});

function listen(server: Server): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );
}

async function startRawHttp(): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      });
      response.end(body);
    });
  });
  return listen(server);
}

async function startRawWs(): Promise<string> {
  const server = createServer();
  const packr = new Packr({ useRecords: false });
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    socket.on("message", (data) => socket.send(packr.pack(packr.unpack(data as Buffer))));
  });
  return listen(server);
}

/** The SDK's engine and JSON-RPC handler on node:http, without Express, which costs half. */
async function startSdk(): Promise<string> {
  const server = createServer();
  const url = await listen(server);
  const card = AgentCard.fromJSON({
    name: "bench",
    description: "bench",
    version: "1",
    capabilities: { streaming: true },
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  });
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new SdkExecutor());
  const transport = new JsonRpcTransportHandler(handler);
  const answer = async (body: string, response: ServerResponse): Promise<void> => {
    const result = await transport.handle(body, new ServerCallContext({ requestedVersion: "1.0" }));
    if (Symbol.asyncIterator in result) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for await (const event of result) response.write(`data: ${JSON.stringify(event)}\n\n`);
      response.end();
    } else {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
    }
  };
  server.on("request", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks).toString("utf8"), response));
  });
  return url;
}

class SdkExecutor implements AgentExecutor {
  async execute({ taskId, contextId, userMessage }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const status = (state: TaskState) => ({ state, message: undefined, timestamp: new Date().toISOString() });
    const history: Message[] = [userMessage];
    const ids = { taskId, contextId };
    const submitted = { id: taskId, contextId, history, artifacts: [], metadata: undefined };
    bus.publish(AgentEvent.task({ ...submitted, status: status(TaskState.TASK_STATE_SUBMITTED) }));
    const working = { ...ids, status: status(TaskState.TASK_STATE_WORKING), metadata: undefined };
    bus.publish(AgentEvent.statusUpdate(working));
    const content = userMessage.parts[0]?.content;
    const count = Number(content?.$case === "text" ? content.value : 1);
    const artifactId = randomUUID();
    for (let index = 0; index < count; index++) {
      const part = {
        content: { $case: "text" as const, value: "0123456789" },
        metadata: undefined,
        filename: "",
        mediaType: "",
      };
      const artifact = {
        artifactId,
        name: "",
        description: "",
        parts: [part],
        metadata: undefined,
        extensions: [],
      };
      bus.publish(
        AgentEvent.artifactUpdate({
          ...ids,
          artifact,
          append: index > 0,
          lastChunk: index === count - 1,
          metadata: undefined,
        }),
      );
    }
    bus.publish(AgentEvent.statusUpdate({ ...working, status: status(TaskState.TASK_STATE_COMPLETED) }));
    bus.finished();
  }

  async cancelTask(): Promise<void> {}
}

const bindings = ["jsonrpc", "rest", "ws", "grpc"] as const;
const plain = await serve(agent, { bindings, signals: false, limits });
const urls = {
  http: await startRawHttp(),
  ws: await startRawWs(),
  sdk: await startSdk(),
  weft: plain.url,
};
parentPort!.on("message", () => captureSpans());
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort!.postMessage(urls);
