/** The SDK's engine and JSON-RPC handler on node:http, without Express, which costs half. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { AgentCard, Role, TaskState } from "@a2a-js/sdk";
import type { Artifact, Message } from "@a2a-js/sdk";
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from "@a2a-js/sdk/server";
import type { AgentExecutor, ExecutionEventBus, RequestContext } from "@a2a-js/sdk/server";
import { directText } from "./a2a-subjects.ts";

/** A card of the SDK's own kind; its server does not look at the address. */
export function createBenchCard(url: string): AgentCard {
  return AgentCard.fromJSON({
    name: "bench",
    description: "bench",
    version: "1",
    capabilities: { streaming: true },
    supportedInterfaces: [{ url, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  });
}

export function createSdkServer(): Server {
  const card = createBenchCard("http://127.0.0.1");
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new FloodExecutor());
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
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks).toString("utf8"), response));
  });
}

/** Answers with as many text deltas as the message says. */
class FloodExecutor implements AgentExecutor {
  async execute({ taskId, contextId, userMessage }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const content = userMessage.parts[0]?.content;
    const text = content?.$case === "text" ? content.value : "";
    if (text === directText) {
      bus.publish(AgentEvent.message(createAnswer(contextId)));
      bus.finished();
      return;
    }
    const status = (state: TaskState) => ({ state, message: undefined, timestamp: new Date().toISOString() });
    const history: Message[] = [userMessage];
    const ids = { taskId, contextId };
    const submitted = { id: taskId, contextId, history, artifacts: [], metadata: undefined };
    bus.publish(AgentEvent.task({ ...submitted, status: status(TaskState.TASK_STATE_SUBMITTED) }));
    const working = { ...ids, status: status(TaskState.TASK_STATE_WORKING), metadata: undefined };
    bus.publish(AgentEvent.statusUpdate(working));
    const count = Number(text);
    const artifactId = randomUUID();
    for (let index = 0; index < count; index++) {
      const flags = { append: index > 0, lastChunk: index === count - 1, metadata: undefined };
      bus.publish(AgentEvent.artifactUpdate({ ...ids, artifact: createDelta(artifactId), ...flags }));
    }
    bus.publish(AgentEvent.statusUpdate({ ...working, status: status(TaskState.TASK_STATE_COMPLETED) }));
    bus.finished();
  }

  async cancelTask(): Promise<void> {}
}

const part = {
  content: { $case: "text" as const, value: "0123456789" },
  metadata: undefined,
  filename: "",
  mediaType: "",
};

function createDelta(artifactId: string): Artifact {
  return { artifactId, name: "", description: "", parts: [part], metadata: undefined, extensions: [] };
}

function createAnswer(contextId: string): Message {
  return {
    messageId: randomUUID(),
    contextId,
    taskId: "",
    role: Role.ROLE_AGENT,
    parts: [part],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
}
