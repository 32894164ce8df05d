import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startCollector } from "@weft/collector";
import type { OtlpTraces, TraceHealth } from "@weft/tracing/http";
import { fetchTrace, fetchTraceHealth } from "@weft/cli/internal";
import { runWeft, startWeft } from "./support/run-weft.ts";
import type { Started } from "./support/run-weft.ts";

const parrot = new URL("fixtures/parrot.ts", import.meta.url).pathname;

async function useParrot(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly url: string; readonly process: Started }> {
  const process = startWeft(t, ["serve", parrot], { env });
  const url = /^serving parrot at (http:\/\/127\.0\.0\.1:\d+)$/.exec(await process.line())?.[1];
  assert.ok(url);
  return { url, process };
}

test("weft serve and weft call over two processes make one trace with one root, and serve ends clean", async (t) => {
  const collector = await startCollector({ port: 0, viewer: false });
  t.after(() => collector.close());
  const env = { WEFT_COLLECTOR: collector.url };
  const { url, process } = await useParrot(t, env);
  const called = await runWeft(["call", url, "hello there", "--json"], { env });
  assert.equal(called.code, 0, called.stderr);
  const { from, text, traceId } = JSON.parse(called.stdout) as {
    from: string;
    text: string;
    traceId: string;
  };
  assert.deepEqual([from, text.trim()], ["parrot", "hello there"]);
  assert.deepEqual(await process.stop("SIGINT"), { code: 0, signal: null });

  const target = { collector: collector.url };
  const health: TraceHealth = await fetchTraceHealth(traceId, target);
  assert.deepEqual([health.roots, health.orphans, health.ok], [1, 0, true]);
  const trace: OtlpTraces = await fetchTrace(traceId, target);
  const services = trace.resourceSpans.map(
    ({ resource }) => resource?.attributes?.find(({ key }) => key === "service.name")?.value.stringValue,
  );
  assert.deepEqual(new Set(services), new Set(["parrot", "weft-call"]));
});

test("weft call prints the answer once, streamed or not, and a failing agent is an error", async (t) => {
  const { url } = await useParrot(t);
  const plain = await runWeft(["call", url, "one two"]);
  assert.deepEqual([plain.code, plain.stdout.trim(), plain.stderr], [0, "one two", ""]);
  const streamed = await runWeft(["call", url, "one two", "--stream"]);
  assert.deepEqual([streamed.code, streamed.stdout.trim(), streamed.stderr], [0, "one two", ""]);
  const events = await runWeft(["call", url, "one two", "--stream", "--json"]);
  const types = events.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type?: string }).type);
  assert.equal(types[0], "text-delta");
  assert.equal(types.at(-1), undefined);
  const failed = await runWeft(["call", url, "fail"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^weft call: /);
  assert.doesNotMatch(failed.stderr, /\.ts:\d+/);
});

test("a token that weft serve asks for is sent by weft call, and missing it is an error", async (t) => {
  const { url } = await useParrot(t, { WEFT_TOKEN: "s3cret" });
  assert.equal((await runWeft(["call", url, "hi"])).code, 1);
  const called = await runWeft(["call", url, "hi", "--token", "s3cret"]);
  assert.deepEqual([called.code, called.stdout.trim()], [0, "hi"]);
});

test("weft card reads a card, for people and as JSON", async (t) => {
  const { url } = await useParrot(t);
  const shown = await runWeft(["card", url]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^parrot [^\n]*\nSays what it hears\.\ninterfaces:\n {2}JSONRPC +http/);
  assert.match(shown.stdout, /skills:\n {2}say: says it again/);
  const json = await runWeft(["card", `${url}/.well-known/agent-card.json`, "--json"]);
  assert.equal((JSON.parse(json.stdout) as { name: string }).name, "parrot");
});

test("a host that is dead, no card, or not JSON is named within the deadline", async (t) => {
  const server = createServer((_, response) => response.end("<html>hello</html>")).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const web = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  for (const [args, reason] of [
    [["card", web], /is not a card/],
    [["card", "http://127.0.0.1:1"], /nothing answers/],
    [["call", web, "hi"], /card/],
    [["call", "http://127.0.0.1:1", "hi"], /127\.0\.0\.1:1/],
  ] as const) {
    const { code, stdout, stderr } = await runWeft(args);
    assert.deepEqual([code, stdout], [1, ""], args.join(" "));
    assert.match(stderr, reason);
  }
});

test("a module that exports no agent, or is not there, is refused with the reason", async () => {
  const none = await runWeft(["serve", new URL("fixtures/no-agent.ts", import.meta.url).pathname]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /neither an agent nor a record of agents/);
  const missing = await runWeft(["serve", "./not-there.ts"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /not-there\.ts cannot be loaded/);
  assert.equal((await runWeft(["serve", parrot, "--bindings", "smoke"])).code, 2);
  assert.equal((await runWeft(["serve", parrot, "--host", "0.0.0.0"])).code, 1);
});
