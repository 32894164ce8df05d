import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConversableAgent, UserProxyAgent, dockerExecutor, localExecutor, messageText } from "@weft/agents";
import { captureTraces, scriptedModel, traceOf } from "@weft/agents/testing";
// @boundaries-ignore tests of every package share what a machine must have
import { requires } from "../../../test/support/requires.ts";

const fence = (language: string, code: string): string =>
  `Run this:\n\`\`\`${language}\n${code}\n\`\`\`\nDone.`;
const never = new AbortController().signal;

function chatOf(
  text: string,
  codeExecution: ConstructorParameters<typeof ConversableAgent>[0]["codeExecution"],
) {
  const user = new UserProxyAgent({
    name: "user",
    humanInputMode: "NEVER",
    ...(codeExecution ? { codeExecution } : {}),
  });
  const coder = new ConversableAgent({
    name: "coder",
    model: scriptedModel([text, "TERMINATE"]),
    humanInputMode: "NEVER",
  });
  return user.initiateChat(coder, { message: "Please", maxTurns: 2 });
}

test("[X1] Code in the other's message is run, and the reply says exit code, outcome and output", async () => {
  using _ = captureTraces();
  const chat = await chatOf(fence("js", "console.log(6 * 7)"), { executor: localExecutor() });
  assert.equal(chat.history[2]?.content, "exitcode: 0 (execution succeeded)\nCode output: 42\n");
  const [span] = traceOf(chat).find("execute_code user");
  assert.equal(span?.attributes["weft.code.exit_code"], 0);
  assert.equal(span?.attributes["weft.code.language"], "js");
});

test("[X1] Without an executor nothing is run", async () => {
  const chat = await chatOf(fence("js", "process.exit(3)"), undefined);
  assert.equal(chat.history[2]?.content, "");
});

test("[X1] It looks back to the agent's own last message, or as far as it is told", async () => {
  const executor = {
    execute: async (blocks: readonly { code: string }[]) => ({
      exitCode: 0,
      output: blocks.map(({ code }) => code).join("|"),
    }),
  };
  const agent = (lastMessages?: number) =>
    new ConversableAgent({
      name: "me",
      humanInputMode: "NEVER",
      codeExecution: { executor, ...(lastMessages ? { lastMessages } : {}) },
    });
  const messages = [
    { role: "user" as const, name: "a", content: fence("sh", "old") },
    { role: "assistant" as const, name: "me", content: "mine" },
    { role: "user" as const, name: "a", content: fence("sh", "new") },
    { role: "user" as const, name: "b", content: "no code" },
  ];
  assert.match(messageText((await agent().generateReply(messages))!), /new$/u);
  assert.equal((await agent(1).generateReply(messages))?.content, "");
  assert.equal((await agent().generateReply(messages.slice(0, 2)))?.content, "");
});

test("[X1] A failing block ends the rest; a language nobody runs is told", async () => {
  const executor = localExecutor();
  const failed = await executor.execute(
    [
      { language: "sh", code: "echo one; exit 3" },
      { language: "sh", code: "echo two" },
    ],
    { signal: never },
  );
  assert.deepEqual([failed.exitCode, failed.output], [3, "one\n"]);
  const unknown = await executor.execute([{ language: "cobol", code: "" }], { signal: never });
  assert.deepEqual([unknown.exitCode, unknown.reason], [127, "unknown-language"]);
});

test("[X1] A timeout kills the whole process group, and output is capped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-test-"));
  try {
    const executor = localExecutor({ workDir: folder, timeoutMs: 300, maxOutputBytes: 1_000 });
    const code = "sleep 60 & echo $! > child; while true; do echo xxxxxxxxxxxxxxxxxxxx; done";
    const result = await executor.execute([{ language: "sh", code }], { signal: never });
    assert.deepEqual([result.exitCode, result.reason], [124, "timeout"]);
    assert.ok(result.output.length < 1_200, String(result.output.length));
    assert.match(result.output, /bytes of output were cut/u);
    const child = Number(await readFile(join(folder, "child"), "utf8"));
    // Killed, and perhaps not yet reaped by whoever is init here.
    const state = await readFile(`/proc/${child}/stat`, "utf8").catch(() => "gone");
    assert.match(state, /gone|\) Z /u);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("[X1] Code gets its own folder and none of this process's secrets; an abort stops it", async () => {
  process.env["WEFT_TEST_SECRET"] = "s3cret";
  const result = await localExecutor().execute(
    [{ language: "sh", code: 'pwd; echo "[$WEFT_TEST_SECRET]"; echo $HOME' }],
    { signal: never },
  );
  delete process.env["WEFT_TEST_SECRET"];
  const [folder, secret, home] = result.output.split("\n");
  assert.match(folder ?? "", /weft-code-/u);
  assert.deepEqual([secret, home], ["[]", folder]);
  const stop = AbortSignal.timeout(50);
  await assert.rejects(localExecutor().execute([{ language: "sh", code: "sleep 60" }], { signal: stop }), {
    name: "AbortError",
  });
});

const docker = { skip: requires("docker") };
/** Needs `sh` only; where there is no registry: `tar -C busybox-root -c . | docker import - alpine`. */
const image = "alpine";
const sh = (code: string) => [{ language: "sh", code }];

test("[X1] Docker runs code in a container: its own place, no network, few rights", docker, async () => {
  const executor = dockerExecutor({ image, timeoutMs: 120_000 });
  const result = await executor.execute(sh("echo $((6 * 7)); pwd; ls; echo [$WEFT_TEST_SECRET]"), {
    signal: never,
  });
  assert.deepEqual([result.exitCode, result.output], [0, "42\n/workspace\nblock-1.sh\n[]\n"]);
  const rights = await executor.execute(sh("grep CapEff /proc/self/status; cat /proc/net/route"), {
    signal: never,
  });
  assert.match(rights.output, /CapEff:\s0+\n/u);
  // A route's line begins with its interface; without a network there is the heading only.
  assert.doesNotMatch(rights.output, /^e/mu);
});

test(
  "[X1] Docker: blocks share a folder, a failing one ends the rest, output is capped",
  docker,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "weft-test-"));
    try {
      const executor = dockerExecutor({ image, workDir: folder, timeoutMs: 120_000, maxOutputBytes: 100 });
      const blocks = [...sh("echo kept > made"), ...sh("cat made; exit 3"), ...sh("echo never")];
      const result = await executor.execute(blocks, { signal: never });
      assert.deepEqual([result.exitCode, result.output], [3, "kept\n"]);
      assert.equal(await readFile(join(folder, "made"), "utf8"), "kept\n");
      const long = await executor.execute(sh("yes | head -c 5000"), { signal: never });
      assert.match(long.output, /4900 bytes of output were cut/u);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("[X1] Docker: a timeout and an abort leave no container behind", docker, async () => {
  const label = `weft-test=${randomUUID()}`;
  const executor = dockerExecutor({ image, timeoutMs: 1_500, args: ["--label", label] });
  const late = await executor.execute(sh("sleep 60"), { signal: never });
  assert.deepEqual([late.exitCode, late.reason], [124, "timeout"]);
  const signal = AbortSignal.timeout(500);
  await assert.rejects(executor.execute(sh("sleep 60"), { signal }), { name: "AbortError" });
  const { DOCKER_HOST = "unix:///var/run/docker.sock" } = process.env;
  const ask = localExecutor({ env: { DOCKER_HOST } });
  const left = await ask.execute(sh(`docker ps -aq --filter label=${label}`), { signal: never });
  assert.deepEqual([left.exitCode, left.output], [0, ""]);
});

test("[X1] Docker: an image that is not there is Docker's failure, not the code's", docker, async () => {
  const executor = dockerExecutor({ image: "weft-no-such-image", args: ["--pull", "never"] });
  const result = await executor.execute(sh("echo hi"), { signal: never });
  assert.deepEqual([result.exitCode, result.reason], [125, "unavailable"]);
});

test("[X1] Without Docker its executor says so in the output, and does not throw", async () => {
  const executor = dockerExecutor({ command: "weft-no-such-docker" });
  const result = await executor.execute([{ language: "sh", code: "echo hi" }], { signal: never });
  assert.deepEqual([result.exitCode, result.reason], [127, "unavailable"]);
  assert.match(result.output, /weft-no-such-docker cannot be run/u);
});
