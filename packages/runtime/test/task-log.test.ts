import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEventNumber, placeAfter } from "../src/task/event-number.ts";
import type { StoredEvent } from "../src/store/task-store.ts";
import { LogReader } from "../src/task/log-reader.ts";
import { TaskLog } from "../src/task/task-log.ts";

const ids = { taskId: "t", contextId: "c" };
const entry = {
  kind: "text",
  artifactId: "a",
  text: "x",
  append: true,
  lastChunk: false,
  metadata: undefined,
} as const;

/** What a reader is given until it ends: places, or that it is behind. */
async function read(log: TaskLog, from = 0, signal?: AbortSignal): Promise<(number | "behind")[]> {
  const reader = new LogReader(log, from, signal);
  const steps: (number | "behind")[] = [];
  for (let step = await reader.next(); step !== undefined; step = await reader.next())
    steps.push(step === "behind" ? step : step.place);
  return steps;
}

test("readers follow a log at their own pace and end when it closes", async () => {
  const log = new TaskLog({ ids, maxEntries: 100 });
  log.append(entry);
  const reading = read(log);
  const late = read(log, 2);
  for (let count = 0; count < 3; count++) {
    await Promise.resolve();
    log.append(entry);
  }
  log.close();
  assert.deepEqual(await reading, [0, 1, 2, 3]);
  assert.deepEqual(await late, [2, 3]);
});

test("a reader that is behind what is kept is told so and goes on from the end", async () => {
  const log = new TaskLog({ ids, maxEntries: 10 });
  const reader = new LogReader(log, 0);
  for (let count = 0; count < 50; count++) log.append(entry);
  assert.equal(await reader.next(), "behind");
  log.append(entry);
  const step = await reader.next();
  assert.ok(step && step !== "behind" && step.place === 50);
});

test("a reader whose signal fires ends; a log that is over is read to its end", async () => {
  const log = new TaskLog({ ids, maxEntries: 10 });
  const controller = new AbortController();
  const reading = read(log, 0, controller.signal);
  await Promise.resolve();
  controller.abort();
  assert.deepEqual(await reading, []);
  log.append(entry);
  log.close();
  assert.equal((await read(log)).length, 1);
});

test("a reader that leaves while it waits ends, and nobody waits for it any more", async () => {
  const log = new TaskLog({ ids, maxEntries: 10 });
  const reader = new LogReader(log, 0);
  const waiting = reader.next();
  reader.leave();
  assert.equal(await waiting, undefined);
  log.append(entry);
  assert.equal(await reader.next(), undefined);
});

test("what is held is seen by nobody before it is shown, nor is what follows it", async () => {
  const log = new TaskLog({ ids, maxEntries: 10 });
  const reading = read(log);
  log.append(entry);
  log.append(entry, { isHeld: true });
  log.append(entry);
  assert.equal(log.shown, 1);
  log.show(log.next);
  assert.equal(log.shown, 3);
  log.close();
  assert.deepEqual(await reading, [0, 1, 2]);
});

test("what was stored shows what was held before it, and not what was held since", () => {
  const log = new TaskLog({ ids, maxEntries: 10 });
  log.append(entry, { isHeld: true });
  const stored = log.next;
  log.append(entry);
  log.append(entry, { isHeld: true });
  log.append(entry);
  log.show(stored);
  assert.equal(log.shown, 2);
  log.show(log.next);
  assert.equal(log.shown, 4);
});

test("what is gone from the log is read where it is stored", async () => {
  const stored: StoredEvent[] = [];
  const load = async (from: number, limit: number) => stored.slice(from, from + limit);
  const log = new TaskLog({ ids, maxEntries: 10, load });
  for (let count = 0; count < 500; count++) stored.push(log.append(entry));
  log.close();
  const places = await read(log, 3);
  assert.deepEqual(
    places,
    Array.from({ length: 497 }, (_, at) => at + 3),
  );
});

test("a number of an epoch that was taken over leads to where the next one begins", () => {
  const epochs = [
    [1, 0],
    [2, 41],
    [4, 60],
  ] as const;
  assert.equal(placeAfter(parseEventNumber("1.30"), epochs), 31);
  assert.equal(placeAfter(parseEventNumber("1.57"), epochs), 41);
  assert.equal(placeAfter(parseEventNumber("2.57"), epochs), 58);
  assert.equal(placeAfter(parseEventNumber("3.99"), epochs), 60);
  assert.equal(placeAfter(parseEventNumber("4.99"), epochs), 100);
  assert.throws(() => parseEventNumber("4"), /1\.42/);
});
