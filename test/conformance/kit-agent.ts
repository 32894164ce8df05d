/** The agent that the official kit (a2aproject/a2a-tck, for 1.0) expects: what it does is told by the message id's prefix. */
import type { Message } from "@a2a-js/sdk";
import { createMessage, defineAgent } from "@weft/runtime/agent";
import type { Agent, AgentYield, ContentPart } from "@weft/runtime/agent";

const file = { type: "file", name: "output.txt", mediaType: "text/plain" } as const;

function parts(...content: ContentPart[]): AgentYield {
  return createMessage({ role: "assistant", content });
}

const behaviours: readonly (readonly [prefix: string, reply: readonly AgentYield[]])[] = [
  ["tck-artifact-text", ["Generated text content"]],
  ["tck-artifact-file-url", [parts({ ...file, url: "https://example.com/output.txt" })]],
  ["tck-artifact-file", [parts({ ...file, data: Buffer.from("file content") })]],
  ["tck-artifact-data", [parts({ type: "data", data: { key: "value", count: 42 } })]],
  ["tck-stream-artifact-chunked", ["chunk-1 ", "chunk-2"]],
  ["tck-stream-artifact-file", [parts({ ...file, data: Buffer.from("file content") })]],
  ["tck-stream-artifact-text", ["Streamed text content"]],
  ["tck-stream-001", ["Stream hello from TCK"]],
  ["tck-stream-002", ["Message-only stream"]],
  ["tck-stream-003", ["Stream task lifecycle"]],
  ["tck-stream-ordering-001", ["Ordered output"]],
  ["tck-message-response", ["Direct message response"]],
  ["tck-complete-task", ["Hello from TCK"]],
];

const directPrefixes = ["tck-message-response", "tck-stream-002"];

/** Some messages the kit wants answered with a message, all others with a task. */
export function respondWith({ messageId }: Message): "task" | "message" {
  return directPrefixes.some((prefix) => messageId.startsWith(prefix)) ? "message" : "task";
}

/** `waitMs`: how long a task lasts that the kit subscribes to again. */
export function createKitAgent(waitMs = 4_000): Agent {
  return defineAgent({
    name: "kit",
    description: "Answers the conformance kit.",
    skills: [{ id: "tck", name: "TCK", description: "What the kit asks for.", tags: ["tck"] }],
    async *respond({ messages }, { signal }) {
      const { id } = messages.at(-1)!;
      if (id.startsWith("tck-input-required")) {
        yield { type: "input-required", id: "q", kind: "reply", agent: "kit", prompt: "Say more." };
        return;
      }
      if (id.startsWith("test-resubscribe-message-id")) await pause(waitMs, signal);
      yield* behaviours.find(([prefix]) => id.startsWith(prefix))?.[1] ?? [`No behaviour for ${id}.`];
    },
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
