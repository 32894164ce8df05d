import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import type { StreamResponse } from "@a2a-js/sdk";
import { TaskNotFoundError, UnsupportedOperationError } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import { eventNumberOf } from "../src/a2a/event-number.ts";
import { callContext, newEngine, textOf } from "./engine-support.ts";
import { newPath, storeNames, testOf } from "./every-store.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { echo, gate, hasCode } from "./support.ts";

const timeout = 60_000;
for (const name of storeNames) {
  describe(`the task engine on ${name}`, () => {
    const check = testOf(name);

    check(
      "an agent without a login waits for its caller, and tries again with the next message",
      async (store) => {
        let hasLogin = false;
        const agent = defineAgent({
          name: "needs-login",
          async *respond() {
            if (!hasLogin) throw new WeftError("unauthenticated", "Log in at the bank first.");
            yield "balance: 5";
          },
        });
        const engine = newEngine(agent, { store, scope: randomUUID() });
        const task = await engine.sendMessage(sendRequest("balance?"), callContext());
        assert.equal(task.status?.state, TaskState.TASK_STATE_AUTH_REQUIRED);
        assert.match(JSON.stringify(task.status?.message), /Log in at the bank/);
        hasLogin = true;
        const { id: taskId, contextId } = task;
        const done = await engine.sendMessage(sendRequest("done", { taskId, contextId }), callContext());
        assert.deepEqual(
          [done.id, done.status?.state, textOf(done)],
          [taskId, TaskState.TASK_STATE_COMPLETED, "balance: 5"],
        );
        await assert.rejects(
          engine.sendMessage(sendRequest("more", { taskId, contextId }), callContext()),
          UnsupportedOperationError,
        );
        await engine.drain(AbortSignal.timeout(5_000));
      },
    );

    check(
      "several readers see the same numbered events, and one that lost its stream goes on from its number",
      async (store) => {
        const started = gate();
        const go = gate();
        const agent = defineAgent({
          name: "talks",
          async *respond() {
            for (let word = 0; word < 20; word++) {
              yield `${word} `;
              if (word === 4) started.resolve();
              if (word === 4) await go.promise;
            }
          },
        });
        const engine = newEngine(agent, { store, scope: randomUUID(), limits: { events: 5 } });
        const stream = engine.sendMessageStream(sendRequest("go"), callContext());
        const first = (await stream.next()).value as StreamResponse;
        assert.ok(first.payload?.$case === "task");
        const { id } = first.payload.value;
        const reading = Array.fromAsync(stream);
        await started.promise;
        const other = Array.fromAsync(engine.resubscribe({ tenant: "", id }, callContext()));
        // A reader that leaves changes nothing.
        const leaver = engine.resubscribe({ tenant: "", id }, callContext());
        await leaver.next();
        await leaver.return();
        go.resolve();
        const all = (await reading).map(eventNumberOf);
        assert.deepEqual(
          all,
          all.map((_, at) => `1.${at + Number(all[0]!.slice(2))}`),
        );
        const later = (await other).slice(1).map(eventNumberOf);
        assert.deepEqual(later, all.slice(-later.length));
        for (const [at, number] of all.entries()) {
          const rest = await Array.fromAsync(
            engine.resubscribe({ tenant: "", id }, callContext({ "last-event-id": number ?? "" })),
          );
          assert.deepEqual(rest.map(eventNumberOf), all.slice(at + 1), `from ${number}`);
        }
        await assert.rejects(
          Array.fromAsync(engine.resubscribe({ tenant: "", id }, callContext())),
          UnsupportedOperationError,
        );
        const bad = callContext({ "last-event-id": "x" });
        await assert.rejects(Array.fromAsync(engine.resubscribe({ tenant: "", id }, bad)), /1\.42/);
      },
    );

    check(
      "a task is its owner's: nobody else reads, lists, follows, cancels or answers it",
      async (store) => {
        const agent = defineAgent({
          name: "asks",
          async *respond() {
            yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?" } as const;
          },
        });
        const engine = newEngine(agent, { store, scope: randomUUID() });
        const ann = callContext({}, "ann");
        const eve = callContext({}, "eve");
        const { id, contextId } = await engine.sendMessage(sendRequest("x"), ann);
        for (const attempt of [
          () => engine.getTask({ tenant: "", id }, eve),
          () => engine.cancelTask({ tenant: "", id, metadata: undefined }, eve),
          () => Array.fromAsync(engine.resubscribe({ tenant: "", id }, eve)),
          () => engine.sendMessage(sendRequest("y", { taskId: id }), eve),
          () =>
            engine.listTaskPushNotificationConfigs(
              { tenant: "", taskId: id, pageSize: 0, pageToken: "" },
              eve,
            ),
        ])
          await assert.rejects(async () => attempt(), TaskNotFoundError);
        assert.deepEqual((await engine.listTasks(listRequest(), eve)).tasks, []);
        const { tasks, totalSize } = await engine.listTasks(listRequest({ contextId }), ann);
        assert.deepEqual([tasks.map((task) => task.id), totalSize], [[id], 1]);
        const canceled = await engine.cancelTask({ tenant: "", id, metadata: undefined }, ann);
        assert.equal(canceled.status?.state, TaskState.TASK_STATE_CANCELED);
      },
    );

    check("pages of a list miss nothing and repeat nothing while tasks are made", async (store) => {
      const engine = newEngine(echo, { store, scope: randomUUID() });
      const ids: string[] = [];
      for (let count = 0; count < 7; count++)
        ids.push((await engine.sendMessage(sendRequest("x"), callContext())).id);
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = await engine.listTasks(listRequest({ pageSize: 3, pageToken }), callContext());
        seen.push(...page.tasks.map(({ id }) => id));
        pageToken = page.nextPageToken;
        await engine.sendMessage(sendRequest("new"), callContext());
      } while (pageToken !== "");
      assert.deepEqual(seen.toSorted(), ids.toSorted());
      await assert.rejects(engine.listTasks(listRequest({ pageToken: "x" }), callContext()), /pageToken/);
    });

    check(
      "messages that come at once run one after the other, and a repeat at the same time is one turn",
      async (store) => {
        let turns = 0;
        let running = 0;
        const agent = defineAgent({
          name: "serial",
          async *respond({ messages }) {
            assert.equal(++running, 1);
            await new Promise((resolve) => setImmediate(resolve));
            turns++;
            yield messageText(messages.at(-1)!);
            running--;
          },
        });
        const engine = newEngine(agent, { store, scope: randomUUID() });
        const contextId = randomUUID();
        const requests = Array.from({ length: 10 }, (_, at) => sendRequest(`m${at}`, { contextId }));
        const tasks = await Promise.all(
          [...requests, ...requests].map((request) => engine.sendMessage(request, callContext())),
        );
        assert.equal(turns, 10);
        assert.deepEqual(
          tasks.slice(10).map(({ id }) => id),
          tasks.slice(0, 10).map(({ id }) => id),
        );
        assert.deepEqual(
          tasks.slice(0, 10).map(textOf),
          requests.map((_, at) => `m${at}`),
        );
      },
    );

    check("a repeat of a new conversation's first message, its answer lost, is one turn", async (store) => {
      let turns = 0;
      const agent = defineAgent({
        name: "once",
        async *respond() {
          yield `${++turns}`;
        },
      });
      const engine = newEngine(agent, { store, scope: randomUUID() });
      const request = sendRequest("x");
      const ann = callContext({}, "ann");
      const one = await engine.sendMessage(request, ann);
      const two = await engine.sendMessage(request, ann);
      const other = await engine.sendMessage(request, callContext({}, "eve"));
      assert.equal(one.id, two.id);
      assert.notEqual(one.id, other.id);
      assert.equal(turns, 2);
    });

    check("a cancel stops what runs and drops what waits", async (store) => {
      const started = gate();
      const heard: string[] = [];
      const agent = defineAgent({
        name: "hangs",
        async *respond({ messages }) {
          heard.push(messageText(messages.at(-1)!));
          yield "x";
          started.resolve();
          await new Promise(() => undefined);
        },
      });
      const engine = newEngine(agent, { store, scope: randomUUID() });
      const { id: taskId, contextId } = await engine.sendMessage(
        sendRequest("a", { returnImmediately: true }),
        callContext(),
      );
      await started.promise;
      const waiting = sendRequest("b", { taskId, contextId, returnImmediately: true });
      await engine.sendMessage(waiting, callContext());
      const task = await engine.cancelTask({ tenant: "", id: taskId, metadata: undefined }, callContext());
      assert.equal(task.status?.state, TaskState.TASK_STATE_CANCELED);
      assert.deepEqual(heard, ["a"]);
      await engine.drain(AbortSignal.timeout(5_000));
    });
  });
}

test(
  "a store that is gone is an error of the call, and nothing is said to be taken",
  { timeout },
  async () => {
    const store = sqliteStore(newPath());
    const engine = newEngine(echo, { store, scope: randomUUID() });
    await engine.sendMessage(sendRequest("x"), callContext());
    await store[Symbol.asyncDispose]();
    await assert.rejects(engine.engine.sendMessage(sendRequest("y"), callContext()), hasCode("unavailable"));
    assert.equal(engine.engine.runningCount, 0);
  },
);
