/** The official kit's requirements for each binding's own form and for cards. The kit itself runs against `npm run sut`. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { verifyAgentCardSignature } from "@a2a-js/sdk";
import { bearer, connect, serve } from "@weft/runtime";
import type { Service } from "@weft/runtime";
import { createKitAgent } from "./kit-agent.ts";
import { bindings, holds, messageId, rejects, requestOf, startKitService, versioned } from "./kit-suite.ts";
import { notApplicable, requirements } from "./requirements.ts";

let service: Service;
before(async () => {
  service = await startKitService();
});
after(() => service.drain({ timeoutMs: 1_000 }));

describe("on the wire", () => {
  const headers = { "content-type": "application/json", "a2a-version": "1.0" };
  const message = (prefix: string): object => ({
    message: {
      messageId: messageId(prefix),
      role: "ROLE_USER",
      parts: [{ text: "x" }],
      unknownField: 1,
    },
    unknownField: {},
  });
  const rpc = (method: string, params: object, more: Record<string, string> = {}): Promise<Response> =>
    fetch(service.url, {
      method: "POST",
      headers: { ...headers, ...more },
      body: JSON.stringify({ jsonrpc: "2.0", id: "r1", method, params }),
    });
  const rest = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${service.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });

  holds(
    "JSONRPC-FMT-001 JSONRPC-FMT-002 JSONRPC-SVC-001 JSONRPC-SVC-002 DM-SERIAL-001 DM-SERIAL-002 DM-SERIAL-003 DM-SERIAL-005",
    "JSON-RPC answers in its form, camelCase, with names for enums and times in UTC",
    async () => {
      const answer = await rpc("SendMessage", message("tck-complete-task"));
      assert.equal(answer.headers.get("content-type"), "application/json");
      const body = (await answer.json()) as {
        jsonrpc: string;
        id: string;
        result: { task: Record<string, never> };
      };
      assert.deepEqual([body.jsonrpc, body.id], ["2.0", "r1"]);
      const text = JSON.stringify(body.result.task);
      assert.match(text, /"contextId":/);
      assert.match(text, /"state":"TASK_STATE_COMPLETED"/);
      assert.match(text, /"role":"ROLE_USER"/);
      assert.match(text, /"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/);
      assert.doesNotMatch(text, /"[a-z]+_[a-z]+":/);
    },
  );

  holds(
    "JSONRPC-ERR-001 JSONRPC-ERR-002 JSONRPC-ERR-003 JSONRPC-SSE-002",
    "JSON-RPC errors have the codes of the specification and ErrorInfo",
    async () => {
      const { id } = (
        (await (await rpc("SendMessage", message("tck-complete-task"))).json()) as {
          result: { task: { id: string } };
        }
      ).result.task;
      for (const [method, params, code, reason] of [
        ["GetTask", { id: "none" }, -32001, "TASK_NOT_FOUND"],
        ["CancelTask", { id }, -32002, "TASK_NOT_CANCELABLE"],
        ["SubscribeToTask", { id }, -32004, "UNSUPPORTED_OPERATION"],
        ["SendMessage", {}, -32602, undefined],
        ["Nothing", {}, -32601, undefined],
      ] as const) {
        const { error } = (await (await rpc(method, params)).json()) as {
          error: {
            code: number;
            message: string;
            data?: { "@type": string; reason: string; domain: string }[];
          };
        };
        assert.equal(error.code, code);
        assert.notEqual(error.message, "");
        if (reason === undefined) continue;
        assert.deepEqual(
          [error.data![0]!["@type"], error.data![0]!.reason, error.data![0]!.domain],
          ["type.googleapis.com/google.rpc.ErrorInfo", reason, "a2a-protocol.org"],
        );
      }
      const old = await rpc("GetTask", { id: "x" }, { "a2a-version": "7.0" });
      assert.match(await old.text(), /-32009/);
    },
  );

  holds("JSONRPC-SSE-001 HTTP_JSON-SSE-001", "both HTTP bindings stream server-sent events", async () => {
    for (const answer of [
      await rpc("SendStreamingMessage", message("tck-stream-001")),
      await rest("POST", "/message:stream", message("tck-stream-001")),
    ]) {
      assert.match(answer.headers.get("content-type")!, /^text\/event-stream/);
      const events = (await answer.text()).split("\n\n").filter((event) => event.includes("data:"));
      const values = events.map(
        (event) => JSON.parse(event.slice(event.indexOf("data:") + 5)) as Record<string, unknown>,
      );
      const results = values.map((value) =>
        value["jsonrpc"] === "2.0" ? (value["result"] as object) : value,
      );
      assert.ok(
        results.every((result) => Object.keys(result).length === 1),
        "a StreamResponse has one member",
      );
      assert.ok("task" in results[0]!);
    }
  });

  holds(
    "HTTP_JSON-URL-001 HTTP_JSON-URL-002 HTTP_JSON-SVC-001 HTTP_JSON-SVC-002 HTTP_JSON-QP-001",
    "REST has the specification's paths, methods and query names",
    async () => {
      const sent = await rest("POST", "/message:send", message("tck-input-required"));
      assert.match(sent.headers.get("content-type")!, /^application\/(a2a\+)?json/);
      const { task } = (await sent.json()) as { task: { id: string; contextId: string } };
      assert.equal((await rest("GET", `/tasks/${task.id}?historyLength=1`)).status, 200);
      const page = await rest("GET", `/tasks?contextId=${task.contextId}&pageSize=1&includeArtifacts=true`);
      assert.equal(((await page.json()) as { tasks: unknown[] }).tasks.length, 1);
      assert.equal((await rest("POST", `/tasks/${task.id}:cancel`, {})).status, 200);
      assert.equal((await rest("POST", "/message:stream", message("tck-stream-001"))).status, 200);
    },
  );

  holds(
    "HTTP_JSON-ERR-001 HTTP_JSON-ERR-002 HTTP_JSON-STATUS-001",
    "REST errors are google.rpc.Status with the specification's HTTP statuses",
    async () => {
      const { task } = (await (await rest("POST", "/message:send", message("tck-complete-task"))).json()) as {
        task: { id: string };
      };
      for (const [method, path, status, reason] of [
        ["GET", "/tasks/none", 404, "TASK_NOT_FOUND"],
        ["POST", `/tasks/${task.id}:cancel`, 400, "TASK_NOT_CANCELABLE"],
        ["POST", `/tasks/${task.id}:subscribe`, 400, "UNSUPPORTED_OPERATION"],
        ["GET", "/extendedAgentCard", 400, "UNSUPPORTED_OPERATION"],
      ] as const) {
        const answer = await rest(method, path);
        assert.equal(answer.status, status, path);
        const { error } = (await answer.json()) as {
          error: {
            code: number;
            status: string;
            message: string;
            details: { reason: string; domain: string }[];
          };
        };
        assert.equal(error.code, status);
        assert.match(error.status, /^[A-Z_]+$/);
        assert.deepEqual([error.details[0]!.reason, error.details[0]!.domain], [reason, "a2a-protocol.org"]);
      }
    },
  );

  holds(
    "GRPC-SVC-001 GRPC-META-001 GRPC-ERR-001 GRPC-ERR-002 GRPC-ERR-003",
    "gRPC has the service, takes its metadata, and tells errors by status and ErrorInfo",
    async () => {
      const { credentials, makeGenericClientConstructor, Metadata } = await import("@grpc/grpc-js");
      const { A2AService } = await import("@a2a-js/sdk/server/grpc");
      const { decodeErrorInfo, decodeStatus } = await import("@a2a-js/sdk/errors/grpc");
      const Client = makeGenericClientConstructor(A2AService, "A2AService");
      const client = new Client(new URL(service.url).host, credentials.createInsecure());
      const metadata = new Metadata();
      metadata.set("a2a-version", "1.0");
      type Failure = { code: number; metadata: { get(key: string): unknown[] } };
      const failure = (method: string, params: object): Promise<Failure> =>
        new Promise((resolve, reject) =>
          client[method]!(params, metadata, (error: Failure | null) =>
            error ? resolve(error) : reject(new RangeError("no error")),
          ),
        );
      for (const [method, params, code, reason] of [
        ["getTask", { tenant: "", id: "none" }, 5, "TASK_NOT_FOUND"],
        ["getExtendedAgentCard", { tenant: "" }, 9, "UNSUPPORTED_OPERATION"],
      ] as const) {
        const error = await failure(method, params);
        assert.equal(error.code, code);
        const status = decodeStatus(error.metadata.get("grpc-status-details-bin")[0] as Buffer);
        const info = decodeErrorInfo(Buffer.from(status.details[0]!.value));
        assert.deepEqual([info.reason, info.domain], [reason, "a2a-protocol.org"]);
      }
      const events: unknown[] = [];
      const call = client["sendStreamingMessage"]!(requestOf("tck-stream-001"), metadata);
      call.on("data", (event: unknown) => events.push(event));
      await new Promise((resolve) => call.on("end", resolve));
      assert.ok(events.length >= 4);
      client.close();
    },
  );

  holds(
    "VER-SERVER-001 VER-SERVER-003",
    "a request without a version is answered as one of 0.3",
    async () => {
      const { "a2a-version": _, ...unversioned } = headers;
      const ask = (method: string, params: object): Promise<Response> =>
        fetch(service.url, {
          method: "POST",
          headers: unversioned,
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        });
      assert.match(await (await ask("GetTask", { id: "x" })).text(), /-32601/);
      const old = {
        messageId: "tck-complete-task-0.3",
        kind: "message",
        role: "user",
        parts: [{ kind: "text", text: "x" }],
      };
      const answer = (await (await ask("message/send", { message: old })).json()) as {
        result: { kind: string; status: { state: string } };
      };
      assert.deepEqual([answer.result.kind, answer.result.status.state], ["task", "completed"]);
    },
  );
});

describe("the card", () => {
  holds(
    "CARD-DISC-001 CARD-PROTO-001 CARD-PROTO-002 CARD-STRUCT-001 CARD-CACHE-001 CARD-CACHE-002 CARD-CACHE-003",
    "stands where it belongs, whole, and may be kept",
    async () => {
      const answer = await fetch(`${service.url}/.well-known/agent-card.json`);
      const card = (await answer.json()) as Record<string, unknown> & {
        supportedInterfaces: Record<string, string>[];
      };
      for (const name of [
        "name",
        "description",
        "version",
        "supportedInterfaces",
        "capabilities",
        "defaultInputModes",
        "defaultOutputModes",
        "skills",
      ])
        assert.ok(card[name] !== undefined, name);
      for (const known of card.supportedInterfaces)
        assert.ok(known["url"] && known["protocolBinding"] && known["protocolVersion"]);
      assert.match(answer.headers.get("cache-control")!, /max-age=\d+/);
      assert.ok(answer.headers.get("etag"));
      assert.ok(Date.parse(answer.headers.get("last-modified")!) <= Date.now());
    },
  );

  holds(
    "CARD-SIGN-001 CARD-SIGN-002 CARD-SIGN-003",
    "is signed over its canonical form, without its signatures, with alg and kid",
    async () => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await using signed = await serve(createKitAgent(), {
        cardKey: { key: privateKey, keyId: "k" },
        signals: false,
      });
      await using client = await connect(signed.url);
      const header = JSON.parse(
        Buffer.from(client.card.signatures[0]!.protected, "base64url").toString(),
      ) as object;
      assert.deepEqual(header, { alg: "ES256", kid: "k", typ: "JOSE" });
      await verifyAgentCardSignature(async () => publicKey)(client.card);
    },
  );

  holds("CARD-EXT-001", "has more for callers who log in, on every binding", async () => {
    const auth = bearer("t");
    const extendedCard = { description: "more" };
    await using service = await serve(createKitAgent(), { auth, extendedCard, bindings, signals: false });
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding, auth });
      assert.equal(client.card.capabilities?.extendedAgentCard, true);
      assert.equal(
        (await client.transport.getExtendedAgentCard({ tenant: "" }, versioned)).description,
        "more",
      );
      await using stranger = await connect(service.url, { binding });
      await rejects(stranger.transport.getExtendedAgentCard({ tenant: "" }, versioned), /unauthenticated/);
    }
  });
});

test("every requirement of the kit is held by a test here or said not to apply", () => {
  const sources = ["operations", "wire"].map((name) =>
    readFileSync(new URL(`${name}.test.ts`, import.meta.url), "utf8"),
  );
  const titles = [...sources.join("").matchAll(/holds\(\s*"([^"]+)"/g)].map(([, ids = ""]) => ids.split(" "));
  const held: readonly string[] = titles.flat();
  assert.deepEqual(
    requirements.filter((id) => !held.includes(id)),
    [],
  );
  const known: readonly string[] = requirements;
  assert.deepEqual(
    held.filter((id) => !known.includes(id) || id in notApplicable),
    [],
  );
});
