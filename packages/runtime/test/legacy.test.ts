/** A2A 0.3 on all its bindings, asked by the SDK's own clients of 0.3. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, test } from "node:test";
import { Role, TaskState } from "@a2a-js/sdk";
import type { Part, SendMessageRequest, StreamResponse, Task } from "@a2a-js/sdk";
import type { Transport } from "@a2a-js/sdk/client";
import { LegacyJsonRpcTransport, LegacyRestTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { LegacyGrpcTransport } from "@a2a-js/sdk/compat/v0_3/client/grpc";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { captureSpans, SpanKind } from "@weft/tracing/internal";
import { createMessage, defineAgent, messageText } from "../src/agent/index.ts";
import type { Agent } from "../src/agent/index.ts";
import { bearer } from "../src/index.ts";
import type { Service } from "../src/index.ts";
import { textOf } from "./engine-support.ts";
import { sendRequest } from "./requests.ts";
import { echo, gate, startService } from "./support.ts";

const timeout = 60_000;
const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

const clients: Readonly<Record<string, (service: Service) => Transport>> = {
  jsonrpc: ({ url }) => new LegacyJsonRpcTransport({ endpoint: url }),
  rest: ({ url }) => new LegacyRestTransport({ endpoint: url }),
  grpc: ({ url }) => new LegacyGrpcTransport({ endpoint: new URL(url).host }),
};

function payloads(events: readonly StreamResponse[]): (string | undefined)[] {
  return events.map(({ payload }) => payload?.$case);
}

async function ask(client: Transport, request: SendMessageRequest): Promise<Task> {
  const result = await client.sendMessage(request);
  assert.ok("status" in result, "a Weft agent answers with a task");
  return result;
}

const part = (content: Part["content"], mediaType = ""): Part => ({
  content,
  mediaType,
  filename: "",
  metadata: undefined,
});

/** Says something, and then nothing until it is cancelled. */
function waitsForAbort(onStart: () => void = () => undefined): Agent {
  return defineAgent({
    name: "waits",
    async *respond(_request, { signal }) {
      yield "…";
      onStart();
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    },
  });
}

for (const [binding, open] of Object.entries(clients)) {
  describe(`A2A 0.3 over ${binding}`, { timeout }, () => {
    test("a message is answered, and its task is read with its history", async () => {
      await using service = await startService(echo);
      const client = open(service);
      const sent = await ask(client, sendRequest("a b"));
      assert.equal(sent.status?.state, TaskState.TASK_STATE_COMPLETED);
      assert.equal(textOf(sent), "a b ");
      const read = await client.getTask({ tenant: "", id: sent.id });
      assert.deepEqual([read.id, read.contextId, textOf(read)], [sent.id, sent.contextId, "a b "]);
      assert.equal(read.history[0]?.role, Role.ROLE_USER);
      assert.deepEqual(read.history[0]?.parts[0]?.content, { $case: "text", value: "a b" });
      const again = await ask(client, sendRequest("c", { contextId: sent.contextId }));
      assert.equal(again.contextId, sent.contextId);
    });

    test("files and data arrive, and come back", async () => {
      const mirror = defineAgent({
        name: "mirror",
        async *respond({ messages }) {
          yield createMessage({ role: "assistant", content: messages.at(-1)!.content });
        },
      });
      await using service = await startService(mirror);
      const request = sendRequest("x");
      request.message!.parts = [
        part({ $case: "raw", value: Buffer.from("bytes") }, "text/plain"),
        part({ $case: "url", value: "https://files.example/x.pdf" }, "application/pdf"),
        part({ $case: "data", value: { deep: [1, { a: null }] } }),
      ];
      const task = await ask(open(service), request);
      const parts = task.artifacts.flatMap((artifact) => artifact.parts);
      const read = parts.map(({ content, mediaType }) => [
        content?.$case,
        content?.$case === "raw" ? content.value.toString() : content?.value,
        mediaType,
      ]);
      assert.deepEqual(read, [
        ["raw", "bytes", "text/plain"],
        ["url", "https://files.example/x.pdf", "application/pdf"],
        ["data", { deep: [1, { a: null }] }, ""],
      ]);
    });

    test("a message is streamed: task, artifact, and the end that says it is one", async () => {
      await using service = await startService(echo);
      const events = await Array.fromAsync(open(service).sendMessageStream(sendRequest("a b")));
      const kinds = payloads(events);
      assert.equal(kinds[0], "task");
      assert.ok(kinds.includes("artifactUpdate"));
      const last = events.at(-1)!.payload;
      assert.ok(last?.$case === "statusUpdate");
      assert.equal(last.value.status?.state, TaskState.TASK_STATE_COMPLETED);
    });

    test("an answer may be a message, streamed or not; a question is a task", async () => {
      const asks = defineAgent({
        name: "asks",
        async *respond({ messages }) {
          const text = messageText(messages.at(-1)!);
          if (text !== "ask") yield createMessage({ id: `re-${text}`, role: "assistant", content: text });
          else yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?" };
        },
      });
      await using service = await startService(asks, { respondWith: "message" });
      const client = open(service);
      const answer = await client.sendMessage(sendRequest("a"));
      assert.ok("parts" in answer);
      assert.deepEqual([answer.messageId, answer.role, answer.taskId], ["re-a", Role.ROLE_AGENT, ""]);
      assert.deepEqual(answer.parts[0]?.content, { $case: "text", value: "a" });
      const { contextId } = answer;
      const request = sendRequest("b", { contextId });
      const [event, ...more] = await Array.fromAsync(client.sendMessageStream(request));
      assert.ok(event?.payload?.$case === "message");
      assert.deepEqual(
        [event.payload.value.messageId, event.payload.value.contextId, more],
        ["re-b", contextId, []],
      );
      const asked = await ask(client, sendRequest("ask", { contextId }));
      assert.equal(asked.status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
    });

    test("a running task is subscribed to, and cancelled", async () => {
      const began = gate();
      const waits = waitsForAbort(() => began.resolve());
      await using service = await startService(waits);
      const client = open(service);
      const task = await ask(client, sendRequest("x", { returnImmediately: true }));
      await began.promise;
      const events = client.resubscribeTask({ tenant: "", id: task.id });
      assert.equal((await events.next()).value?.payload?.$case, "task");
      const cancelled = await client.cancelTask({ tenant: "", id: task.id, metadata: undefined });
      assert.equal(cancelled.status?.state, TaskState.TASK_STATE_CANCELED);
      const last = (await Array.fromAsync(events)).at(-1)?.payload;
      assert.ok(last?.$case === "statusUpdate");
      assert.equal(last.value.status?.state, TaskState.TASK_STATE_CANCELED);
    });

    test("push configurations are set, read, listed and deleted", async () => {
      await using service = await startService(echo, { push: { urls: { allowHosts: ["hooks.example"] } } });
      const client = open(service);
      const { id: taskId } = await ask(client, sendRequest("x"));
      const given = {
        tenant: "",
        taskId,
        id: "hook",
        url: "https://hooks.example/x",
        token: "secret",
        authentication: { scheme: "Bearer", credentials: "let me in" },
      };
      assert.deepEqual(await client.createTaskPushNotificationConfig(given), given);
      const named = { tenant: "", taskId, id: "hook" };
      assert.deepEqual(await client.getTaskPushNotificationConfig(named), given);
      const list = (): ReturnType<Transport["listTaskPushNotificationConfig"]> =>
        client.listTaskPushNotificationConfig({ tenant: "", taskId, pageSize: 0, pageToken: "" });
      assert.deepEqual((await list()).configs, [given]);
      await client.deleteTaskPushNotificationConfig(named);
      assert.deepEqual((await list()).configs, []);
    });

    test("who asked in 0.3 is notified in its words", async (t) => {
      const began = gate();
      const waits = waitsForAbort(() => began.resolve());
      const told: Record<string, unknown>[] = [];
      const both = gate();
      const site = createServer((request, response) => {
        void json(request).then((body) => {
          if (told.push(body as Record<string, unknown>) === 2) both.resolve();
          response.end();
        });
      }).listen(0, "127.0.0.1");
      await once(site, "listening");
      t.after(() => site.close());
      const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;
      await using service = await startService(waits, { push: { urls: { allowHosts: [host] } } });
      const client = open(service);
      const config = {
        tenant: "",
        taskId: "",
        id: "sent",
        url: `http://${host}/`,
        token: "",
        authentication: undefined,
      };
      const request = sendRequest("x", { returnImmediately: true });
      request.configuration!.taskPushNotificationConfig = config;
      const { id } = await ask(client, request);
      await began.promise;
      await client.createTaskPushNotificationConfig({ ...config, taskId: id, id: "set" });
      await client.cancelTask({ tenant: "", id, metadata: undefined });
      await both.promise;
      for (const { kind, taskId, status, final } of told) {
        const { state } = status as { state: string };
        assert.deepEqual([kind, taskId, state, final], ["status-update", id, "canceled", true]);
      }
    });

    test("the extended card is for callers who log in, and says how 0.3 is reached", async () => {
      const auth = bearer("t");
      await using service = await startService(echo, { auth, extendedCard: { description: "all of it" } });
      const client = open(service);
      const serviceParameters = { authorization: "Bearer t" };
      const card = await client.getExtendedAgentCard({ tenant: "" }, { serviceParameters });
      assert.deepEqual([card.name, card.description], ["echo", "all of it"]);
      assert.equal(card.capabilities?.extendedAgentCard, true);
      assert.deepEqual(Object.keys(card.securitySchemes), [auth.scheme.name]);
      assert.deepEqual(Object.keys(card.securityRequirements[0]!.schemes), [auth.scheme.name]);
      const offered = new Set(card.supportedInterfaces.map((known) => known.protocolBinding));
      assert.deepEqual(offered, new Set(["JSONRPC", "HTTP+JSON", "GRPC"]));
      await assert.rejects(client.sendMessage(sendRequest("x")), /needs a valid login/);
    });

    test("a call continues its caller's trace", async () => {
      using captured = captureSpans();
      await using service = await startService(echo);
      const client = open(service);
      const options = { serviceParameters: { traceparent } };
      await client.sendMessage(sendRequest("x"), options);
      await Array.fromAsync(client.sendMessageStream(sendRequest("x"), options));
      const servers = captured.spans().filter(({ kind }) => kind === SpanKind.SERVER);
      assert.deepEqual(
        servers.map((span) => [span.name, span.traceId, span.attributes["weft.a2a.binding"]]),
        [
          ["SendMessage", traceId, binding],
          ["SendStreamingMessage", traceId, binding],
        ],
      );
    });

    test("errors say what is wrong, of a stream too", async () => {
      await using service = await startService(echo, { limits: { parts: 1 } });
      const client = open(service);
      const none = { tenant: "", id: "none" };
      await assert.rejects(client.getTask(none), /Task none does not exist/);
      await assert.rejects(client.cancelTask({ ...none, metadata: undefined }), /Task none does not exist/);
      await assert.rejects(Array.fromAsync(client.resubscribeTask(none)), /Task none does not exist/);
      await assert.rejects(client.getExtendedAgentCard({ tenant: "" }), /no extended card/);
      const large = sendRequest("x");
      large.message!.parts.push(large.message!.parts[0]!);
      await assert.rejects(client.sendMessage(large), /limit parts of 1/);
      await assert.rejects(Array.fromAsync(client.sendMessageStream(large)), /limit parts of 1/);
    });

    test("legacy: false refuses it, and the card does not offer it", async () => {
      await using service = await startService(echo, { legacy: false });
      await assert.rejects(open(service).sendMessage(sendRequest("x")));
      assert.ok(service.card.supportedInterfaces.every((known) => known.protocolVersion === "1.0"));
    });
  });
}

/** One exchange of HTTP+JSON, its body as it is. */
async function exchange(
  service: Service,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; type: string | null; headers: Headers; body: Record<string, unknown> }> {
  const answer = await fetch(`${service.url}${path}`, init);
  const body = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, type: answer.headers.get("content-type"), headers: answer.headers, body };
}

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const oldMessage = (text: string): object => ({
  message: { messageId: crypto.randomUUID(), role: "ROLE_USER", content: [{ text }] },
});

describe("the JSON of A2A 0.3 over REST", { timeout }, () => {
  test("a task is the ProtoJSON of 0.3, and nothing of 1.0", async () => {
    using _captured = captureSpans();
    await using service = await startService(echo);
    const sent = await exchange(service, "/v1/message:send", post(oldMessage("a")));
    assert.deepEqual([sent.status, sent.type], [200, "application/json"]);
    assert.ok(sent.headers.has("x-weft-trace-id"));
    const { task } = sent.body as { task: Record<string, unknown> & { id: string } };
    assert.deepEqual(Object.keys(task).toSorted(), [
      "artifacts",
      "contextId",
      "history",
      "id",
      "metadata",
      "status",
    ]);
    const [first] = task["history"] as Record<string, unknown>[];
    assert.deepEqual([first!["role"], first!["content"]], ["ROLE_USER", [{ text: "a" }]]);
    const read = await exchange(service, `/v1/tasks/${task.id}?history_length=0`);
    assert.deepEqual((read.body["history"] as unknown[]).length, (task["history"] as unknown[]).length);
    const cancelled = await exchange(service, `/v1/tasks/${task.id}:cancel`, post("null"));
    assert.deepEqual([cancelled.status, cancelled.body["code"]], [400, -32002]);
  });

  test("a state and an end are spelled as 0.3 spells them", async () => {
    const waits = waitsForAbort();
    await using service = await startService(waits);
    const body = { ...oldMessage("x"), configuration: { blocking: false } };
    const sent = await exchange(service, "/v1/message:send", post(body));
    const { id } = sent.body["task"] as { id: string };
    const stream = await fetch(`${service.url}/v1/tasks/${id}:subscribe`);
    const cancelled = await exchange(service, `/v1/tasks/${id}:cancel`, post({}));
    assert.equal((cancelled.body["status"] as { state: string }).state, "TASK_STATE_CANCELLED");
    const events = (await stream.text())
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map(
        (line) =>
          JSON.parse(line.slice(6)) as { statusUpdate?: { final: boolean; status: { state: string } } },
      );
    const { statusUpdate } = events.at(-1)!;
    assert.deepEqual([statusUpdate?.final, statusUpdate?.status.state], [true, "TASK_STATE_CANCELLED"]);
  });

  test("members are read by their proto names too", async () => {
    const heard: string[] = [];
    const hears = defineAgent({
      name: "hears",
      async *respond({ messages }) {
        heard.push(JSON.stringify(messages.at(-1)!.content));
        yield messageText(messages.at(-1)!);
      },
    });
    await using service = await startService(hears);
    const file = { file_with_uri: "https://files.example/x", mime_type: "text/plain" };
    const request = {
      message_id: crypto.randomUUID(),
      role: "ROLE_USER",
      content: [{ text: "a" }, { file }],
    };
    const sent = await exchange(service, "/v1/message:send", post({ request }));
    assert.equal(sent.status, 200);
    assert.match(heard[0]!, /https:\/\/files\.example\/x/);
  });

  test("a push configuration is read bare, and as a member of its request", async () => {
    await using service = await startService(echo, { push: { urls: { allowHosts: ["hooks.example"] } } });
    const sent = await exchange(service, "/v1/message:send", post(oldMessage("x")));
    const { id } = sent.body["task"] as { id: string };
    const pushNotificationConfig = { id: "hook", url: "https://hooks.example/x" };
    const expected = { name: `tasks/${id}/pushNotificationConfigs/hook`, pushNotificationConfig };
    for (const body of [
      { pushNotificationConfig },
      { parent: `tasks/${id}`, configId: "hook", config: { pushNotificationConfig } },
    ]) {
      const made = await exchange(service, `/v1/tasks/${id}/pushNotificationConfigs`, post(body));
      assert.deepEqual(made.body, expected);
    }
    const list = await exchange(service, `/v1/tasks/${id}/pushNotificationConfigs`);
    assert.deepEqual(list.body["configs"], [expected]);
    const deleted = await fetch(`${service.url}/v1/tasks/${id}/pushNotificationConfigs/hook`, {
      method: "DELETE",
    });
    assert.equal(deleted.status, 204);
  });

  test("the extended card has the members of 0.3's proto, and no others", async () => {
    const skills = [{ id: "s", name: "s", description: "s", tags: [] }];
    await using service = await startService(echo, {
      auth: bearer("t"),
      extendedCard: { skills, iconUrl: "https://icons.example/x" },
    });
    const { body: card } = await exchange(service, "/v1/card", { headers: { authorization: "Bearer t" } });
    const known =
      "protocolVersion name description url preferredTransport additionalInterfaces provider version documentationUrl " +
      "capabilities securitySchemes security defaultInputModes defaultOutputModes skills supportsAuthenticatedExtendedCard";
    const unknown = new Set(Object.keys(card)).difference(new Set(known.split(" ")));
    assert.deepEqual([...unknown], []);
    const capabilities = Object.keys(card["capabilities"] as object);
    assert.deepEqual(capabilities.toSorted(), ["extensions", "pushNotifications", "streaming"]);
    assert.deepEqual(card["security"], [{ schemes: { bearer: {} } }]);
    assert.deepEqual([card["url"], card["protocolVersion"]], [service.url, "0.3.0"]);
  });

  test("an error is bare: code, message and data; also one before there is a call", async () => {
    await using service = await startService(echo, { auth: bearer("t"), limits: { bodyBytes: 2_000 } });
    const refused = await exchange(service, "/v1/message:send", post(oldMessage("x")));
    assert.deepEqual([refused.status, refused.body["code"]], [401, -32603]);
    assert.equal(refused.headers.get("www-authenticate"), "Bearer");
    const login = { authorization: "Bearer t" };
    const cases: readonly [string, unknown, number, number][] = [
      ["/v1/tasks/none", undefined, 404, -32001],
      ["/v1/message:send", "{", 400, -32700],
      ["/v1/message:send", {}, 400, -32602],
      ["/v1/message:send", { message: 7 }, 400, -32602],
      ["/v1/message:send", { message: { role: "ROLE_USER", content: [{ file: {} }] } }, 400, -32602],
      ["/v1/tasks/x/y/z", undefined, 404, -32603],
    ];
    for (const [path, body, status, code] of cases) {
      const init = body === undefined ? { headers: login } : post(body, login);
      const answer = await exchange(service, path, init);
      assert.deepEqual(
        [answer.status, answer.body["code"]],
        [status, code],
        `${path} ${JSON.stringify(body)}`,
      );
      assert.ok(typeof answer.body["message"] === "string" && !("error" in answer.body));
    }
    const large = await exchange(service, "/v1/message:send", post(oldMessage("x".repeat(3_000)), login));
    assert.equal(large.status, 413);
    assert.deepEqual(large.body["data"], { weftCode: "limit_exceeded", limit: "bodyBytes" });
  });

  test("a path says which version is spoken, and the header must not say another", async () => {
    await using service = await startService(echo);
    const version = (given: string): Record<string, string> => ({ "a2a-version": given });
    const old = await exchange(service, "/v1/message:send", post(oldMessage("a"), version("0.3.0")));
    assert.equal(old.status, 200);
    const isCurrentError = ({ body }: { body: Record<string, unknown> }): boolean => "error" in body;
    const mixed = await exchange(service, "/v1/message:send", post(oldMessage("a"), version("1.0")));
    assert.ok(mixed.status === 404 && isCurrentError(mixed));
    for (const headers of [version(""), version("0.3")]) {
      const unversioned = await exchange(service, "/tasks", { headers });
      assert.ok(unversioned.status === 400 && isCurrentError(unversioned));
      assert.match(JSON.stringify(unversioned.body), /VERSION_NOT_SUPPORTED/);
    }
  });

  test("each of several agents is reached under its key", async () => {
    await using service = await startService({ one: echo, two: echo });
    const sent = await exchange(service, "/two/v1/message:send", post(oldMessage("a")));
    assert.equal(sent.status, 200);
    const card = (await exchange(service, "/two/.well-known/agent-card.json")).body;
    assert.deepEqual(card["additionalInterfaces"], [
      { url: `${service.url}/two`, transport: "JSONRPC" },
      { url: `${service.url}/two`, transport: "HTTP+JSON" },
    ]);
    const old = clients["grpc"]!(service);
    await assert.rejects(old.sendMessage(sendRequest("x")), /'0.3' is not supported/, "0.3 has no tenants");
  });
});

test(
  "over gRPC a count that is not given means all, and 1.0's service takes no call of 0.3",
  { timeout },
  async () => {
    await using service = await startService(echo);
    const old = new LegacyGrpcTransport({ endpoint: new URL(service.url).host });
    const task = await ask(old, sendRequest("x"));
    assert.ok((await old.getTask({ tenant: "", id: task.id })).history.length > 0);
    const client = new Client(new URL(service.url).host, credentials.createInsecure());
    const call = (path: string, version: string, bytes: Buffer): Promise<ServiceError> =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        if (version !== "") metadata.set("a2a-version", version);
        const same = (given: Buffer): Buffer => given;
        client.makeUnaryRequest(path, same, same, bytes, metadata, (error) =>
          error ? resolve(error) : reject(new assert.AssertionError({ message: "it was answered" })),
        );
      });
    const none = Buffer.alloc(0);
    for (const [path, version] of [
      ["/lf.a2a.v1.A2AService/GetTask", ""],
      ["/lf.a2a.v1.A2AService/GetTask", "0.3"],
      ["/a2a.v1.A2AService/GetTask", "1.0"],
    ] as const) {
      assert.match((await call(path, version, none)).details, /version '.*' is not the one/);
    }
    const unreadable = await call("/a2a.v1.A2AService/GetTask", "", none);
    assert.deepEqual([unreadable.code, unreadable.metadata.get("x-weft-code")], [3, ["invalid_argument"]]);
    client.close();
  },
);
