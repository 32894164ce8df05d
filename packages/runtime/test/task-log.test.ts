import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEventNumber, placeAfter } from "../src/task/event-number.ts";
import type { StoredEvent } from "../src/store/task-store.ts";
import { TaskLog } from "../src/task/task-log.ts";

const entry = { payload: undefined };

test("readers follow a log at their own pace and end when it closes", async () => {
  const log = new TaskLog({ maxEntries: 100 });
  log.append(entry);
  const reading = Array.fromAsync(log.read(0), (read) => (read === "behind" ? read : read.place));
  const late = Array.fromAsync(log.read(2), (read) => (read === "behind" ? read : read.place));
  for (let count = 0; count < 3; count++) {
    await Promise.resolve();
    log.append(entry);
  }
  log.close();
  assert.deepEqual(await reading, [0, 1, 2, 3]);
  assert.deepEqual(await late, [2, 3]);
});

test("a reader that is behind what is kept is told so and goes on from the end", async () => {
  const log = new TaskLog({ maxEntries: 10 });
  const reader = log.read(0);
  for (let count = 0; count < 50; count++) log.append(entry);
  assert.equal((await reader.next()).value, "behind");
  log.append(entry);
  const { value } = await reader.next();
  assert.ok(value && value !== "behind" && value.place === 50);
});

test("a reader whose signal fires ends; a log that is over is read to its end", async () => {
  const log = new TaskLog({ maxEntries: 10 });
  const controller = new AbortController();
  const reading = Array.fromAsync(log.read(0, controller.signal));
  await Promise.resolve();
  controller.abort();
  assert.deepEqual(await reading, []);
  log.append(entry);
  log.close();
  assert.equal((await Array.fromAsync(log.read(0))).length, 1);
});

test("what is held is seen by nobody before it is shown, nor is what follows it", async () => {
  const log = new TaskLog({ maxEntries: 10 });
  const reading = Array.fromAsync(log.read(0), (read) => (read === "behind" ? read : read.place));
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
  const log = new TaskLog({ maxEntries: 10 });
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
  const log = new TaskLog({ maxEntries: 10, load });
  for (let count = 0; count < 500; count++) stored.push(log.append(entry));
  log.close();
  const places = await Array.fromAsync(log.read(3), (read) => (read === "behind" ? read : read.place));
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
