import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startCollector } from "@weft/collector";
import type { Collector, CollectorOptions } from "@weft/collector";
import { formatTrace } from "@weft/cli/internal";
import { deskTrace, deskTraceId } from "./support/desk-trace.ts";
import { runWeft, startWeft } from "./support/run-weft.ts";

async function useDesk(t: TestContext, options: CollectorOptions = {}): Promise<Collector> {
  const collector = await startCollector({ port: 0, viewer: false, ...options });
  t.after(() => collector.close());
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${options.token ?? ""}` },
    body: JSON.stringify(deskTrace),
  });
  assert.equal(response.status, 200);
  return collector;
}

async function useFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weft-cli-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("weft view serves until Ctrl-C, keeps its traces in .weft/traces.db, and ends clean", async (t) => {
  const cwd = await useFolder(t);
  const view = startWeft(t, ["view", "--port", "0"], { cwd });
  const url = /^Weft traces: (http:\/\/127\.0\.0\.1:\d+)$/.exec(await view.line())?.[1] ?? "";
  assert.equal(await view.line(), "kept in .weft/traces.db");
  const posted = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(deskTrace),
  });
  assert.equal(posted.status, 200);
  assert.deepEqual(await view.stop("SIGINT"), { code: 0, signal: null });
  assert.ok(existsSync(join(cwd, ".weft", "traces.db")));

  const again = startWeft(t, ["view", "--port", "0"], { cwd });
  const reopened = (await again.line()).replace("Weft traces: ", "");
  assert.equal((await runWeft(["trace", deskTraceId, "--collector", reopened])).code, 0);
  assert.deepEqual(await again.stop("SIGTERM"), { code: 0, signal: null });
});

test("weft view --json prints one document, and a busy port is named and refused", async (t) => {
  const cwd = await useFolder(t);
  const { port } = await useDesk(t);
  const busy = await runWeft(["view", "--port", String(port)], { cwd });
  assert.equal(busy.code, 1);
  assert.match(busy.stderr, new RegExp(`^weft view: port ${String(port)} of 127\\.0\\.0\\.1 is in use`));
  const open = await runWeft(["view", "--host", "0.0.0.0", "--port", "0"], { cwd });
  assert.equal(open.code, 1);
  assert.match(open.stderr, /give a token/);

  const view = startWeft(t, ["view", "--port", "0", "--data", "memory", "--json"], { cwd });
  const lines = [
    await view.line(),
    await view.line(),
    await view.line(),
    await view.line(),
    await view.line(),
  ];
  const document = JSON.parse(lines.join("\n")) as { url: string; port: number; data: null };
  assert.equal(document.url, `http://127.0.0.1:${String(document.port)}`);
  assert.equal(document.data, null);
  await view.stop("SIGINT");
});

test("weft trace prints the tree, without colours in a pipe, and OTLP with --json", async (t) => {
  const { url } = await useDesk(t);
  const shown = await runWeft(["trace", deskTraceId, "--collector", url]);
  assert.deepEqual(shown, { code: 0, stdout: `${formatTrace(deskTrace)}\n`, stderr: "" });
  const json = await runWeft(["trace", deskTraceId, "--json"], { env: { WEFT_COLLECTOR: url } });
  const fetched: unknown = await (await fetch(`${url}/api/traces/${deskTraceId}`)).json();
  assert.deepEqual(JSON.parse(json.stdout), fetched);
});

test("weft traces lists what is stored, filtered, and as JSON", async (t) => {
  const { url } = await useDesk(t);
  const listed = await runWeft(["traces", "--collector", url]);
  assert.equal(listed.code, 0);
  assert.match(
    listed.stdout,
    new RegExp(
      `${deskTraceId}  2023-11-14 22:13:20Z  OK +1\\.50 s +11 +154  conversation user +calculator, desk\n$`,
    ),
  );
  const none = await runWeft(["traces", "--collector", url, "--filter", "service.name = 'nobody'"]);
  assert.equal(none.stdout, "no traces\n");
  const json = await runWeft(["traces", "--collector", url, "--json"]);
  assert.equal(
    (JSON.parse(json.stdout) as { traces: { traceId: string }[] }).traces[0]?.traceId,
    deskTraceId,
  );
  const bad = await runWeft(["traces", "--collector", url, "--filter", "x"]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /this version knows/);
});

test("a collector with a token is read with --token or WEFT_TOKEN", async (t) => {
  const { url } = await useDesk(t, { token: "s3cret" });
  const without = await runWeft(["traces", "--collector", url]);
  assert.equal(without.code, 1);
  assert.match(without.stderr, /--token, or WEFT_TOKEN/);
  assert.equal((await runWeft(["traces", "--collector", url, "--token", "s3cret"])).code, 0);
  assert.equal((await runWeft(["traces", "--collector", url], { env: { WEFT_TOKEN: "s3cret" } })).code, 0);
});

test("errors go to stderr with exit code 1, bad usage with 2", async (t) => {
  const { url } = await useDesk(t);
  const gone = await runWeft(["trace", "f".repeat(32), "--collector", url]);
  assert.deepEqual(gone, {
    code: 1,
    stdout: "",
    stderr: `weft trace: no trace ${"f".repeat(32)} is stored\n`,
  });
  const nobody = await runWeft(["traces", "--collector", "http://127.0.0.1:1"]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /no Weft collector answers at http:\/\/127\.0\.0\.1:1/);
  for (const args of [
    ["nothing"],
    ["trace"],
    ["trace", "xyz"],
    ["trace", deskTraceId, "more"],
    ["traces", "--nope"],
    ["traces", "--limit", "0"],
    ["view", "--port", "x"],
    [],
  ]) {
    const { code, stdout, stderr } = await runWeft(args);
    assert.equal(code, 2, args.join(" "));
    if (args.length > 0) assert.deepEqual([stdout, stderr === ""], ["", false]);
  }
});

test("--help works everywhere and --version tells the version", async () => {
  const overview = await runWeft(["--help"]);
  assert.equal(overview.code, 0);
  const names = [...overview.stdout.matchAll(/^ {2}(\w+) {2,}/gm)].map((match) => match[1] ?? "");
  assert.ok(names.includes("view"));
  for (const name of names) {
    const help = await runWeft([name, "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`^Usage: weft ${name}`));
  }
  assert.match((await runWeft(["--version"])).stdout, /^\d+\.\d+\.\d+/);
});
