import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { startCollector } from "@weft/collector";
import { Attr } from "@weft/tracing/vocabulary";
import { recorded, request, traceId } from "./support/otlp.ts";
import { post, store, useCollector, useFolder } from "./support/use-collector.ts";

/** `fetch` tidies paths and owns the Host header; this does not. */
function raw(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject).end();
  });
}

test("with a token every call but /healthz needs it, as Bearer, and wrong ones are 401", async (t) => {
  const { url } = await useCollector(t, { token: "s3cret" });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic s3cret" }]) {
    for (const path of ["/api/traces", "/api/live", `/api/traces/${traceId()}`, "/api/services", "/"]) {
      const response = await fetch(url + path, { headers: headers as Record<string, string> });
      assert.equal(response.status, 401, path);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      await response.arrayBuffer();
    }
    assert.equal(
      (await post(url, request([{ id: 1 }]), undefined, headers as Record<string, string>)).status,
      401,
    );
  }
  const authorization = "Bearer s3cret";
  assert.equal((await post(url, request([{ id: 1 }]), undefined, { authorization })).status, 200);
  assert.equal((await fetch(`${url}/api/traces`, { headers: { authorization } })).status, 200);
});

test("a page opened with ?token= keeps it in a cookie that scripts cannot read, and loses it from its address", async (t) => {
  const { url } = await useCollector(t, { token: "s3cret" });
  const opened = await fetch(`${url}//example.com/?token=s3cret`, { redirect: "manual" });
  assert.equal(opened.status, 303);
  assert.equal(opened.headers.get("location"), "/example.com/");
  const cookie = opened.headers.get("set-cookie") ?? "";
  assert.match(cookie, /HttpOnly; SameSite=Strict/);
  const pair = cookie.split(";")[0] ?? "";
  assert.equal((await fetch(`${url}/api/traces`, { headers: { cookie: pair } })).status, 200);
  assert.equal((await fetch(`${url}/?token=wrong`, { redirect: "manual" })).status, 401);
});

test("off loopback a collector wants a token or to be told that it is insecure", async () => {
  await assert.rejects(startCollector({ host: "0.0.0.0", port: 0 }), /give a token, or say insecure/);
  await assert.rejects(startCollector({ port: 0, token: " " }), /token is empty/);
  const secured = await startCollector({ host: "0.0.0.0", port: 0, token: "x" });
  await secured.close();
  const insecure = await startCollector({ host: "0.0.0.0", port: 0, insecure: true });
  await insecure.close();
});

test("without a token only names of this machine are answered, so that a foreign page cannot point its name here", async (t) => {
  const { url, port } = await useCollector(t);
  assert.equal((await raw(url, "/api/traces", { host: `evil.example:${String(port)}` })).status, 403);
  for (const host of [`localhost:${String(port)}`, `127.0.0.1:${String(port)}`, `[::1]:${String(port)}`]) {
    assert.equal((await raw(url, "/api/traces", { host })).status, 200, host);
  }
});

test("until a viewer is built a plain page lists traces and shows one's talk, and escapes what they say", async (t) => {
  const { url } = await useCollector(t);
  assert.match(await (await fetch(url)).text(), /No traces yet/);
  const text = "<script>alert(1)</script>";
  await store(
    url,
    request([
      {
        id: 1,
        name: "<b>root</b>",
        attributes: { [Attr.operationName]: "chat", [Attr.outputMessages]: recorded({ id: "m", text }) },
      },
    ]),
  );
  const list = await fetch(url);
  assert.match(list.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  assert.match(await list.text(), /&lt;b&gt;root&lt;\/b&gt;/);
  const page = await (await fetch(`${url}/traces/${traceId()}`)).text();
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.doesNotMatch(page, /<script/);
  assert.equal((await fetch(`${url}/traces/${traceId(9)}`)).status, 404);
});

test("a viewer's files are served under a strict policy, its page at every address it has, nothing else", async (t) => {
  const folder = await useFolder(t);
  const viewer = join(folder, "viewer");
  await mkdir(join(viewer, "assets"), { recursive: true });
  await writeFile(join(viewer, "index.html"), "<!doctype html>the page");
  await writeFile(join(viewer, "assets", "app-1a2b.js"), "export {};");
  await writeFile(join(viewer, ".env"), "secret");
  await writeFile(join(folder, "outside.txt"), "secret");
  await symlink(join(folder, "outside.txt"), join(viewer, "link.txt"));
  const { url } = await useCollector(t, { viewer });
  for (const path of ["/", `/traces/${traceId()}`, `/traces/${traceId()}?span=1`]) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'self'/);
    assert.match(response.headers.get("content-type") ?? "", /text\/html/);
    assert.match(await response.text(), /the page/);
  }
  const script = await fetch(`${url}/assets/app-1a2b.js`);
  assert.match(script.headers.get("content-type") ?? "", /text\/javascript/);
  assert.match(script.headers.get("cache-control") ?? "", /immutable/);
  for (const path of [
    "/../outside.txt",
    "/%2e%2e/outside.txt",
    "/..%2foutside.txt",
    "/assets/../../outside.txt",
    "/.env",
    "/link.txt",
    "/assets",
    "/%00",
    "/%",
    "/..\\outside.txt",
    "/other",
  ]) {
    const answer = await raw(url, path);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(answer.body, /^secret/);
  }
  await assert.rejects(startCollector({ port: 0, viewer: join(folder, "none") }), /there is no viewer/);
});
