import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { Task, TaskState } from "@a2a-js/sdk";
import { postgresStore } from "../src/store/postgres-store.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import { pruneBatch } from "../src/store/task-store.ts";
import type { StoredEvent, TaskCommit, TaskRow, TaskStore } from "../src/store/task-store.ts";
import { newPath, storeNames, testOf, testOpening } from "./every-store.ts";
import { hasCode } from "./support.ts";

for (const name of storeNames) {
  describe(`the store contract: ${name}`, () => {
    const contract = testOf(name);

    contract(
      "a commit is applied by whoever read the version that is there, and by nobody else",
      async (store) => {
        const row = newRow(store);
        assert.equal(await store.commit(create(row)), "committed");
        assert.deepEqual(await store.get(row), row);
        assert.equal(await store.commit(create(row)), "stale", "made twice");
        assert.equal(await store.commit(next(row, { state: 2 })), "committed");
        assert.equal(await store.commit(next(row, { state: 3 })), "stale", "an old version");
        assert.equal((await store.get(row))?.state, 2);
        const results = await Promise.all(
          Array.from({ length: 20 }, async (_, state) =>
            store.commit(next({ ...row, version: 2 }, { state })),
          ),
        );
        assert.deepEqual(results.filter((result) => result === "committed").length, 1, "one of many wins");
      },
    );

    contract("after a takeover the former owner is refused, with all it wanted to write", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      assert.equal(await store.commit(next(row, { epoch: 2, instance: "another" })), "committed");
      const late: TaskCommit = {
        key: row,
        epoch: 1,
        version: 1,
        events: [event(0, 1)],
        steps: [{ key: "k", place: 0, intent: "{}", result: undefined }],
      };
      assert.equal(await store.commit(late), "stale");
      assert.deepEqual(await store.events(row, 0, 10), []);
      assert.deepEqual(await store.steps(row), []);
      assert.equal(await store.commit({ ...late, epoch: 2 }), "committed");
      assert.deepEqual(
        (await store.events(row, 0, 10)).map(({ place }) => place),
        [0],
      );
    });

    contract("a message id is taken once in its context, and the whole commit with it", async (store) => {
      const row = newRow(store);
      const twin = { ...newRow(store), scope: row.scope, contextId: row.contextId };
      const other = { ...newRow(store), scope: row.scope };
      assert.equal(await store.commit({ ...create(row), messageId: "m1" }), "committed");
      assert.equal(await store.commit({ ...create(twin), messageId: "m1" }), "duplicate");
      assert.equal(await store.get(twin), undefined);
      assert.equal(await store.commit({ ...create(other), messageId: "m1" }), "committed", "another context");
      assert.equal(await store.findMessage(row, "m1"), row.id);
      assert.equal(await store.findMessage(other, "m1"), other.id);
      assert.equal(await store.findMessage(row, "m2"), undefined);
    });

    contract("a message id whose turn failed goes to the next task, once", async (store) => {
      const failed = newRow(store);
      const { scope, contextId } = failed;
      const inContext = (): TaskRow => ({ ...newRow(store), scope, contextId, isOpen: true });
      const again = inContext();
      const taking = { messageId: "m1", messageFrom: failed.id };
      assert.equal(await store.commit({ ...create(failed), messageId: "m1" }), "committed");
      assert.equal(await store.commit({ ...create(again), ...taking }), "committed");
      assert.equal(await store.commit({ ...create(inContext()), ...taking }), "duplicate");
      await store.prune(scope, { before: 0, keep: 0 });
      assert.equal(await store.get(failed), undefined);
      assert.equal(await store.findMessage(failed, "m1"), again.id, "the one that failed is forgotten alone");
    });

    contract("events are read from any number on, as they were written", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      const events = Array.from({ length: 25 }, (_, place) => event(place, place < 10 ? 1 : 2));
      for (let from = 0; from < 25; from += 7)
        await store.commit({ key: row, epoch: 1, version: 1, events: events.slice(from, from + 7) });
      for (let from = 0; from <= 26; from++) {
        assert.deepEqual(await store.events(row, from, 1_000), events.slice(from));
        assert.deepEqual(await store.events(row, from, 3), events.slice(from, from + 3));
      }
    });

    contract("the journal keeps its order, and a step gets its result in place", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      const step = (key: string, place: number, result?: string) => ({ key, place, intent: "{}", result });
      const commit = (steps: TaskCommit["steps"]) =>
        store.commit({ key: row, epoch: 1, version: 1, steps: steps! });
      await commit([step("b", 0), step("a", 1)]);
      await commit([step("c", 2)]);
      await commit([step("b", 0, `{"ok":true}`)]);
      assert.deepEqual(await store.steps(row), [step("b", 0, `{"ok":true}`), step("a", 1), step("c", 2)]);
    });

    contract("lists hold the owner's tasks of one agent only, newest first, page by page", async (store) => {
      const scope = randomUUID();
      const rows = Array.from({ length: 11 }, (_, at) => ({
        ...newRow(store),
        scope,
        id: `t${String(at).padStart(2, "0")}`,
        owner: at === 10 ? "eve" : "ann",
        contextId: at % 2 ? "odd" : "even",
        state: at % 3,
        changedAt: 1_000 + Math.floor(at / 2),
      }));
      for (const row of rows) await store.commit(create(row));
      const mine = ["t08", "t09", "t06", "t07", "t04", "t05", "t02", "t03", "t00", "t01"];
      const seen: string[] = [];
      let after: TaskRow | undefined;
      for (;;) {
        const query = { scope, owner: "ann", limit: 3, ...(after ? { after } : {}) };
        const { rows: found, total } = await store.list(query);
        assert.equal(total, 10);
        seen.push(...found.map(({ id }) => id));
        after = found.at(-1);
        if (found.length < 3) break;
        // What is new does not move the page that comes next.
        if (seen.length === 3)
          await store.commit(create({ ...newRow(store), scope, owner: "eve", changedAt: 9_000 }));
      }
      assert.deepEqual(seen, mine);
      const ids = async (filter: object): Promise<string[]> =>
        (await store.list({ scope, owner: "ann", limit: 100, ...filter })).rows.map(({ id }) => id);
      assert.deepEqual(
        await ids({ contextId: "odd" }),
        mine.filter((id) => Number(id.slice(1)) % 2 === 1),
      );
      assert.deepEqual(await ids({ state: 0 }), ["t09", "t06", "t03", "t00"]);
      assert.deepEqual(await ids({ changedFrom: 1_004 }), ["t08", "t09"]);
      assert.deepEqual(await ids({ owner: "eve", changedFrom: 9_000 }).then((found) => found.length), 1);
      assert.deepEqual(await ids({ scope: "another" }), []);
    });

    contract("a context's history grows and what stands in it stays", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      const commit = (body: string, places: readonly number[]) =>
        store.commit({
          key: row,
          epoch: 1,
          version: 1,
          context: { scope: row.scope, owner: row.owner, contextId: row.contextId, body },
          history: places.map((place) => ({ place, body: `${body}${place}` })),
        });
      assert.equal(await store.context(row, 0), undefined);
      await commit("a", [0, 1]);
      await commit("b", [1, 2]);
      const rows = ["a0", "a1", "b2"].map((body, place) => ({ place, body }));
      assert.deepEqual(await store.context(row, 0), { body: "b", history: rows });
      assert.deepEqual(await store.context(row, 2), { body: "b", history: rows.slice(2) });
      assert.deepEqual(await store.context(row, 9), { body: "b", history: [] });
      assert.equal(await store.context({ ...row, owner: "eve" }, 0), undefined);
    });

    contract(
      "what is ended is forgotten by age and by number, with all that belongs to it; open work never",
      async (store) => {
        const scope = randomUUID();
        const rows = Array.from({ length: 6 }, (_, at) => ({
          ...newRow(store),
          scope,
          id: `t${at}`,
          contextId: "c",
          changedAt: at,
          isOpen: at === 0,
        }));
        for (const row of rows)
          await store.commit({ ...create(row), messageId: `m-${row.id}`, events: [event(0, 1)] });
        assert.equal(await store.prune(scope, { before: 2, keep: 100 }), 1);
        assert.equal(await store.prune(scope, { before: 0, keep: 2 }), 2);
        const left = await Promise.all(rows.map((row) => store.get(row)));
        assert.deepEqual(
          left.map((row) => row?.id),
          ["t0", undefined, undefined, undefined, "t4", "t5"],
        );
        assert.equal(await store.findMessage(rows[1]!, "m-t1"), undefined);
        assert.deepEqual(await store.events(rows[1]!, 0, 10), []);
      },
    );

    contract("what is forgotten goes some at a time", async (store) => {
      const scope = randomUUID();
      for (let at = 0; at <= pruneBatch; at++)
        await store.commit(create({ ...newRow(store), scope, changedAt: at, isOpen: false }));
      assert.equal(await store.prune(scope, { before: 0, keep: 0 }), pruneBatch);
      assert.equal(await store.prune(scope, { before: 0, keep: 0 }), 1);
      assert.equal(await store.prune(scope, { before: 0, keep: 0 }), 0);
    });

    contract("what was said in a context is forgotten with its last task", async (store) => {
      const scope = randomUUID();
      const tasks = ["long", "short", "long"].map((contextId, at) => ({
        ...newRow(store),
        scope,
        contextId,
        changedAt: at,
        isOpen: false,
      }));
      for (const [place, row] of tasks.entries()) {
        const { owner, contextId } = row;
        const context = { scope, owner, contextId, body: "{}" };
        await store.commit({ ...create(row), context, history: [{ place, body: "hello" }] });
      }
      const left = async () =>
        Promise.all(
          tasks.slice(1).map(async (row) => (await store.context(row, 0))?.history.map(({ place }) => place)),
        );
      await store.prune(scope, { before: 0, keep: 2 });
      assert.deepEqual(await left(), [[1], [0, 2]]);
      await store.prune(scope, { before: 0, keep: 1 });
      assert.deepEqual(await left(), [undefined, [0, 2]]);
      await store.prune(scope, { before: 0, keep: 0 });
      assert.deepEqual(await left(), [undefined, undefined]);
    });

    contract(
      "open work of others is found; instances say that they live; a cancel is told once",
      async (store) => {
        const scope = randomUUID();
        const own = { ...newRow(store), scope, isOpen: true };
        const theirs = { ...newRow(store), scope, isOpen: true, instance: "another" };
        const ended = { ...newRow(store), scope, instance: "another" };
        for (const row of [own, theirs, ended]) await store.commit(create(row));
        assert.deepEqual(
          (await store.listOpen(scope)).map(({ id }) => id),
          [theirs.id],
        );
        assert.deepEqual(await store.takeCancels(scope), []);
        await store.requestCancel(own);
        await store.requestCancel(theirs);
        assert.deepEqual(await store.takeCancels(scope), [own.id]);
        assert.deepEqual(await store.takeCancels(scope), []);
        assert.equal((await store.beat()).get(store.instance), 1);
        assert.equal((await store.beat()).get(store.instance), 2);
        assert.equal(await store.isGone(store.instance), false);
        assert.equal(await store.isGone(randomUUID()), true);
      },
    );

    contract("push configurations belong to their task", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      await store.putPush(row, { id: "b", body: "1" });
      await store.putPush(row, { id: "a", body: "2" });
      await store.putPush(row, { id: "b", body: "3" });
      assert.deepEqual(
        [...(await store.listPush(row))].sort((x, y) => x.id.localeCompare(y.id)),
        [
          { id: "a", body: "2" },
          { id: "b", body: "3" },
        ],
      );
      assert.equal(await store.deletePush(row, "a"), true);
      assert.equal(await store.deletePush(row, "a"), false);
      assert.deepEqual((await store.listPush(row)).length, 1);
    });

    contract("what is to be sent is told to others, sent by one of them, and then done", async (store) => {
      const row = newRow(store);
      await store.commit(create(row));
      await store.putPush(row, { id: "a", body: "1" });
      await store.commit({ ...next(row, { state: 2 }), due: 3 });
      assert.deepEqual(await store.listDuePush(row.scope), [], "its own are on their way");
      const held = { ...row, version: 2, instance: "another" };
      await store.commit({ ...next(held, { state: 3 }), due: 7 });
      await store.putPush(row, { id: "late", body: "2" });
      await store.markPushSent(row, "a", 3);
      const expected = {
        scope: row.scope,
        id: row.id,
        pushId: "a",
        body: "1",
        due: 7,
        sent: 3,
        instance: "another",
      };
      assert.deepEqual(await store.listDuePush(row.scope), [expected]);
      assert.deepEqual(await store.listDuePush(row.scope, row.id), [expected]);
      assert.deepEqual(await store.listDuePush(row.scope, "x"), []);
      assert.equal(await store.claimPush(expected), true);
      assert.equal(await store.claimPush(expected), false);
      await store.commit({ ...next({ ...held, version: 3 }, { state: 3 }), due: 9 });
      await store.markPushSent(row, "a", 9);
      await store.markPushSent(row, "a", 8);
      assert.deepEqual(
        (await store.listDuePush(row.scope)).map(({ pushId, sent }) => [pushId, sent]),
        [["late", -1]],
      );
    });
  });
}

for (const name of ["sqlite", "postgres"]) {
  testOpening(name, "what one process wrote another reads, and sees when the first is gone", async (open) => {
    const first = open();
    const row = { ...newRow(first), isOpen: true };
    await first.commit({ ...create(row), events: [event(0, 1)] });
    await using second = open();
    assert.deepEqual(await second.get(row), row);
    assert.deepEqual((await second.events(row, 0, 9)).length, 1);
    assert.equal(await second.isGone(first.instance), false);
    assert.deepEqual(
      (await second.listOpen(row.scope)).map(({ id }) => id),
      [row.id],
    );
    await first[Symbol.asyncDispose]();
    assert.equal(await second.isGone(first.instance), true);
    await assert.rejects(first.get(row), hasCode("unavailable"));
  });
}

test("a store that cannot be opened says so at the first call, and the process lives", async () => {
  await using nowhere = sqliteStore(`${newPath()}/tasks.db`);
  await assert.rejects(nowhere.get({ scope: "", id: "x" }), hasCode("unavailable"));
  await using nobody = postgresStore("postgres://weft@127.0.0.1:9/postgres");
  await assert.rejects(nobody.get({ scope: "", id: "x" }), hasCode("unavailable"));
});

function newRow(store: TaskStore): TaskRow {
  return {
    scope: randomUUID(),
    id: randomUUID(),
    owner: "ann",
    contextId: randomUUID(),
    version: 1,
    epoch: 1,
    instance: store.instance,
    state: TaskState.TASK_STATE_SUBMITTED,
    isOpen: false,
    changedAt: 1_700_000_000_000,
    body: {
      task: Task.fromJSON({ id: "ä", status: { state: 1 } }),
      place: 3,
      epochs: [[1, 0]],
      partial: ["a"],
    },
  };
}

function create(row: TaskRow): TaskCommit {
  return { key: row, epoch: 0, version: 0, row };
}

function next(row: TaskRow, change: Partial<TaskRow>): TaskCommit {
  return {
    key: row,
    epoch: row.epoch,
    version: row.version,
    row: { ...row, ...change, version: row.version + 1 },
  };
}

function event(place: number, epoch: number): StoredEvent {
  const artifact = {
    artifactId: "a",
    name: "",
    description: "",
    parts: [
      {
        content: { $case: "text" as const, value: `word ${place} ` },
        metadata: undefined,
        filename: "",
        mediaType: "",
      },
    ],
    metadata: undefined,
    extensions: [],
  };
  return {
    place,
    epoch,
    isAgentEvent: place % 2 === 1,
    response: {
      payload: {
        $case: "artifactUpdate",
        value: {
          taskId: "t",
          contextId: "c",
          artifact,
          append: place > 0,
          lastChunk: false,
          metadata: undefined,
        },
      },
    },
  };
}
