import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { captureSpans, SpanKind } from "@weft/tracing/internal";
import { WebSocket } from "ws";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { agentHandler, apiKey, bearer, connect, createRemoteAgent, serve } from "../src/index.ts";
import { wsSubprotocol } from "../src/ws/frames.ts";
import { listRequest, sendJson, sendRequest } from "./requests.ts";
import {
  bindings,
  echo,
  gate,
  hasCode,
  heldAgent,
  newContext,
  recall,
  say,
  startService,
  textOfTurn,
} from "./support.ts";

const timeout = 20_000;
const headers = { "content-type": "application/json", "a2a-version": "1.0" };

function post(url: string, extra: Record<string, string> = {}, text = "hi"): Promise<Response> {
  return fetch(`${url}/message:send`, {
    method: "POST",
    headers: { ...headers, ...extra },
    body: JSON.stringify(sendJson(text)),
  });
}

async function listen(
  handle: Parameters<typeof createServer>[1],
): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a missing, malformed or foreign traceparent never breaks a call", { timeout }, async () => {
  using captured = captureSpans();
  await using service = await startService(echo);
  const foreign = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  for (const traceparent of [
    "",
    "garbage",
    `${foreign}-extra`,
    "00-00000000000000000000000000000000-0000000000000000-00",
  ]) {
    const response = await post(service.url, traceparent === "" ? {} : { traceparent });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("x-weft-trace-id") ?? "", /^[0-9a-f]{32}$/);
  }
  const roots = captured.spans().filter(({ kind }) => kind === SpanKind.SERVER);
  assert.equal(new Set(roots.map(({ traceId }) => traceId)).size, 4);
  const followed = await post(service.url, { traceparent: foreign });
  assert.equal(followed.headers.get("x-weft-trace-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
});

test("a caller behind a proxy is linked, not obeyed", { timeout }, async () => {
  using captured = captureSpans();
  await using service = await startService(echo);
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const response = await post(service.url, { traceparent, "x-forwarded-for": "10.0.0.1" });
  assert.notEqual(response.headers.get("x-weft-trace-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  const server = captured.spans().find(({ kind }) => kind === SpanKind.SERVER);
  assert.equal(server!.parentSpanId, undefined);
  assert.equal(server!.links[0]!.context.spanId, "00f067aa0ba902b7");
});

test("concurrent conversations through one service never mix messages or traces", { timeout }, async () => {
  using captured = captureSpans();
  const hears = defineAgent({
    name: "hears",
    async *respond({ messages }) {
      const heard = messages.filter(({ role }) => role === "user").map(messageText);
      yield heard.join("|");
    },
  });
  await using service = await startService(hears);
  await using remote = await createRemoteAgent(service.url);
  const talk = async (name: string): Promise<string[]> => {
    const context = newContext({ conversationId: `conversation-${name}` });
    const texts: string[] = [];
    for (let turn = 1; turn <= 5; turn++)
      texts.push(textOfTurn(await say(remote, `${name}${turn}`, context, turn))!);
    return texts;
  };
  const names = Array.from({ length: 10 }, (_, index) => `n${index}-`);
  const talks = await Promise.all(names.map(talk));
  talks.forEach((texts, index) => {
    const others = names.filter((_, other) => other !== index);
    assert.ok(texts.every((text) => others.every((other) => !text.includes(other))));
    assert.equal(texts.at(-1)!.split("|").length, 5);
  });
  for (const span of captured.spans().filter(({ kind }) => kind === SpanKind.SERVER)) {
    const message = String(span.attributes["gen_ai.input.messages"]);
    const conversation = String(span.attributes["gen_ai.conversation.id"]).replace("conversation-", "");
    assert.ok(message.includes(conversation));
  }
});

test("what is no agent is refused with what is wrong, within the deadline", { timeout }, async () => {
  await assert.rejects(connect("http://127.0.0.1:9"), hasCode("unavailable"));
  await assert.rejects(connect("nonsense"), hasCode("invalid_argument"));
  let answer: [number, string] = [200, "<html>"];
  await using site = await listen((_request, response) => response.writeHead(answer[0]).end(answer[1]));
  await assert.rejects(
    connect(site.url),
    (error: Error) => hasCode("invalid_card")(error) && /not JSON/.test(error.message),
  );
  answer = [200, '{"name":"old","url":"http://x"}'];
  await assert.rejects(
    connect(site.url),
    (error: Error) => hasCode("invalid_card")(error) && /0\.3/.test(error.message),
  );
  answer = [
    200,
    '{"name":"x","supportedInterfaces":[{"url":"x:1","protocolBinding":"SMOKE","protocolVersion":"1.0"}]}',
  ];
  await assert.rejects(
    connect(site.url),
    (error: Error) => hasCode("invalid_card")(error) && /SMOKE/.test(error.message),
  );
  answer = [404, "no"];
  await assert.rejects(connect(site.url), hasCode("not_found"));
  await using silent = await listen(() => undefined);
  await assert.rejects(connect(silent.url, { timeouts: { cardMs: 100 } }), hasCode("deadline_exceeded"));
});

test(
  "several agents live under their keys, on gRPC by tenant; an unknown one is named",
  { timeout },
  async () => {
    const planner = { ...echo, name: "planner" };
    await using service = await startService({ planner, recall });
    assert.deepEqual(Object.keys(service.cards), ["planner", "recall"]);
    for (const binding of bindings) {
      await using client = await connect(`${service.url}/recall`, { binding });
      assert.equal(await client.ask("x"), "x");
      await using other = await connect(service.cards["planner"]!, { binding });
      assert.equal(await other.ask("y"), "y ");
    }
    await assert.rejects(connect(`${service.url}/nobody`), hasCode("not_found"));
    const response = await fetch(`${service.url}/nobody/tasks`);
    assert.match(JSON.stringify(await response.json()), /planner, recall/);
  },
);

test("a body over the limit and an invalid frame are refused by name", { timeout }, async () => {
  await using service = await startService(echo, { limits: { bodyBytes: 2_000, frameBytes: 2_000 } });
  for (const path of ["/", "/message:send"]) {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "SendMessage",
      params: { x: "x".repeat(3_000) },
    });
    const response = await fetch(`${service.url}${path}`, { method: "POST", headers, body });
    assert.equal(response.status, 413);
    assert.match(await response.text(), /bodyBytes of 2000/);
  }
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding });
    const limit = binding === "ws" ? "frameBytes" : "bodyBytes";
    await assert.rejects(client.ask("x".repeat(3_000)), (error) => {
      assert.match((error as Error).message, new RegExp(`exceeds the limit ${limit} of 2000 bytes`), binding);
      return hasCode("limit_exceeded")(error);
    });
  }
  const closed = gate<[number, string]>();
  const socket = new WebSocket(`${service.url.replace("http", "ws")}/ws`, wsSubprotocol);
  socket.on("open", () => socket.send(Buffer.from([0xc1, 0xff])));
  socket.on("close", (code, reason) => closed.resolve([code, reason.toString()]));
  const [code] = await closed.promise;
  assert.equal(code, 1007);
});

test("malformed requests get an error of their binding and no stack", { timeout }, async () => {
  await using service = await startService(echo);
  const rpc = async (body: string): Promise<{ error: { code: number } }> => {
    const response = await fetch(service.url, { method: "POST", headers, body });
    const text = await response.text();
    assert.doesNotMatch(text, /at .*\.ts|node_modules/);
    return JSON.parse(text) as { error: { code: number } };
  };
  assert.equal((await rpc("{")).error.code, -32700);
  assert.equal((await rpc("[]")).error.code, -32600);
  assert.equal((await rpc('{"jsonrpc":"2.0","id":1,"method":"Nix","params":{}}')).error.code, -32601);
  assert.equal((await rpc('{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":7}')).error.code, -32602);
  for (const body of ["{", "[]", "7", '{"message":7}', '{"message":{"parts":7}}']) {
    const response = await fetch(`${service.url}/message:send`, { method: "POST", headers, body });
    assert.equal(response.status, 400, body);
  }
  const old = await fetch(`${service.url}/tasks`);
  assert.equal(old.status, 400, "a request without A2A-Version is of 0.3");
});

test(
  "an agent that hangs is ended at the service's limit, and its trace says ERROR",
  { timeout },
  async () => {
    using captured = captureSpans();
    const hangs = defineAgent({
      name: "hangs",
      async *respond() {
        yield "…";
        await new Promise(() => undefined);
      },
    });
    await using service = await startService(hangs, { limits: { turnMs: 50 } });
    await using client = await connect(service.url);
    await assert.rejects(client.ask("go"), hasCode("deadline_exceeded"));
    const turn = captured.spans().find(({ name }) => name === "invoke_agent hangs");
    assert.equal(turn!.status.code, 2);
  },
);

test("who has no login is refused on every binding, and who has it is not", { timeout }, async () => {
  for (const auth of [bearer("secret-token"), apiKey("secret-key")]) {
    await using service = await startService(echo, { auth });
    assert.equal((await post(service.url)).status, 401);
    for (const binding of bindings) {
      await using stranger = await connect(service.url, { binding });
      await assert.rejects(stranger.ask("x"), hasCode("unauthenticated"));
      await using friend = await connect(service.url, { binding, auth });
      assert.equal(await friend.ask("x"), "x ");
    }
  }
  assert.throws(() => bearer(""), hasCode("invalid_argument"));
});

test("tasks belong to who made them", { timeout }, async () => {
  await using service = await startService(echo, {
    auth: ({ headers }) => (headers["x-user"] as string) ?? null,
  });
  const as = (name: string) => ({
    authenticate: () => null,
    headers: async () => ({ "x-user": name }),
    scheme: bearer("x").scheme,
  });
  await using ann = await connect(service.url, { auth: as("ann") });
  await using bob = await connect(service.url, { auth: as("bob") });
  const task = await ann.sendMessage(sendRequest("x"));
  assert.ok("status" in task);
  await assert.rejects(bob.getTask({ tenant: "", id: task.id }), hasCode("not_found"));
  assert.equal((await ann.getTask({ tenant: "", id: task.id })).id, task.id);
});

test("a listener open to others needs auth or says that it is insecure", { timeout }, async () => {
  await assert.rejects(serve(echo, { host: "0.0.0.0" }), hasCode("invalid_argument"));
  await using service = await serve(echo, { host: "0.0.0.0", insecure: true, signals: false });
  assert.ok(service.port > 0);
});

test("the same message id twice on a context is one turn", { timeout }, async () => {
  let turns = 0;
  const counts = defineAgent({
    name: "counts",
    async *respond() {
      yield `turn ${++turns}`;
    },
  });
  await using service = await startService(counts);
  await using client = await connect(service.url);
  const request = sendRequest("x", { contextId: "context-1" });
  const [one, two] = await Promise.all([client.sendMessage(request), client.sendMessage(request)]);
  assert.ok("status" in one && "status" in two && one.id === two.id);
  assert.equal(turns, 1);
});

test("a message on a working task waits its turn and loses nothing", { timeout }, async () => {
  const release = gate();
  const first = gate();
  const listens = defineAgent({
    name: "listens",
    async *respond({ messages, newFrom }) {
      first.resolve();
      await release.promise;
      yield `heard ${messages.slice(newFrom).map(messageText).join("+")} `;
    },
  });
  await using service = await startService(listens);
  await using client = await connect(service.url);
  const streaming = Array.fromAsync(client.sendMessageStream(sendRequest("one", { contextId: "context-2" })));
  await first.promise;
  const { tasks } = await client.listTasks(listRequest({ contextId: "context-2" }));
  const second = client.sendMessage(sendRequest("two", { contextId: "context-2", taskId: tasks[0]!.id }));
  // Both are in the service before the first goes on: the answer to a call that came later says so.
  await client.getTask({ tenant: "", id: tasks[0]!.id });
  release.resolve();
  const task = await second;
  assert.ok("status" in task);
  const texts = task.artifacts.map(({ parts }) =>
    parts[0]!.content?.$case === "text" ? parts[0]!.content.value : "",
  );
  assert.deepEqual(texts, ["heard one ", "heard two "]);
  await streaming;
});

test("a question of the agent is INPUT_REQUIRED, and the next message answers it", { timeout }, async () => {
  const asks = defineAgent({
    name: "asks",
    async *respond({ messages }, { session }) {
      if (session.state === undefined) {
        session.state = { asked: true };
        yield {
          type: "input-required",
          id: "q1",
          kind: "reply",
          agent: "asks",
          prompt: "How many?",
        } as const;
      } else {
        yield `${messageText(messages.at(-1)!)} it is`;
      }
    },
  });
  for (const binding of bindings) {
    await using service = await startService(asks);
    await using remote = await createRemoteAgent(service.url, { binding });
    const context = newContext();
    const [question] = await say(remote, "order", context);
    assert.ok(question?.type === "input-required" && question.prompt === "How many?" && question.id === "q1");
    assert.equal(textOfTurn(await say(remote, "three", context, 2)), "three it is");
  }
});

test("drain finishes the running task, refuses new ones and closes", { timeout }, async () => {
  const { agent, started, release } = heldAgent(["done"]);
  const service = await startService(agent);
  await using client = await connect(service.url, { binding: "jsonrpc" });
  const running = client.ask("go");
  await started;
  const drained = service.drain();
  assert.equal((await fetch(`${service.url}/readyz`)).status, 503);
  assert.equal((await post(service.url)).status, 503);
  release();
  assert.equal(await running, "done");
  await drained;
  await assert.rejects(fetch(`${service.url}/healthz`));
});

test("a reply that is due when the service drains still arrives, on every binding", { timeout }, async () => {
  for (const binding of bindings) {
    const { agent, started, release } = heldAgent(["do", "ne"]);
    const service = await startService(agent);
    await using remote = await createRemoteAgent(service.url, { binding });
    const turn = say(remote, "go", newContext());
    await started;
    const drained = service.drain();
    release();
    assert.equal(textOfTurn(await turn), "done");
    await drained;
  }
});

test("agentHandler mounts in another server, WebSocket included", { timeout }, async () => {
  const handler = agentHandler({ echo });
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (!url.startsWith("/agents")) return void response.writeHead(204).end();
    Object.assign(request, { url: url.slice("/agents".length), baseUrl: "/agents" });
    handler(request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    request.url = request.url!.slice("/agents".length);
    handler.upgrade(request, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/agents/echo`;
  for (const binding of ["ws", "jsonrpc", "rest"] as const) {
    await using client = await connect(url, { binding });
    assert.equal(await client.ask("x"), "x ");
  }
  await handler.drain();
  server.closeAllConnections();
  server.close();
});

test("ended tasks are remembered up to the limit, the oldest forgotten first", { timeout }, async () => {
  await using service = await startService(echo, { limits: { endedTasks: 2 } });
  await using client = await connect(service.url);
  const ids: string[] = [];
  for (let count = 0; count < 4; count++) {
    const task = await client.sendMessage(sendRequest("x"));
    ids.push("status" in task ? task.id : "");
  }
  await assert.rejects(client.getTask({ tenant: "", id: ids[0]! }), hasCode("not_found"));
  assert.equal((await client.getTask({ tenant: "", id: ids[3]! })).id, ids[3]);
});

test("headers over the limit are refused by its name", { timeout }, async () => {
  await using service = await startService(echo, { limits: { headerBytes: 2_000 } });
  const response = await fetch(`${service.url}/healthz`, { headers: { "x-large": "x".repeat(4_000) } });
  assert.equal(response.status, 431);
  assert.match(await response.text(), /headerBytes of 2000/);
});

test("a busy port is named", { timeout }, async () => {
  await using service = await startService(echo);
  const { port } = service;
  const isNamed = (error: Error): boolean =>
    hasCode("unavailable")(error) && error.message.includes(String(port));
  await assert.rejects(serve(echo, { port, signals: false }), isNamed);
  await assert.rejects(serve(echo, { grpcPort: port, bindings, signals: false }), isNamed);
});

test("gRPC may have a port of its own", { timeout }, async () => {
  await using service = await startService(echo, { grpcPort: 0 });
  assert.notEqual(service.grpcPort, service.port);
  await using client = await connect(service.url, { binding: "grpc" });
  assert.equal(await client.ask("x"), "x ");
});

test("a card tells name, description and skills, never instructions", { timeout }, async () => {
  const agent = { ...echo, systemMessage: "SECRET" };
  await using service = await startService(agent);
  const text = await (await fetch(`${service.url}/.well-known/agent-card.json`)).text();
  assert.doesNotMatch(text, /SECRET/);
  assert.match(text, /Says back what it hears/);
});

test(
  "each of ten thousand deltas brings itself and nothing of what was before",
  { timeout: 60_000 },
  async () => {
    const floods = defineAgent({
      name: "floods",
      async *respond() {
        for (let index = 0; index < 10_000; index++) yield "0123456789";
      },
    });
    await using service = await startService(floods);
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding });
      const sizes: number[] = [];
      for await (const event of client.sendMessageStream(sendRequest("x")))
        sizes.push(JSON.stringify(event).length);
      assert.ok(sizes.length >= 10_000, binding);
      assert.ok(Math.max(...sizes) < 2_000, `${binding}: ${Math.max(...sizes)} characters`);
    }
  },
);
