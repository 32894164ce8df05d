import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { test } from "node:test";
import { verifyAgentCardSignature } from "@a2a-js/sdk";
import { exportJWK, SignJWT } from "jose";
import { WeftError } from "@weft/tracing";
import { bearer, connect, jwt, mutualTls, serve } from "../src/index.ts";
import type { Authenticator, Service } from "../src/index.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings, echo, hasCode, startService } from "./support.ts";

const timeout = 30_000;
const pem = (name: string): string => readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url), "utf8");
const tls = { cert: pem("server"), key: pem("server-key") };
const ca = pem("ca");

test("TLS serves every binding on one port, and gRPC on one of its own", { timeout }, async () => {
  for (const grpcPort of [undefined, 0]) {
    await using service = await startService(echo, { tls, ...(grpcPort === undefined ? {} : { grpcPort }) });
    assert.match(service.url, /^https:/);
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding, tls: { ca } });
      assert.equal(await client.ask("x"), "x ");
    }
  }
});

test("a client that does not trust the service's authority does not talk to it", { timeout }, async () => {
  await using service = await startService(echo, { tls });
  await assert.rejects(connect(service.url), (error) => error instanceof WeftError);
  for (const binding of bindings) {
    await using client = await connect(service.card, { binding, timeouts: { unaryMs: 2_000 } });
    await assert.rejects(client.ask("x"), hasCode("unavailable", "protocol_error", "deadline_exceeded"));
  }
});

test("TLS 1.1 is refused, and plain HTTP gets nothing", { timeout }, async () => {
  await using service = await startService(echo, { tls });
  await assert.rejects(
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port: service.port,
        ca,
        maxVersion: "TLSv1.1",
        minVersion: "TLSv1",
      };
      connectTls(options as never, () => resolve("connected")).on("error", reject);
    }),
  );
  await assert.rejects(fetch(service.url.replace("https", "http")));
});

test(
  "client certificates say who calls, on every binding; without one, or a forged one, nobody",
  { timeout },
  async () => {
    const auth = mutualTls({ ca });
    await using service = await startService(echo, { tls: { ...tls, ca }, auth });
    const ann = mutualTls({ ca, cert: pem("ann"), key: pem("ann-key") });
    const forged = { ca, cert: pem("mallory"), key: pem("mallory-key") };
    const scheme = service.card.securitySchemes["mutualTls"]?.scheme;
    assert.equal(scheme?.$case, "mtlsSecurityScheme");
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding, auth: ann });
      assert.equal(await client.ask("x"), "x ");
      await using stranger = await connect(service.url, { binding, tls: { ca } });
      await assert.rejects(stranger.ask("x"), hasCode("unauthenticated"), binding);
      await assert.rejects(
        async () => {
          await using forger = await connect(service.card, {
            binding,
            tls: forged,
            timeouts: { unaryMs: 2_000 },
          });
          await forger.ask("x");
        },
        hasCode("unavailable", "protocol_error", "deadline_exceeded"),
      );
    }
    await assert.rejects(serve(echo, { auth, tls, signals: false }), hasCode("invalid_argument"));
  },
);

async function startIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" }] };
  let reads = 0;
  const server = createServer((_request, response) => {
    reads++;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(keys));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (claims: Record<string, unknown>, more: { audience?: string; expires?: string } = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setIssuer(issuer)
      .setAudience(more.audience ?? "echo")
      .setIssuedAt()
      .setExpirationTime(more.expires ?? "5m")
      .sign(privateKey);
  return {
    issuer,
    sign,
    reads: () => reads,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test(
  "a signed token says who calls: wrong ones are 401 and a missing scope is 403, on every binding",
  { timeout },
  async () => {
    await using issuer = await startIssuer();
    const options = { issuer: issuer.issuer, audience: "echo", scopes: ["ask"] };
    await using service = await startService(echo, {
      auth: jwt({ ...options, jwks: `${issuer.issuer}/jwks` }),
    });
    const as = (token: string): Authenticator => jwt({ ...options, token: () => token });
    const good = await issuer.sign({ sub: "ann", scope: "read ask" });
    const wrong = [
      "x",
      good.slice(0, -4),
      await issuer.sign({ sub: "ann", scope: "ask" }, { audience: "other" }),
      await issuer.sign({ sub: "ann", scope: "ask" }, { expires: "-1m" }),
      await issuer.sign({ scope: "ask" }),
      `${Buffer.from('{"alg":"none"}').toString("base64url")}.${good.split(".")[1]}.`,
    ];
    for (const binding of bindings) {
      await using client = await connect(service.url, { binding, auth: as(good) });
      assert.equal(await client.ask("x"), "x ");
      for (const token of wrong) {
        await using stranger = await connect(service.card, { binding, auth: as(token) });
        await assert.rejects(stranger.ask("x"), hasCode("unauthenticated"), `${binding} ${token}`);
      }
      await using reader = await connect(service.card, {
        binding,
        auth: as(await issuer.sign({ sub: "bob", scope: "read" })),
      });
      await assert.rejects(reader.ask("x"), hasCode("permission_denied"), binding);
    }
    assert.equal(issuer.reads(), 1, "the keys are kept");
  },
);

test("tasks of one login are not there for another, on any binding", { timeout }, async () => {
  await using issuer = await startIssuer();
  const options = { issuer: issuer.issuer, audience: "echo" };
  await using service = await startService(echo, {
    auth: jwt({ ...options, jwks: `${issuer.issuer}/jwks` }),
  });
  const as = async (sub: string): Promise<Authenticator> => {
    const token = await issuer.sign({ sub });
    return jwt({ ...options, token: () => token });
  };
  const [ann, bob] = [await as("ann"), await as("bob")];
  for (const binding of bindings) {
    await using hers = await connect(service.url, { binding, auth: ann });
    await using his = await connect(service.url, { binding, auth: bob });
    const task = await hers.sendMessage(sendRequest("x", { contextId: "c" }));
    assert.ok("status" in task);
    await assert.rejects(his.getTask({ tenant: "", id: task.id }), hasCode("not_found"));
    await assert.rejects(
      his.cancelTask({ tenant: "", id: task.id, metadata: undefined }),
      hasCode("not_found"),
    );
    const list = listRequest({ contextId: "c" });
    assert.equal((await his.listTasks(list)).totalSize, 0);
  }
});

test(
  "an issuer whose keys cannot be read is the service's trouble, not a wrong login",
  { timeout },
  async () => {
    await using issuer = await startIssuer();
    const token = await issuer.sign({ sub: "ann" });
    const options = { issuer: issuer.issuer, audience: "echo" };
    await using service = await startService(echo, {
      auth: jwt({ ...options, jwks: "http://127.0.0.1:1/jwks" }),
    });
    await using client = await connect(service.url, {
      binding: "rest",
      auth: jwt({ ...options, token: () => token }),
    });
    await assert.rejects(client.ask("x"), hasCode("unavailable"));
  },
);

async function refusals(service: Service, headers: Record<string, string>): Promise<unknown[]> {
  const given = { "content-type": "application/json", "a2a-version": "1.0", ...headers };
  const rpc = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "x" } });
  const answers = await Promise.all([
    fetch(service.url, { method: "POST", headers: given, body: rpc }),
    fetch(`${service.url}/tasks/x`, { headers: given }),
  ]);
  return Promise.all(
    answers.map(async (answer) => [
      answer.status,
      answer.headers.get("www-authenticate"),
      await answer.json(),
    ]),
  );
}

test("a refused login has the shape of its binding and says how to log in", { timeout }, async () => {
  await using service = await startService(echo, { auth: bearer("t") });
  const [rpc, rest] = (await refusals(service, {})) as [unknown[], unknown[]];
  assert.deepEqual([rpc[0], rpc[1], rest[0], rest[1]], [401, "Bearer", 401, "Bearer"]);
  assert.match(
    JSON.stringify(rpc[2]),
    /^\{"jsonrpc":"2.0","id":null,"error":\{"code":-32603.*"reason":"UNAUTHENTICATED"/,
  );
  assert.match(
    JSON.stringify(rest[2]),
    /^\{"error":\{"code":401,"status":"UNAUTHENTICATED".*"reason":"UNAUTHENTICATED"/,
  );
});

test(
  "pages of other origins are refused unless they are allowed, and those may send trace context",
  { timeout },
  async () => {
    const origin = "https://app.example";
    const ask = (url: string, method: string, headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}/tasks`, { method, headers: { "a2a-version": "1.0", ...headers } });
    await using off = await startService(echo);
    const refused = await ask(off.url, "GET", { origin });
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
    assert.equal((await ask(off.url, "OPTIONS", { origin })).status, 403);
    await using on = await startService(echo, { cors: { origins: [origin] } });
    const preflight = await ask(on.url, "OPTIONS", { origin, "access-control-request-method": "GET" });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
    const names = [
      "traceparent",
      "tracestate",
      "baggage",
      "a2a-version",
      "authorization",
      "x-a2a-extensions",
    ];
    for (const name of names) {
      assert.match(preflight.headers.get("access-control-allow-headers")!, new RegExp(name));
    }
    const answer = await ask(on.url, "GET", { origin });
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, origin]);
    assert.match(answer.headers.get("access-control-expose-headers")!, /x-weft-trace-id/);
    assert.equal((await ask(on.url, "GET", { origin: "https://evil.example" })).status, 403);
    await assert.rejects(
      serve(echo, { cors: { origins: ["*"] }, signals: false }),
      hasCode("invalid_argument"),
    );
  },
);

test("a plain form post of a page starts no task", { timeout }, async () => {
  await using service = await startService(echo);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} });
  const headers = { "content-type": "text/plain", "a2a-version": "1.0" };
  const answer = await fetch(service.url, { method: "POST", headers, body });
  assert.match(await answer.text(), /-32005/);
});

test(
  "a card is signed when a key is given, and its signature holds for what was sent",
  { timeout },
  async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await using service = await startService(echo, { cardKey: { key: privateKey, keyId: "k" } });
    await using client = await connect(service.url);
    assert.equal(client.card.signatures.length, 1);
    const verify = verifyAgentCardSignature(async (keyId) => {
      assert.equal(keyId, "k");
      return publicKey;
    });
    await verify(client.card);
    await assert.rejects(verify({ ...client.card, name: "other" }));
    const wrong = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
    await assert.rejects(serve(echo, { cardKey: { key: wrong, keyId: "k" }, signals: false }));
  },
);

test("a card may be kept, and asking again with its tag costs no body", { timeout }, async () => {
  await using service = await startService(echo);
  const url = `${service.url}/.well-known/agent-card.json`;
  const first = await fetch(url);
  assert.match(first.headers.get("cache-control")!, /max-age=\d+/);
  const again = await fetch(url, { headers: { "if-none-match": first.headers.get("etag")! } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
});

test("who logged in gets the extended card, on every binding", { timeout }, async () => {
  const auth = bearer("t");
  const extendedCard = { description: "More for those who log in." };
  await using service = await startService(echo, { auth, extendedCard });
  assert.equal(service.card.description, "Says back what it hears.");
  const versioned = { serviceParameters: { "a2a-version": "1.0" } };
  for (const binding of bindings) {
    await using client = await connect(service.url, { binding, auth });
    assert.equal(
      (await client.transport.getExtendedAgentCard({ tenant: "" }, versioned)).description,
      extendedCard.description,
    );
    await using stranger = await connect(service.url, { binding });
    await assert.rejects(
      stranger.transport.getExtendedAgentCard({ tenant: "" }, versioned),
      hasCode("unauthenticated"),
    );
  }
});

test("the log has one line for each call, with its trace, and none of its content", { timeout }, async () => {
  const lines: [string, Readonly<Record<string, unknown>>, string][] = [];
  const logger = {
    info: (fields: Readonly<Record<string, unknown>>, text: string) =>
      void lines.push(["info", fields, text]),
    warn: (fields: Readonly<Record<string, unknown>>, text: string) =>
      void lines.push(["warn", fields, text]),
    error: (fields: Readonly<Record<string, unknown>>, text: string) =>
      void lines.push(["error", fields, text]),
  };
  await using service = await startService(echo, { logger });
  for (const binding of bindings) {
    lines.length = 0;
    await using client = await connect(service.url, { binding });
    await client.ask("SECRET");
    await client.getTask({ tenant: "", id: "none" }).catch(() => undefined);
    assert.deepEqual(
      lines.map(([level, fields]) => [level, fields["binding"], fields["method"], fields["code"]]),
      [
        ["info", binding, "SendMessage", undefined],
        ["warn", binding, "GetTask", "not_found"],
      ],
    );
    assert.ok(lines.every(([, fields]) => "trace_id" in fields && "span_id" in fields));
    assert.doesNotMatch(JSON.stringify(lines), /SECRET/);
  }
});
