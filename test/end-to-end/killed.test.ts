/**
 * A service that is killed again and again in the middle of its tasks: each task is one trace with one root, read from
 * the collector (support/trace-check.ts).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import type { Task } from "@a2a-js/sdk";

import { startCollector } from "@weft/collector";
import { connect } from "@weft/runtime";

import { startKillable } from "../support/start-killable.ts";
import { requestOf, textOf } from "../support/tasks.ts";
import { waitForTrace } from "../support/trace-check.ts";

const module = new URL("./processes/killed-service.ts", import.meta.url);
const kills = 6;
const wholeAnswer = "0 1 2 3 4 ";

const traceIdOf = ({ metadata }: Task): string =>
  (metadata?.["urn:weft:a2a:hop:1"] as { traceId?: string } | undefined)?.traceId ?? "";

test(
  "killed in the middle of its tasks, a service leaves one trace with exactly one root for each",
  { timeout: 120_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "weft-killed-"));
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const collector = await startCollector({ port: 0 });
    t.after(() => collector.close());
    const args = [join(folder, "tasks.db"), join(folder, "spool")];
    const start = () => startKillable(module, args, { WEFT_COLLECTOR: collector.url });
    const ids: string[] = [];
    for (let round = 0; round < kills; round++) {
      const service = await start();
      await using client = await connect(service.url, { binding: "jsonrpc" });
      const task = await client.sendMessage(requestOf("go"));
      if ("status" in task) ids.push(task.id);
      await service.steps(1 + (round % 4));
      await service.end("SIGKILL");
    }
    const last = await start();
    const traceIds: string[] = [];
    {
      await using client = await connect(last.url, { binding: "jsonrpc" });
      for (const id of ids) {
        let task = await client.getTask({ tenant: "", id });
        while (task.status?.state !== TaskState.TASK_STATE_COMPLETED) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          task = await client.getTask({ tenant: "", id });
        }
        assert.equal(textOf(task), wholeAnswer);
        traceIds.push(traceIdOf(task));
      }
    }
    await last.end();
    assert.equal(new Set(traceIds).size, kills, "each task is a run of its own");
    let stretches = 0;
    for (const traceId of traceIds) {
      const trace = await waitForTrace(collector.url, traceId, ({ spans, orphans }) => {
        const turns = spans.filter(({ name }) => name === "invoke_agent worker");
        return orphans.length === 0 && turns.some(({ error }) => !error);
      });
      assert.equal(trace.roots.length, 1, trace.roots.map(({ name }) => name).join());
      assert.deepEqual(trace.traceIds, [traceId]);
      stretches += trace.spans.filter(({ attributes }) => Number(attributes["weft.stretch"]) > 1).length;
    }
    assert.ok(stretches > 0, "at least one task was taken up again");
  },
);
