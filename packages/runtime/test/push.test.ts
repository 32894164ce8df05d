import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { StreamResponse, TaskState } from "@a2a-js/sdk";
import type { SendMessageRequest, TaskPushNotificationConfig } from "@a2a-js/sdk";
import { captureSpans } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import { defineAgent } from "../src/agent/index.ts";
import { checkUrl, isPrivateAddress, parseGuardedUrl, pinnedLookup } from "../src/edge/url-guard.ts";
import { connect } from "../src/index.ts";
import { callContext, newEngine } from "./engine-support.ts";
import { sendRequest } from "./requests.ts";
import { bindings, echo, gate, hasCode, startService } from "./support.ts";

const timeout = 60_000;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly state: TaskState | undefined;
}

/** Answers what `answer` says for the n-th POST; default 200. */
async function receiver(answer: (count: number, response: ServerResponse) => void = () => undefined) {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { payload } = StreamResponse.fromJSON(body === "" ? {} : JSON.parse(body));
    const state = payload?.$case === "statusUpdate" ? payload.value.status?.state : undefined;
    received.push({ headers: request.headers, body, state });
    answer(received.length, response);
    response.end();
    for (const wake of waiting) wake();
  };
  const server = createServer((request, response) => void take(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    host: `127.0.0.1:${port}`,
    received,
    async has(count: number): Promise<void> {
      while (received.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
    },
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function withPush(
  request: SendMessageRequest,
  url: string,
  given: Partial<TaskPushNotificationConfig> = {},
): SendMessageRequest {
  const config = {
    tenant: "",
    id: "hook",
    taskId: "",
    url,
    token: "secret-token",
    authentication: undefined,
    ...given,
  };
  return { ...request, configuration: { ...request.configuration!, taskPushNotificationConfig: config } };
}

test(
  "a state change is POSTed once, signed, with the task's token, login and trace",
  { timeout },
  async () => {
    using spans = captureSpans();
    using hook = await receiver();
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const push = { urls: { allowHosts: [hook.host] }, signingKey: privateKey };
    const engine = newEngine(echo, { push });
    const authentication = { scheme: "Bearer", credentials: "let me in" };
    const task = await engine.sendMessage(
      withPush(sendRequest("hello"), hook.url, { authentication }),
      callContext(),
    );
    await hook.has(1);
    await engine.drain(AbortSignal.timeout(5_000));
    assert.equal(hook.received.length, 1);
    const { headers, body, state } = hook.received[0]!;
    assert.equal(state, TaskState.TASK_STATE_COMPLETED);
    assert.match(body, new RegExp(task.id));
    assert.equal(headers["x-a2a-notification-token"], "secret-token");
    assert.equal(headers.authorization, "Bearer let me in");
    const content = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
    const [byToken, byKey] = String(headers["webhook-signature"]).split(" ");
    assert.equal(byToken, `v1,${createHmac("sha256", "secret-token").update(content).digest("base64")}`);
    assert.ok(
      verify(null, Buffer.from(content), publicKey, Buffer.from(byKey!.slice("v1a,".length), "base64")),
    );

    const turn = spans.spans().find(({ name }) => name === "invoke_agent echo");
    const sent = spans.spans().find(({ name }) => name === "push TASK_STATE_COMPLETED");
    assert.ok(turn && sent);
    assert.equal(sent.parentSpanId, turn.spanId);
    assert.equal(sent.attributes[Attr.httpResponseStatusCode], 200);
    assert.equal(headers["traceparent"], `00-${sent.traceId}-${sent.spanId}-01`);
  },
);

test(
  "a POST that fails is tried again under the same id; one that is refused for good is not",
  { timeout },
  async () => {
    using spans = captureSpans();
    using hook = await receiver((count, response) => {
      if (count === 1) response.statusCode = 503;
      if (count === 2) response.socket?.destroy();
    });
    using shut = await receiver((_count, response) => {
      response.statusCode = 410;
    });
    using moved = await receiver((_count, response) => {
      response.writeHead(302, { location: hook.url });
    });
    const push = { urls: { allowHosts: [hook.host, shut.host, moved.host] }, backOffMs: 1 };
    const engine = newEngine(echo, { push });
    for (const { url } of [hook, shut, moved])
      await engine.sendMessage(withPush(sendRequest("x"), url), callContext());
    await hook.has(3);
    await engine.drain(AbortSignal.timeout(10_000));
    assert.equal(new Set(hook.received.map(({ headers }) => headers["webhook-id"])).size, 1);
    assert.deepEqual([hook.received.length, shut.received.length, moved.received.length], [3, 1, 1]);
    const attempts = spans.spans().filter(({ name }) => name.startsWith("push "));
    assert.deepEqual(
      attempts.map(({ attributes }) => Number(attributes[Attr.pushAttempt])).toSorted((a, b) => a - b),
      [1, 1, 1, 2, 3],
    );
  },
);

test("a question and its answer are told in order, each once", { timeout }, async () => {
  using hook = await receiver();
  const asks = defineAgent({
    name: "asks",
    async *respond(_request, { session }) {
      if (session.state) yield "thanks";
      else yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?" } as const;
      session.state = true;
    },
  });
  const engine = newEngine(asks, { push: { urls: { allowHosts: [hook.host] } } });
  const task = await engine.sendMessage(withPush(sendRequest("x"), hook.url), callContext());
  await engine.sendMessage(sendRequest("y", { taskId: task.id, contextId: task.contextId }), callContext());
  await engine.drain(AbortSignal.timeout(5_000));
  assert.deepEqual(
    hook.received.map(({ state }) => state),
    [TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_COMPLETED],
  );
});

test(
  "a message whose configuration is one too many is refused but taken: sent again it is no second turn",
  { timeout },
  async () => {
    let turns = 0;
    const asks = defineAgent({
      name: "asks",
      async *respond() {
        turns++;
        yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?" } as const;
      },
    });
    const engine = newEngine(asks, { push: { urls: { allowHosts: ["hooks.example"] } } });
    const url = "https://hooks.example/";
    const { id, contextId } = await engine.sendMessage(sendRequest("x"), callContext());
    const config = withPush(sendRequest(""), url).configuration!.taskPushNotificationConfig!;
    for (let count = 0; count < 10; count++) {
      await engine.createTaskPushNotificationConfig(
        { ...config, id: `hook ${count}`, taskId: id },
        callContext(),
      );
    }
    const answer = sendRequest("y", { taskId: id, contextId });
    await assert.rejects(engine.sendMessage(withPush(answer, url), callContext()), /at most 10/);
    await engine.settled();
    const again = await engine.sendMessage(answer, callContext());
    assert.deepEqual([again.id, turns], [id, 2]);
  },
);

test(
  "configurations are made, read, listed and deleted on every binding; a private URL is refused",
  { timeout },
  async () => {
    const release = gate();
    const waits = defineAgent({
      name: "waits",
      async *respond() {
        await release.promise;
        yield "x";
      },
    });
    await using service = await startService(waits, { push: { urls: { allowHosts: ["hooks.example"] } } });
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding });
      const task = await client.sendMessage(sendRequest("x", { returnImmediately: true }));
      assert.ok("status" in task);
      const config = {
        tenant: "",
        id: "",
        taskId: task.id,
        url: "https://hooks.example/a",
        token: "",
        authentication: undefined,
      };
      const made = await client.createTaskPushNotificationConfig(config);
      assert.notEqual(made.id, "", binding);
      const named = { tenant: "", taskId: task.id, id: made.id };
      assert.deepEqual((await client.getTaskPushNotificationConfig(named)).url, config.url);
      const all = { tenant: "", taskId: task.id, pageSize: 0, pageToken: "" };
      assert.deepEqual(
        (await client.listTaskPushNotificationConfig(all)).configs.map(({ id }) => id),
        [made.id],
      );
      await client.deleteTaskPushNotificationConfig(named);
      assert.deepEqual((await client.listTaskPushNotificationConfig(all)).configs, []);
      for (const url of [
        "http://127.0.0.1/x",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://[::1]/",
        "http://0x7f.1/",
      ]) {
        await assert.rejects(
          client.createTaskPushNotificationConfig({ ...config, url }),
          hasCode("invalid_argument"),
          url,
        );
      }
    }
    release.resolve();
  },
);

test("addresses that are not the public internet are private, in every spelling", () => {
  const closed = [
    [
      "127.0.0.1",
      "10.1.2.3",
      "172.31.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
      "255.255.255.255",
    ],
    [
      "::1",
      "::",
      "fe80::1",
      "fe80::1%eth0",
      "fd00::1",
      "ff02::1",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "::127.0.0.1",
    ],
    ["64:ff9b::7f00:1", "2002:7f00:1::", "[::1]", "localhost", ""],
  ].flat();
  for (const address of closed) assert.ok(isPrivateAddress(address), address);
  for (const address of ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]) {
    assert.ok(!isPrivateAddress(address), address);
  }
  for (const url of [
    "http://user:word@example.com/",
    "ftp://example.com/",
    "nonsense",
    "http://2130706433/",
    "http://0177.0.0.1/",
  ]) {
    assert.throws(() => parseGuardedUrl(url), hasCode("invalid_argument"), url);
  }
  assert.throws(
    () => parseGuardedUrl("http://example.com/", { allowHttp: false }),
    hasCode("invalid_argument"),
  );
});

test(
  "a name is resolved once: the address that was checked is the address that is called",
  { timeout },
  async () => {
    await assert.rejects(checkUrl("http://localhost/"), hasCode("invalid_argument"));
    const checked = await checkUrl("http://localhost:1/", { allowPrivate: true });
    const pinned = await new Promise((resolve) =>
      pinnedLookup({ ...checked, address: "203.0.113.9", family: 4 })("localhost", {}, (_error, address) =>
        resolve(address),
      ),
    );
    assert.equal(pinned, "203.0.113.9");
  },
);
