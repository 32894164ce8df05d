/** The same request over every binding gives the same answer, and the same error (A2A 1.0, 5.1). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message, SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { Message as MessageCodec, StreamResponse as StreamCodec, Task } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { captureSpans } from "@weft/tracing/internal";
import { withHop } from "../src/a2a/hop.ts";
import { createMessage, defineAgent, messageText } from "../src/agent/index.ts";
import { connect } from "../src/index.ts";
import type { RemoteClient } from "../src/index.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings, gate, startService } from "./support.ts";

const options = { timeout: 60_000 };

/** Everything a reply can hold: text, bytes, data, a question, a failure. */
const various = defineAgent({
  name: "various",
  async *respond({ messages }) {
    const text = messageText(messages.at(-1)!);
    if (text === "fail") throw new WeftError("tool_failed", "The tool broke.");
    if (text === "ask")
      yield { type: "input-required", id: "q", kind: "reply", agent: "various", prompt: "?" } as const;
    else if (text === "parts") {
      const content = [
        { type: "text", text: "ä€😀" },
        { type: "file", name: "f.bin", mediaType: "application/x-f", data: Buffer.from([0, 255, 128]) },
        { type: "file", name: "u", url: "https://example.com/u" },
        { type: "data", data: { a: [1, 2.5, null, true, { b: "c" }], big: 2 ** 53 } },
      ] as const;
      yield createMessage({ id: "message-of-parts", role: "assistant", content });
    } else yield* ["one ", "two ", ""];
  },
});

const withConfiguration = (request: SendMessageRequest, historyLength: number): SendMessageRequest => ({
  ...request,
  configuration: {
    acceptedOutputModes: [],
    taskPushNotificationConfig: undefined,
    historyLength,
    returnImmediately: false,
  },
});
const spent = (hop: object): Partial<Message> => ({ metadata: withHop(undefined, hop) });
const partsOf = (count: number): Partial<Message> => ({
  parts: Array.from({ length: count }, () => ({
    content: { $case: "text" as const, value: "x" },
    metadata: undefined,
    filename: "",
    mediaType: "",
  })),
});
const nested = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { a: nested(levels - 1) });
const list = listRequest();
const last = async (events: AsyncIterable<StreamResponse>): Promise<unknown> => {
  const all = await Array.fromAsync(events);
  return all.map((event) => StreamCodec.toJSON(event));
};

/** The SDK's client asks only where the card declares one; this asks anyway. */
const versioned = { serviceParameters: { "a2a-version": "1.0" } };

type Case = readonly [name: string, call: (client: RemoteClient) => Promise<unknown>];

/** Of messages, whether they are answered with tasks or with messages. */
const answers: readonly Case[] = [
  ["an answer", (client) => client.sendMessage(sendRequest("hi")).then(toJson)],
  [
    "an answer without history",
    (client) => client.sendMessage(withConfiguration(sendRequest("hi"), 0)).then(toJson),
  ],
  ["every kind of part", (client) => client.sendMessage(sendRequest("parts")).then(toJson)],
  ["a question", (client) => client.sendMessage(sendRequest("ask")).then(toJson)],
  ["a failed task", (client) => client.sendMessage(sendRequest("fail")).then(toJson)],
  ["a stream", (client) => last(client.sendMessageStream(sendRequest("hi")))],
  ["a stream of parts", (client) => last(client.sendMessageStream(sendRequest("parts")))],
  ["a stream of a question", (client) => last(client.sendMessageStream(sendRequest("ask")))],
  ["a stream of a failure", (client) => last(client.sendMessageStream(sendRequest("fail")))],
];

const results: readonly Case[] = [
  ...answers,
  [
    "a page of tasks",
    async (client) => {
      await client.sendMessage(sendRequest("hi", { contextId: `list-${client.binding}` }));
      const page = await client.listTasks({
        ...list,
        contextId: `list-${client.binding}`,
        includeArtifacts: true,
      });
      return { ...page, tasks: page.tasks.map(toJson) };
    },
  ],
  [
    "a task read and read again",
    async (client) => {
      const task = await client.sendMessage(sendRequest("hi"));
      assert.ok("status" in task);
      return toJson(await client.getTask({ tenant: "", id: task.id, historyLength: 1 }));
    },
  ],
];

const errors: readonly (readonly [...Case, string])[] = [
  ["a task that is not there", (client) => client.getTask({ tenant: "", id: "none" }), "not_found"],
  [
    "no message",
    (client) => client.sendMessage({ ...sendRequest("x"), message: undefined }),
    "invalid_argument",
  ],
  ["no parts", (client) => client.sendMessage(sendRequest("x", { parts: [] })), "invalid_argument"],
  ["no message id", (client) => client.sendMessage(sendRequest("x", { messageId: "" })), "invalid_argument"],
  [
    "a task id that is not there",
    (client) => client.sendMessage(sendRequest("x", { taskId: "none" })),
    "not_found",
  ],
  ["no task id", (client) => client.getTask({ tenant: "", id: "" }), "not_found|invalid_argument"],
  ["a page of 101", (client) => client.listTasks({ ...list, pageSize: 101 }), "invalid_argument"],
  ["a token of nobody's", (client) => client.listTasks({ ...list, pageToken: "x" }), "invalid_argument"],
  [
    "a time that is none",
    (client) => client.listTasks({ ...list, statusTimestampAfter: "soon" }),
    "invalid_argument|protocol_error|internal",
  ],
  [
    "a spent budget",
    (client) => client.sendMessage(sendRequest("x", spent({ budget: { tokens: 0 } }))),
    "budget_exceeded",
  ],
  ["too many hops", (client) => client.sendMessage(sendRequest("x", spent({ hops: 99 }))), "budget_exceeded"],
  [
    "a deadline gone by",
    (client) => client.sendMessage(sendRequest("x", spent({ deadline: 1 }))),
    "deadline_exceeded",
  ],
  ["too many parts", (client) => client.sendMessage(sendRequest("x", partsOf(9))), "limit_exceeded"],
  [
    "metadata too deep",
    (client) => client.sendMessage(sendRequest("x", { metadata: nested(60) })),
    "limit_exceeded",
  ],
  ["too large", (client) => client.sendMessage(sendRequest("x".repeat(200_000))), "limit_exceeded"],
  [
    "a stream of a spent budget",
    (client) => last(client.sendMessageStream(sendRequest("x", spent({ budget: { turns: 0 } })))),
    "budget_exceeded",
  ],
  ["a stream of nothing", (client) => last(client.resubscribeTask({ tenant: "", id: "none" })), "not_found"],
  [
    "an extended card that is not there",
    (client) => client.transport.getExtendedAgentCard({ tenant: "" }, versioned),
    "unimplemented",
  ],
  [
    "a task that is over, canceled",
    async (client) => {
      const task = await client.sendMessage(sendRequest("fail"));
      return client.cancelTask({ tenant: "", id: (task as Task).id, metadata: undefined });
    },
    "failed_precondition",
  ],
  [
    "a message to a task that is over",
    async (client) => {
      const task = (await client.sendMessage(sendRequest("fail"))) as Task;
      return client.sendMessage(sendRequest("more", { taskId: task.id }));
    },
    "unimplemented",
  ],
];

describe("over every binding", options, () => {
  const limits = { parts: 8, depth: 50, bodyBytes: 100_000, frameBytes: 100_000 };

  for (const [name, call] of results) {
    test(`the same result: ${name}`, async () => {
      await using service = await startService(various, { limits });
      const answers = new Map<string, unknown>();
      for (const binding of bindings) {
        await using client = await connect(service.url, { binding });
        answers.set(binding, normalise(await call(client)));
      }
      for (const [binding, answer] of answers) assert.deepEqual(answer, answers.get("jsonrpc"), binding);
    });
  }

  for (const [name, call] of answers) {
    test(`the same where a message answers: ${name}`, async () => {
      await using service = await startService(various, { limits, respondWith: "message" });
      const given = new Map<string, unknown>();
      for (const binding of bindings) {
        await using client = await connect(service.url, { binding });
        given.set(binding, normalise(await call(client)));
      }
      for (const [binding, answer] of given) assert.deepEqual(answer, given.get("jsonrpc"), binding);
      const isTask = /question|fail/.test(name);
      assert.match(JSON.stringify(given.get("jsonrpc")), isTask ? /"artifacts"|"status"/ : /ROLE_AGENT/);
    });
  }

  for (const [name, call, code] of errors) {
    test(`the same error: ${name}`, async () => {
      await using tasks = await startService(various, { limits });
      await using messages = await startService(various, { limits, respondWith: "message" });
      for (const [service, binding] of bindings.flatMap(
        (each) =>
          [
            [tasks, each],
            [messages, each],
          ] as const,
      )) {
        await using client = await connect(service.url, { binding });
        const thrown = await call(client).then(
          () => undefined,
          (error: unknown) => error,
        );
        assert.ok(thrown instanceof WeftError, `${binding}: ${JSON.stringify(thrown)}`);
        assert.match(thrown.code, new RegExp(`^(${code})$`), `${binding}: ${thrown.message}`);
        assert.doesNotMatch(thrown.message, /node_modules|\.ts:|Cannot read|undefined/);
      }
    });
  }

  test("the same refusal of one task too many of a caller, by the limit's name", async () => {
    const release = gate();
    const waits = defineAgent({
      name: "waits",
      async *respond() {
        await release.promise;
        yield "done";
      },
    });
    await using service = await startService({ one: waits, two: waits }, { limits: { tasksPerCaller: 1 } });
    await using first = await connect(`${service.url}/one`);
    const held = first.ask("x");
    const isRunning = async (): Promise<boolean> => (await first.listTasks(list)).totalSize === 1;
    while (!(await isRunning()));
    for (const binding of bindings) {
      await using client = await connect(`${service.url}/two`, { binding });
      for (const call of [() => client.ask("x"), () => last(client.sendMessageStream(sendRequest("x")))]) {
        await assert.rejects(call(), (error: WeftError) => {
          assert.equal(error.code, "limit_exceeded", binding);
          assert.match(error.message, /the limit tasksPerCaller of 1/, binding);
          return true;
        });
      }
    }
    release.resolve();
    assert.equal(await held, "done");
    assert.equal(await first.ask("x"), "done", "a place is free again");
  });

  test("a reply and an error carry the trace id", async () => {
    using captured = captureSpans();
    await using service = await startService(various);
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding });
      await client.ask("hi");
      await client.getTask({ tenant: "", id: "none" }).catch(() => undefined);
    }
    assert.ok(captured.spans().length > 0);
    for (const [path, body] of [
      ["/", { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "none" } }],
      ["/message:send", {}],
    ] as const) {
      const headers = { "content-type": "application/json", "a2a-version": "1.0" };
      const answer = await fetch(`${service.url}${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      assert.match(answer.headers.get("x-weft-trace-id") ?? "", /^[0-9a-f]{32}$/, path);
    }
    assert.match(await grpcTraceId(service.url, "none"), /^[0-9a-f]{32}$/);
  });
});

/** The initial metadata of a gRPC call that fails. */
async function grpcTraceId(url: string, id: string): Promise<string> {
  const { credentials, makeGenericClientConstructor, Metadata } = await import("@grpc/grpc-js");
  const { A2AService } = await import("@a2a-js/sdk/server/grpc");
  const Client = makeGenericClientConstructor(A2AService, "A2AService");
  const client = new Client(new URL(url).host, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("a2a-version", "1.0");
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = client["getTask"]!({ tenant: "", id }, metadata, () => undefined);
  call.on("metadata", (head: { get(key: string): unknown[] }) =>
    resolve(String(head.get("x-weft-trace-id")[0])),
  );
  const traceId = await promise;
  client.close();
  return traceId;
}

function toJson(value: object): unknown {
  if ("parts" in value) return MessageCodec.toJSON(value as Message);
  return "status" in value ? Task.toJSON(value as Task) : value;
}

/** Ids, times and traces differ from call to call. */
function normalise(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replace(/"traceId":"[0-9a-f]{32}"/g, '"traceId":"<trace>"')
    .replace(/"messageId":"[^"]+"/g, '"messageId":"<message>"')
    .replace(/"id":"[\w-]{16}"/g, '"id":"<message>"')
    .replace(/"artifactId":"[^"]+"/g, '"artifactId":"<artifact>"')
    .replace(/list-(jsonrpc|rest|ws|grpc)/g, "list");
  return JSON.parse(text) as unknown;
}
