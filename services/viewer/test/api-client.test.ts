import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiClient } from "../src/data/api-client.ts";
import { makeSkeleton } from "./support/make-skeleton.ts";
import { sendJson, useServer } from "./support/use-server.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

test("each question goes to its address, with the token of the moment", async () => {
  const asked: string[] = [];
  await using server = await useServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    if (request.url?.endsWith("/skeleton"))
      response.end(Buffer.from(makeSkeleton([{ id: "01", parent: -1 }])));
    else sendJson(response, 200, {});
  });
  let token: string | undefined;
  const client = createApiClient({ base: server.url, token: () => token });
  await client.listTraces({ pageSize: 20 });
  token = "secret";
  await client.listTraces({ pageSize: 20, pageToken: "a b" });
  await client.summary(traceId);
  const skeleton = await client.skeleton(traceId);
  await client.spans(traceId, ["01", "02"]);
  await client.transcript(traceId);
  await client.health(traceId);
  assert.ok(skeleton.ok && skeleton.value.count === 1);
  assert.deepEqual(asked, [
    "/api/traces?pageSize=20 -",
    "/api/traces?pageSize=20&pageToken=a+b Bearer secret",
    `/api/traces/${traceId}/summary Bearer secret`,
    `/api/traces/${traceId}/skeleton Bearer secret`,
    `/api/traces/${traceId}/spans?ids=01,02 Bearer secret`,
    `/api/traces/${traceId}/transcript Bearer secret`,
    `/api/traces/${traceId}/health Bearer secret`,
  ]);
});

test("refusals keep the collector's words and say what to do", async () => {
  const statuses = [401, 403, 404, 500] as const;
  let status: number = statuses[0];
  await using server = await useServer((_, response) =>
    sendJson(response, status, { error: { code: "x", message: `no: ${status}` } }),
  );
  const client = createApiClient({ base: server.url });
  const kinds: unknown[] = [];
  for (status of statuses) {
    const answer = await client.health(traceId);
    assert.ok(!answer.ok && answer.failure.remedy !== "");
    kinds.push([answer.failure.kind, answer.failure.message]);
  }
  assert.deepEqual(kinds, [
    ["unauthenticated", "no: 401"],
    ["unauthenticated", "no: 403"],
    ["notFound", "no: 404"],
    ["refused", "no: 500"],
  ]);
});

test("a page of HTML, half an answer and no answer are failures, not throws", async () => {
  let answer: "html" | "half" | "error" = "html";
  await using server = await useServer((_, response) => {
    if (answer === "html") response.end("<!doctype html>");
    else if (answer === "error") response.writeHead(502).end("<html>bad gateway");
    else response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
  });
  const client = createApiClient({ base: server.url });
  const kindOf = async () => {
    const result = await client.transcript(traceId);
    return result.ok ? "ok" : result.failure.kind;
  };
  assert.equal(await kindOf(), "malformed");
  answer = "half";
  assert.equal(await kindOf(), "malformed");
  answer = "error";
  assert.equal(await kindOf(), "refused");
  const away = await createApiClient({ base: "http://127.0.0.1:1" }).health(traceId);
  assert.ok(!away.ok && away.failure.kind === "unreachable");
  const aborted = await client.health(traceId, AbortSignal.abort());
  assert.ok(!aborted.ok && aborted.failure.kind === "aborted");
});
