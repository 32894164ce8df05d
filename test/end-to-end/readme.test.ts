/** "Serve it, call it, see it" of the README, with free ports in place of its fixed ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { TraceHealth, TraceList } from "@weft/tracing/http";

// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../scripts/spawn-node.ts";

const root = new URL("../../", import.meta.url);
const agentFile = new URL("examples/agents/counter.ts", root);

/** Starts a `weft` command and waits until its output holds a URL. */
async function startWeft(t: TestContext, args: readonly string[], collector?: string): Promise<string> {
  const child = weft(args, collector);
  let printed = "";
  const ended = new Promise<never>((_, reject) => {
    child.once("exit", (code) =>
      reject(new TypeError(`weft ${args[0]} ended with code ${code}:\n${printed}`)),
    );
  });
  t.after(() => child.kill("SIGTERM"));
  ended.catch(() => {});
  const url = new Promise<string>((resolve) => {
    child.stderr?.on("data", (chunk) => (printed += String(chunk)));
    child.stdout?.on("data", (chunk) => {
      printed += String(chunk);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  return Promise.race([url, ended]);
}

function weft(args: readonly string[], collector?: string): ReturnType<typeof spawnNode> {
  const env = { ...process.env, ...(collector === undefined ? {} : { WEFT_COLLECTOR: collector }) };
  return spawnNode(new URL("packages/cli/src/main.ts", root), args, { env });
}

test("the agent that the README shows is the one in examples", () => {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  assert.ok(
    blocks.includes(readFileSync(agentFile, "utf8")),
    "README.md holds examples/agents/counter.ts as it is",
  );
});

test("an agent served by weft answers weft call, and both are one trace in weft view", async (t) => {
  const collector = await startWeft(t, ["view", "--port", "0", "--data", "memory"]);
  const service = await startWeft(t, ["serve", fileURLToPath(agentFile), "--port", "0"], collector);
  const call = weft(["call", service, "one trace, two processes", "--stream"], collector);
  let answer = "";
  call.stdout?.on("data", (chunk) => (answer += String(chunk)));
  const code = await new Promise((resolve) => call.once("close", resolve));
  assert.equal(code, 0);
  assert.match(answer, /1 one\n2 trace,\n3 two\n4 processes\n4 words\./);
  const { traces } = (await (await fetch(`${collector}/api/traces`)).json()) as TraceList;
  assert.equal(traces.length, 1);
  const deadline = AbortSignal.timeout(15_000);
  for (;;) {
    const response = await fetch(`${collector}/api/traces/${traces[0]?.traceId}/health`, {
      signal: deadline,
    });
    if (((await response.json()) as TraceHealth).ok) return;
  }
});
