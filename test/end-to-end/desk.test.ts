/** The demo as a person runs it: `npm run --silent demo -- --once --json`. */
import assert from "node:assert/strict";
import { test } from "node:test";

// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../scripts/spawn-node.ts";

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const demo = new URL("../../scripts/demo.ts", import.meta.url);

async function runDemo(...args: readonly string[]): Promise<Ran> {
  // Whatever model the machine has configured, this test is about the rules.
  const { WEFT_MODEL: _, ...environment } = process.env;
  const child = spawnNode(demo, args, { env: environment });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}

test("the default question is answered over four services and three bindings in one trace", async () => {
  const { code, stdout, stderr } = await runDemo("--once", "--json");
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.equal(report.answer, (44231 + 13312 / (230 - 20)) * 4);
  assert.equal(report.toolCalls, 4);
  assert.equal(report.roots, 1);
  assert.equal(report.orphans, 0);
  assert.equal(report.turns, 4);
  assert.deepEqual(new Set(report.services), new Set(["calculator", "checker", "desk", "planner"]));
  assert.deepEqual(report.bindings, ["grpc", "jsonrpc", "ws"]);
  assert.match(report.traceId, /^[0-9a-f]{32}$/);
  assert.match(report.viewer, new RegExp(`^http://127\\.0\\.0\\.1:\\d+/traces/${report.traceId}$`));
  assert.match(stderr, /not a language model/);
});

test("what is not arithmetic gets an honest answer and no tool call", async () => {
  const { code, stdout } = await runDemo("--once", "--json", "What is the capital of France?");
  assert.equal(code, 0);
  const report = JSON.parse(stdout);
  assert.match(report.answer, /no answer.*this question is none/is);
  assert.equal(report.toolCalls, 0);
  assert.equal(report.roots, 1);
});

test("a sum without a result ends with the reason, and the tool that failed is in the trace", async () => {
  const { code, stdout } = await runDemo("--once", "--json", "What is 1 / (2 - 2)?");
  assert.equal(code, 0);
  const report = JSON.parse(stdout);
  assert.match(report.answer, /division by zero/i);
  assert.equal(report.toolCalls, 2);
});

test("the talk is shown as it happens, then the trace as a tree", async () => {
  const { code, stdout } = await runDemo("--once", "What is 2 + 3?");
  assert.equal(code, 0);
  for (const text of [
    "→ planner",
    "1. 2 + 3",
    "calculator calls add",
    "= 5",
    "The answer is 5.",
    "agent writer",
  ])
    assert.ok(stdout.includes(text), `${text} is not in:\n${stdout}`);
});

test("bad usage is said with the usage, code 2", async () => {
  const { code, stderr, stdout } = await runDemo("--wrong");
  assert.equal(code, 2);
  assert.match(stderr, /--wrong[\s\S]*npm run demo/);
  assert.equal(stdout, "");
});
