import assert from "node:assert/strict";
import { test } from "node:test";
import { TaskLog } from "../src/task/task-log.ts";

const entry = { payload: undefined };

test("readers follow a log at their own pace and end when it closes", async () => {
  const log = new TaskLog(100);
  log.append(entry);
  const reading = Array.fromAsync(log.read(0), (read) => (read === "behind" ? read : read.seq));
  const late = Array.fromAsync(log.read(2), (read) => (read === "behind" ? read : read.seq));
  for (let count = 0; count < 3; count++) {
    await Promise.resolve();
    log.append(entry);
  }
  log.close();
  assert.deepEqual(await reading, [0, 1, 2, 3]);
  assert.deepEqual(await late, [2, 3]);
});

test("a reader that is behind what is kept is told so and goes on from the end", async () => {
  const log = new TaskLog(10);
  const reader = log.read(0);
  for (let count = 0; count < 50; count++) log.append(entry);
  assert.equal((await reader.next()).value, "behind");
  log.append(entry);
  const { value } = await reader.next();
  assert.ok(value && value !== "behind" && value.seq === 50);
});

test("a reader whose signal fires ends; a log that is over and read keeps nothing", async () => {
  const log = new TaskLog(10);
  const controller = new AbortController();
  const reading = Array.fromAsync(log.read(0, controller.signal));
  await Promise.resolve();
  controller.abort();
  assert.deepEqual(await reading, []);
  log.append(entry);
  log.close();
  assert.deepEqual(await Array.fromAsync(log.read(0)), ["behind"]);
});
