/** Cards that a client reads: where they may point to, and how long they are kept. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { WeftError } from "@weft/tracing";
import { cachedCard, isFresh, keepCard } from "../src/client/card-cache.ts";
import { CardGuard } from "../src/client/card-guard.ts";
import { HttpPool } from "../src/client/http-pool.ts";
import { defaultTimeouts } from "../src/client/timeouts.ts";
import { bearer, connect } from "../src/index.ts";
import { bindings, echo, hasCode, startService } from "./support.ts";

const timeout = 30_000;

/** A site on loopback that answers as `answer` says, and counts. */
async function startSite(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const protocolBindings = {
  jsonrpc: "JSONRPC",
  rest: "HTTP+JSON",
  ws: "urn:weft:a2a:ws-msgpack:1",
  grpc: "GRPC",
} as const;

const cardFor = (protocolBinding: string, url: string): string =>
  JSON.stringify({ name: "inward", supportedInterfaces: [{ protocolBinding, protocolVersion: "1.0", url }] });

const refusedNaming =
  (host: string) =>
  (error: WeftError): boolean =>
    error.code === "invalid_card" && error.message.includes(`points to ${host}`);

test(
  "a card that points further inside than where it was read is refused on every binding",
  { timeout },
  async () => {
    for (const binding of bindings) {
      const scheme = { jsonrpc: "http://", rest: "http://", ws: "ws://", grpc: "" }[binding];
      await using site = await startSite((_request, response) =>
        response.end(cardFor(protocolBindings[binding], `${scheme}169.254.169.254:80`)),
      );
      await assert.rejects(connect(site.url), refusedNaming("169.254.169.254"), binding);
      const urls = { allowHosts: ["169.254.169.254"] };
      await using allowed = await connect(site.url, { urls });
      assert.equal(allowed.binding, binding);
    }
  },
);

test("a public card points at public addresses, a private network's also at its own, loopback's at loopback", async () => {
  const inside = {
    "93.184.216.34": [],
    "10.0.0.1": ["10.9.9.9", "192.168.1.1", "[fd00::1]"],
    "127.0.0.1": ["127.0.0.2", "localhost", "[::1]", "10.9.9.9"],
  } as const;
  const all = ["10.9.9.9", "192.168.1.1", "[fd00::1]", "127.0.0.2", "localhost", "[::1]"];
  for (const [from, may] of Object.entries(inside)) {
    const guard = (): CardGuard => new CardGuard(`https://${from}/card.json`);
    await guard().check(`https://${from}:8443/a2a`);
    await guard().check("https://93.184.216.35/a2a");
    for (const host of may) await guard().check(`https://${host}/a2a`);
    const refused =
      from === "127.0.0.1" ? [] : all.filter((host) => !(may as readonly string[]).includes(host));
    for (const host of [...refused, "169.254.169.254"])
      await assert.rejects(
        guard().check(`https://${host}/a2a`),
        hasCode("invalid_card"),
        `${from} to ${host}`,
      );
  }
});

test(
  "each connection's own look-up is checked: a host that moves inside is not called",
  { timeout },
  async () => {
    await using site = await startSite((_request, response) => response.end("{}"));
    const guard = new CardGuard("https://93.184.216.34/card.json");
    await using pool = new HttpPool(defaultTimeouts, undefined, guard.lookup);
    await assert.rejects(pool.fetch(`http://localhost:${site.port}/`), hasCode("invalid_card"));
    assert.equal(site.requests.length, 0);
    const named = new CardGuard("https://93.184.216.34/card.json", {
      allowHosts: [`localhost:${site.port}`],
    });
    await using other = new HttpPool(defaultTimeouts, undefined, named.lookup);
    await other.fetch(`http://localhost:${site.port}/`);
    assert.equal(site.requests.length, 1);
  },
);

test("a redirect of a card is not followed", { timeout }, async () => {
  await using target = await startSite((_request, response) => response.end("{}"));
  await using site = await startSite((_request, response) =>
    response.writeHead(302, { location: `${target.url}/card.json` }).end(),
  );
  await assert.rejects(connect(site.url), hasCode("invalid_card"));
  assert.equal(target.requests.length, 0);
});

test(
  "who connects again asks with the card's ETag, and is told that it is the same",
  { timeout },
  async () => {
    await using service = await startService(echo);
    const statuses: number[] = [];
    await using site = await startSite((request, response) => {
      const headers = request.headers as Record<string, string>;
      void fetch(`${service.url}${request.url}`, { headers }).then(async (answer) => {
        statuses.push(answer.status);
        response.writeHead(
          answer.status,
          Object.fromEntries(["etag", "cache-control"].map((name) => [name, answer.headers.get(name)!])),
        );
        response.end(await answer.text());
      });
    });
    for (let count = 0; count < 2; count++) {
      await using client = await connect(site.url);
      assert.equal(await client.ask("hi"), "hi ");
    }
    await using stranger = await connect(site.url, { auth: bearer("t") });
    assert.equal(stranger.card.name, "echo");
    assert.deepEqual(statuses, [200, 304, 200], "another login is not shown what this one was");
  },
);

test("a card is kept as long as its headers allow, and a bounded number of them", () => {
  const keep = (url: string, headers: Record<string, string>, login?: object): void =>
    keepCard(login, url, "{}", (name) => headers[name] ?? null);
  const at = (name: string): string => `https://cards.example/${name}.json`;
  keep(at("fresh"), { "cache-control": "public, max-age=60" });
  assert.ok(isFresh(cachedCard(undefined, at("fresh"))!));
  assert.equal(cachedCard({}, at("fresh")), undefined);
  keep(at("asked"), { "cache-control": "max-age=60, no-cache", etag: '"1"' });
  assert.ok(!isFresh(cachedCard(undefined, at("asked"))!));
  keep(at("never"), { "cache-control": "no-store, max-age=60", etag: '"1"' });
  keep(at("nothing"), {});
  for (const name of ["never", "nothing"]) assert.equal(cachedCard(undefined, at(name)), undefined);
  keep("http://127.0.0.1:1/card.json", { "cache-control": "max-age=60", etag: '"1"' });
  assert.ok(!isFresh(cachedCard(undefined, "http://127.0.0.1:1/card.json")!), "ports are used again");
  keep(at("fresh"), { "cache-control": "no-store" });
  assert.equal(cachedCard(undefined, at("fresh")), undefined, "what may not be kept any more goes");
  const login = {};
  for (let count = 0; count < 1_000; count++) keep(at(String(count)), { etag: '"1"' }, login);
  assert.equal(cachedCard(login, at("0")), undefined);
  assert.ok(cachedCard(login, at("999")));
});
