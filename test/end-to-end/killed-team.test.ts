/** A served group chat that is killed in the middle of each member's tool: what its journal has is not done again. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import { connect } from "@weft/runtime";
import { requestOf, textOf } from "../support/tasks.ts";
import { startKillable } from "../support/start-killable.ts";

const module = new URL("./processes/killed-team.ts", import.meta.url);

test(
  "killed in the middle of each member's tool, a served group ends by itself and repeats nothing that its journal has",
  { timeout: 120_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "weft-killed-team-"));
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const effects = join(folder, "effects.txt");
    const start = () => startKillable(module, [join(folder, "tasks.db"), effects]);
    let service = await start();
    let id = "";
    {
      await using client = await connect(service.url, { binding: "jsonrpc" });
      const task = await client.sendMessage(requestOf("go"));
      assert.ok("status" in task);
      id = task.id;
    }
    for (const _turn of ["ann", "bob", "ann"]) {
      await service.steps(1);
      await service.end("SIGKILL");
      service = await start();
    }
    await using client = await connect(service.url, { binding: "jsonrpc" });
    // Over by now, perhaps: then there is nothing to subscribe to.
    await Array.fromAsync(client.resubscribeTask({ tenant: "", id })).catch(() => []);
    const task = await client.getTask({ tenant: "", id });
    assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
    assert.match(textOf(task), /ann acted/);
    await service.end();
    const lines = readFileSync(effects, "utf8").trim().split("\n");
    const runs = (kind: string): string[] => lines.filter((line) => line.startsWith(`${kind} `));
    const asked =
      "selector/2 ann/1 ann/3 ann/5 selector/3 bob/2 bob/4 bob/6 selector/4 ann/7 ann/9 ann/11".split(" ");
    assert.deepEqual(
      runs("model"),
      asked.map((call) => `model ${call}`),
      "every model is asked once",
    );
    const looks = runs("look");
    assert.deepEqual([looks.length, new Set(looks).size], [3, 3], "what was done is not done again");
    const acts = runs("act");
    const again = acts.filter((_, place) => place % 2 === 1);
    assert.equal(new Set(acts).size, 3, "what was under way is done again under its key");
    assert.deepEqual(
      acts,
      again.flatMap((key) => [key, key]),
      "once",
    );
  },
);
