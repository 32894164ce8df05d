import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { Client, credentials, Metadata, status as grpcStatus } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { anyJson, legacyBody, method, params, text, version } from "./fuzz-inputs.ts";
import type { Json } from "./fuzz-inputs.ts";
import { assertNoLeak, fuzz, inputs } from "./fuzz-run.ts";

/** 100,000 inputs on a busy machine; node:test's own limit is for the 2,000 of every day. */
const timeout = inputs > 10_000 ? 1_800_000 : 110_000;

interface HttpInput {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function openHttp(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const { hostname, port } = new URL(url);
  const exchange = (input: HttpInput): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const { path, body } = input;
      const headers = { ...input.headers, "content-length": Buffer.byteLength(body ?? "") };
      const sent = request({ agent, hostname, port, path, method: input.method, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  return { exchange, close: async () => agent.destroy() };
}

const json = "application/json";
const type = fc.oneof({ weight: 8, arbitrary: fc.constant(json) }, fc.constantFrom("text/plain", "a/b; c"));

/** Answers that are events: each `data` line is checked as an answer of its own. */
function bodiesOf(answer: HttpAnswer): unknown[] {
  if (!answer.headers["content-type"]?.startsWith("text/event-stream")) return [JSON.parse(answer.text)];
  const lines = answer.text.split("\n").filter((line) => line.startsWith("data:"));
  assert.ok(lines.length > 0, "a stream without an event");
  return lines.map((line) => JSON.parse(line.slice(5)) as unknown);
}

/** Whether an error of JSON-RPC's code for all the rest does not say which: a deadline of 1969 has passed, and is said to. */
function isInternal(data: unknown): boolean {
  const [info] = Array.isArray(data) ? (data as { metadata?: { weftCode?: string } }[]) : [];
  return (info?.metadata?.weftCode ?? "internal") === "internal";
}

test("JSON-RPC answers anything with a result or a proper error", { timeout }, async () => {
  const envelope = fc.oneof(
    { weight: 5, arbitrary: fc.record({ jsonrpc: fc.constant("2.0"), id: fc.integer(), method, params }) },
    fc.record({ jsonrpc: anyJson, id: anyJson, method: anyJson, params: anyJson }, { requiredKeys: [] }),
    anyJson,
  );
  await fuzz(fc.record({ version, type, body: text(envelope) }), async ({ url }) => {
    const { exchange, close } = openHttp(url);
    return {
      close,
      async send(input) {
        const headers = { "content-type": input.type, "a2a-version": input.version };
        const answer = await exchange({ method: "POST", path: "/", headers, body: input.body });
        assertNoLeak(answer.text);
        assert.ok(answer.status < 500, `${answer.status} ${answer.text}`);
        for (const body of bodiesOf(answer) as Record<string, unknown>[]) {
          assert.equal(body["jsonrpc"], "2.0");
          const error = body["error"] as { code: unknown; message: unknown; data?: unknown } | undefined;
          assert.notEqual("result" in body, error !== undefined, "a result or an error, never both");
          if (!error) continue;
          assert.ok(
            Number.isInteger(error.code) && typeof error.message === "string" && error.message !== "",
          );
          const isLegacy = input.version === "0.3" || input.version === "";
          assert.ok(isLegacy || error.code !== -32603 || !isInternal(error.data), answer.text);
        }
      },
    };
  });
});

const id = fc.oneof(fc.uuid(), fc.string()).map(encodeURIComponent);
const restPath = fc.oneof(
  fc.constantFrom(
    "/message:send",
    "/message:stream",
    "/tasks",
    "/extendedAgentCard",
    "/card",
    "/",
    "//",
    "/%",
    "/tasks/%ff",
  ),
  id.map((task) => `/tasks/${task}`),
  fc
    .tuple(id, fc.constantFrom(":cancel", ":subscribe", "/pushNotificationConfigs", ":x"))
    .map((p) => `/tasks/${p.join("")}`),
  fc.tuple(id, id).map(([task, config]) => `/tasks/${task}/pushNotificationConfigs/${config}`),
  fc.webPath(),
);
const restQuery = fc.oneof(
  fc.constant(""),
  fc.webQueryParameters().map((given) => `?${given}`),
  fc
    .record(
      { pageSize: fc.string(), pageToken: fc.string(), historyLength: fc.string(), status: fc.string() },
      { requiredKeys: [] },
    )
    .map((given) => `?${new URLSearchParams(given as Record<string, string>).toString()}`),
);

function restInput(prefix: string, versions: fc.Arbitrary<string>, body: fc.Arbitrary<Json>) {
  return fc.record({
    method: fc.constantFrom("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"),
    path: fc
      .tuple(restPath, restQuery)
      .map(([given, more]) => prefix + (given.startsWith("/") ? given : `/${given}`) + more),
    version: versions,
    type,
    body: text(body),
  });
}

/** Sends REST requests; `check` gets what was refused. */
async function fuzzRest(
  input: ReturnType<typeof restInput>,
  check: (answer: HttpAnswer, path: string) => void,
): Promise<void> {
  await fuzz(input, async ({ url }) => {
    const { exchange, close } = openHttp(url);
    return {
      close,
      async send(given) {
        // POST / is JSON-RPC's, however it is written: /./ too.
        if (given.method === "POST" && URL.parse(`http://local${given.path}`)?.pathname === "/") return;
        const headers = { "content-type": given.type, "a2a-version": given.version };
        const body = given.method === "GET" ? undefined : given.body;
        const answer = await exchange({ method: given.method, path: given.path, headers, body });
        assertNoLeak(answer.text);
        if (answer.status < 300) return;
        check(answer, given.path);
        assert.notEqual(answer.status, 500, answer.text);
      },
    };
  });
}

function checkRestError(answer: HttpAnswer): void {
  const { error } = JSON.parse(answer.text) as { error: { code: number; message: string; status: string } };
  assert.equal(error.code, answer.status);
  assert.ok(error.message !== "" && /^[A-Z_]+$/.test(error.status), answer.text);
}

test("REST answers anything with a result or a proper error", { timeout }, async () => {
  await fuzzRest(restInput("", version, params), checkRestError);
});

test("REST of A2A 0.3 answers anything with a result or a proper error", { timeout }, async () => {
  const versions = fc.constantFrom("", "0.3", "0.3.0");
  await fuzzRest(restInput("/v1", versions, legacyBody), (answer, path) => {
    // What is no path of 0.3 is refused as 1.0 does.
    if (!/^\/v1\/(card(\?|$)|message:|tasks\/)/.test(path)) return checkRestError(answer);
    const { code, message } = JSON.parse(answer.text) as { code: number; message: string };
    assert.ok(code <= -32001 && code >= -32700 && message !== "", answer.text);
  });
});

test(
  "the WebSocket binding answers any frame with an answer, an error, or a close that says why",
  { timeout },
  async () => {
    const id = fc.oneof({ weight: 6, arbitrary: fc.nat() }, anyJson);
    const frame = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          type: fc.constant("request"),
          id,
          method,
          params,
          parameters: version.map((given) => ({ "a2a-version": given })),
        }),
      },
      fc.record(
        {
          type: fc.constantFrom("credit", "cancel", "request", "x"),
          id,
          credit: anyJson,
          method: anyJson,
          parameters: anyJson,
        },
        { requiredKeys: ["type"] },
      ),
      anyJson,
    );
    const input = fc.oneof(
      { weight: 4, arbitrary: text(frame) },
      fc.uint8Array({ maxLength: 64 }),
      fc
        .tuple(fc.constantFrom(0x80, 0x81, 0x91, 0xc6, 0xc9, 0xdb, 0xdd, 0xdf), fc.uint8Array())
        .map(([first, rest]) => Uint8Array.from([first, ...rest])),
    );
    await fuzz(input, async ({ url }) => ({
      close: async () => undefined,
      async send(data) {
        const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, "weft-a2a-v1");
        socket.binaryType = "arraybuffer";
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        let isAnswered = false;
        socket.addEventListener("open", () => {
          socket.send(data);
          // Answered in order of arrival where it is not readable at all, and by its id where it is.
          socket.send('{"type":"request","id":7007007,"method":"Nix","parameters":{"a2a-version":"1.0"}}');
        });
        socket.addEventListener("message", ({ data: answer }) => {
          const shown =
            typeof answer === "string" ? answer : Buffer.from(answer as ArrayBuffer).toString("latin1");
          try {
            assertNoLeak(shown);
            if (typeof answer === "string") checkFrame(JSON.parse(answer) as Record<string, unknown>);
          } catch (error) {
            reject(error);
          }
          if (shown.includes("7007007")) {
            isAnswered = true;
            socket.close();
          }
        });
        socket.addEventListener("close", ({ code, reason }) => {
          if (isAnswered || (code === 1007 && reason !== "") || code === 1009) resolve();
          else reject(new assert.AssertionError({ message: `closed with ${code} ${reason}` }));
        });
        await promise;
      },
    }));
  },
);

function checkFrame(frame: Record<string, unknown>): void {
  if (frame["type"] !== "error") return;
  const { code, message } = frame["error"] as { code: unknown; message: unknown };
  assert.ok(Number.isInteger(code) && typeof message === "string" && message !== "", JSON.stringify(frame));
}

test("gRPC answers any bytes with a message or a status of its own", { timeout }, async () => {
  const rpc = fc.constantFrom(
    "SendMessage",
    "GetTask",
    "ListTasks",
    "CancelTask",
    "CreateTaskPushNotificationConfig",
    "GetTaskPushNotificationConfig",
    "ListTaskPushNotificationConfigs",
    "DeleteTaskPushNotificationConfig",
    "GetExtendedAgentCard",
    "SendStreamingMessage",
    "SubscribeToTask",
    "TaskSubscription",
    "ListTaskPushNotificationConfig",
    "GetAgentCard",
    "Nothing",
  );
  const field = fc
    .tuple(
      fc.integer({ min: 1, max: 12 }),
      fc.oneof(fc.string(), fc.uuid()).map((s) => Buffer.from(s)),
    )
    .map(([number, value]) =>
      Buffer.concat([Buffer.from([(number << 3) | 2, Math.min(value.length, 127)]), value.subarray(0, 127)]),
    );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((given) => Buffer.from(given)),
    fc.array(field, { maxLength: 6 }).map((fields) => Buffer.concat(fields)),
    fc.array(field, { maxLength: 6 }).map((fields) => {
      const inner = Buffer.concat(fields).subarray(0, 127);
      return Buffer.concat([Buffer.from([0x12, inner.length]), inner]);
    }),
  );
  const service = fc.constantFrom("lf.a2a.v1", "a2a.v1");
  await fuzz(fc.record({ service, rpc, bytes, version }), async ({ url }) => {
    const client = new Client(new URL(url).host, credentials.createInsecure());
    return {
      close: async () => client.close(),
      async send(input) {
        const metadata = new Metadata();
        metadata.set("a2a-version", input.service === "a2a.v1" ? "" : input.version);
        const path = `/${input.service}.A2AService/${input.rpc}`;
        const same = (given: Buffer): Buffer => given;
        const error = await new Promise<ServiceError | undefined>((resolve) => {
          const isStream = /^(SendStreaming|Subscribe|TaskSub)/.test(input.rpc);
          if (!isStream) {
            client.makeUnaryRequest(path, same, same, input.bytes, metadata, (failed) =>
              resolve(failed ?? undefined),
            );
            return;
          }
          const call = client.makeServerStreamRequest(path, same, same, input.bytes, metadata);
          call.on("error", (failed) => resolve(failed as ServiceError));
          call.on("end", () => resolve(undefined));
          call.resume();
        });
        if (!error) return;
        assertNoLeak(error.details);
        assert.notEqual(error.code, grpcStatus.UNKNOWN, error.details);
      },
    };
  });
});
