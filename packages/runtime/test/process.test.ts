import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { connect, createRemoteAgent } from "../src/index.ts";
import { runTurn, createMessage } from "../src/agent/index.ts";
import { bindings, echo, hasCode, newContext, startService } from "./support.ts";

const timeout = 60_000;
const program = (name: string): URL => new URL(`./programs/${name}.ts`, import.meta.url);

for (const binding of bindings) {
  test(`a service killed in mid-stream over ${binding} is an error at once`, { timeout }, async () => {
    const child = spawnNode(program("serve-hanging"));
    const url = await new Promise<string>((resolve) =>
      child.stdout!.once("data", (line) => resolve(String(line).trim())),
    );
    await using remote = await createRemoteAgent(url, { binding });
    const context = newContext();
    context.history.append(createMessage("go"));
    const request = { messages: context.history.messages, newFrom: 0, contextVariables: {} };
    const read = async (): Promise<void> => {
      for await (const event of runTurn(remote, request, context, { turn: 1 })) {
        if (event.type === "text-delta") child.kill("SIGKILL");
      }
    };
    await assert.rejects(read(), hasCode("unavailable"));
  });

  test(`an idle connection over ${binding} does not hold the process`, { timeout }, async () => {
    await using service = await startService(echo);
    const child = spawnNode(program("ask-and-idle"), [service.url, binding]);
    const [answer, [code]] = await Promise.all([text(child.stdout!), once(child, "exit")]);
    assert.equal(answer, "hello ");
    assert.equal(code, 0);
  });
}

test("SIGTERM lets the running task finish, then takes its course", { timeout }, async () => {
  const child = spawnNode(program("serve-hanging"));
  const url = await new Promise<string>((resolve) =>
    child.stdout!.once("data", (line) => resolve(String(line).trim())),
  );
  await using remote = await createRemoteAgent(url, { binding: "jsonrpc" });
  const context = newContext();
  context.history.append(createMessage("go"));
  const request = { messages: context.history.messages, newFrom: 0, contextVariables: {} };
  let reply = "";
  const exited = once(child, "exit");
  for await (const event of runTurn(remote, request, context, { turn: 1 })) {
    if (event.type === "text-delta" && event.text === "one ") {
      child.kill("SIGTERM");
      while ((await fetch(`${url}/readyz`)).status !== 503);
      child.stdin!.write("go");
    }
    if (event.type === "message") reply = event.text;
  }
  assert.equal(reply, "one two");
  const [code, signal] = (await exited) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, "SIGTERM"]);
});

test(
  "SIGTERM drains, then sends the traces, then ends a process that other work holds",
  { timeout },
  async (t) => {
    const received: string[] = [];
    const receiver = createServer((request, response) => {
      received.push(request.url ?? "");
      request.resume().once("end", () => response.end());
    }).listen(0, "127.0.0.1");
    t.after(() => receiver.close());
    await once(receiver, "listening");
    const { port } = receiver.address() as AddressInfo;
    const child = spawnNode(program("serve-traced"), [`http://127.0.0.1:${port}`]);
    t.after(() => child.kill("SIGKILL"));
    const exited = once(child, "exit");
    const url = await new Promise<string>((resolve) =>
      child.stdout!.once("data", (line) => resolve(String(line).trim())),
    );
    await using client = await connect(url);
    assert.equal(await client.ask("hello"), "hello");
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [null, "SIGTERM"]);
    assert.deepEqual(received, ["/v1/traces"]);
  },
);

test("the agent entry loads no server, socket or HTTP client", { timeout }, async () => {
  const child = spawnNode(program("import-agent"));
  const loaded = JSON.parse(await text(child.stdout!)) as string[];
  assert.deepEqual(
    loaded.filter((name) => !name.startsWith("@opentelemetry/")),
    [],
  );
});
