/** What a service holds for a reader that does not read, measured in a process of the service's own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { TaskState } from "@a2a-js/sdk";
// @boundaries-ignore tests of every package share the one spawnNode
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { connect } from "../src/index.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings } from "./support.ts";

const timeout = 60_000;

/** A service in a process of its own, whose memory can be asked for. */
async function startFlood(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "weft-flood-"));
  const program = new URL("./programs/serve-flood.ts", import.meta.url);
  const child = spawnNode(program, [join(folder, "tasks.db")], { execArgv: ["--expose-gc"] });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const url = await next();
  const bytesInUse = async (): Promise<number> => {
    child.stdin!.write("\n");
    return Number(await next());
  };
  return { url, bytesInUse };
}

for (const binding of bindings) {
  test(`a reader that does not read piles up nothing in the service (${binding})`, { timeout }, async (t) => {
    const { url, bytesInUse } = await startFlood(t);
    await using client = await connect(url, { binding, answerBytes: 200_000_000 });
    const before = await bytesInUse();
    const stream = client.sendMessageStream(sendRequest("x"));
    const first = (await stream.next()).value;
    assert.ok(first?.payload?.$case === "task");
    const { id } = first.payload.value;
    await using other = await connect(url, { binding: "jsonrpc", answerBytes: 200_000_000 });
    const done = TaskState.TASK_STATE_COMPLETED;
    // Listed without its artifact, which would be 40 MB on the way each time.
    const listed = listRequest({ status: done });
    while (!(await other.listTasks(listed)).tasks.some((task) => task.id === id)) await delay(50);
    const piled = (await bytesInUse()) - before;
    // The 40 MB stand there twice, in the task's artifact and in its context's history, whoever reads or not.
    assert.ok(piled < 105_000_000, `${piled} bytes, of which 80 MB are the task and its context`);
    let last = "";
    // What it could not be sent one by one it gets as the task that it has become.
    for await (const { payload } of stream) last = payload!.$case;
    assert.match(last, /statusUpdate|task/);
  });
}
