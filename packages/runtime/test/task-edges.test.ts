import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import type { Task, TaskStatus } from "@a2a-js/sdk";
import { hopExtensionUri } from "../src/a2a/uris.ts";
import { defineAgent, messageText } from "../src/agent/index.ts";
import type { AgentYield } from "../src/agent/index.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import { callContext, newEngine } from "./engine-support.ts";
import { sendRequest } from "./requests.ts";
import { gate, heldAgent } from "./support.ts";

const timeout = 30_000;
const folder = mkdtempSync(join(tmpdir(), "weft-task-edges-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const question: AgentYield = {
  type: "input-required",
  id: "q",
  kind: "reply",
  agent: "asker",
  prompt: "Which one?",
};

function textOfStatus({ message }: TaskStatus): string | undefined {
  const content = message?.parts[0]?.content;
  return content?.$case === "text" ? content.value : undefined;
}

test("a context in use is kept, its turns serial, where all others are in use too", { timeout }, async () => {
  const begun: string[] = [];
  const release = gate();
  const agent = defineAgent({
    name: "slow",
    async *respond(_request, { contextId }) {
      begun.push(contextId);
      await release.promise;
      yield "done";
    },
  });
  const engine = newEngine(agent, { limits: { contexts: 1 } });
  for (const contextId of ["a", "b", "b"]) {
    await engine.sendMessage(sendRequest("go", { contextId, returnImmediately: true }), callContext());
  }
  assert.deepEqual(begun, ["a", "b"]);
  release.resolve();
  await engine.settled();
  assert.deepEqual(begun, ["a", "b", "b"]);
});

test(
  "a session state that is not JSON fails its turn, says why, and leaves the state of before",
  { timeout },
  async () => {
    const states: unknown[] = [];
    const agent = defineAgent({
      name: "careless",
      async *respond(request, { session }) {
        states.push(session.state);
        session.state = request.messages.length === 3 ? { count: 1n } : { count: request.messages.length };
        yield "done";
      },
    });
    await using store = sqliteStore(join(folder, "state.db"));
    const engine = newEngine(agent, { store });
    const send = (): Promise<Task> =>
      engine.sendMessage(sendRequest("go", { contextId: "one" }), callContext());
    await send();
    const told: TaskStatus[] = [];
    const stream = engine.sendMessageStream(sendRequest("go", { contextId: "one" }), callContext());
    for await (const { payload } of stream)
      if (payload?.$case === "statusUpdate") told.push(payload.value.status!);
    const { TASK_STATE_WORKING: working, TASK_STATE_FAILED: failed } = TaskState;
    assert.deepEqual(
      told.map(({ state }) => state),
      [working, failed],
    );
    assert.match(textOfStatus(told.at(-1)!) ?? "", /session\.state is not JSON/);
    assert.equal((await send()).status?.state, TaskState.TASK_STATE_COMPLETED);
    assert.deepEqual(states, [undefined, { count: 1 }, { count: 1 }]);
  },
);

test(
  "while a turn has a state that is not JSON in hand, the next message waits its turn",
  { timeout },
  async () => {
    const begun = gate();
    const release = gate();
    const agent = defineAgent({
      name: "busy",
      async *respond(_request, { session }) {
        session.state = { help: () => "no JSON" };
        begun.resolve();
        await release.promise;
        session.state = { done: true };
        yield "done";
      },
    });
    await using store = sqliteStore(join(folder, "busy.db"));
    const engine = newEngine(agent, { store });
    const send = (): Promise<Task> =>
      engine.sendMessage(sendRequest("go", { contextId: "one" }), callContext());
    const first = send();
    await begun.promise;
    const second = send();
    await new Promise((resolve) => setImmediate(resolve));
    release.resolve();
    for (const { status } of await Promise.all([first, second]))
      assert.equal(status?.state, TaskState.TASK_STATE_COMPLETED);
  },
);

test("a task that waits in memory is whole for another engine on the same store", { timeout }, async () => {
  const store = memoryStore();
  const agent = defineAgent({
    name: "asker",
    async *respond() {
      yield question;
    },
  });
  const asked = await newEngine(agent, { store }).sendMessage(sendRequest("choose"), callContext());
  const seen = await newEngine(agent, { store }).getTask(
    { id: asked.id, tenant: "", historyLength: undefined },
    callContext(),
  );
  assert.equal(seen.status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
  assert.deepEqual(seen.history, asked.history);
});

test(
  "a message that is sent again while its turn's failure is being stored is one turn more",
  { timeout },
  async () => {
    const store = memoryStore();
    const commit = store.commit.bind(store);
    const failing = gate();
    const stored = gate();
    store.commit = (given) => {
      if (given.row?.state !== TaskState.TASK_STATE_FAILED) return commit(given);
      failing.resolve();
      return stored.promise.then(() => commit(given));
    };
    let turns = 0;
    const second = gate();
    const agent = defineAgent({
      name: "unsteady",
      async *respond() {
        if (++turns === 1) throw new TypeError("not this time");
        await second.promise;
        yield "done";
      },
    });
    const engine = newEngine(agent, { store });
    const send = (): Promise<Task> =>
      engine.sendMessage(sendRequest("go", { contextId: "one", messageId: "m1" }), callContext());
    const first = send();
    await failing.promise;
    const again = send();
    stored.resolve();
    await first;
    const onceMore = send();
    second.resolve();
    assert.equal((await onceMore).id, (await again).id);
    assert.equal(turns, 2);
  },
);

test("a sending that is refused takes nothing back of the same message sent again", { timeout }, async () => {
  let turns = 0;
  const release = gate();
  const agent = defineAgent({
    name: "counts",
    async *respond() {
      if (++turns === 1) throw new TypeError("not this time");
      await release.promise;
      yield "done";
    },
  });
  const engine = newEngine(agent);
  const send = (hops: number): Promise<Task> => {
    const request = sendRequest("go", { contextId: "one", messageId: "m1" });
    request.message!.metadata = { [hopExtensionUri]: { hops } };
    return engine.sendMessage(request, callContext());
  };
  // A message whose turn failed may be sent again.
  assert.equal((await send(0)).status?.state, TaskState.TASK_STATE_FAILED);
  const refused = send(1_000);
  const again = send(0);
  await assert.rejects(refused, /hops/);
  const onceMore = send(0);
  release.resolve();
  assert.equal((await onceMore).id, (await again).id);
  assert.equal(turns, 2);
});

test(
  "a reader whose events are gone gets the task as it is, and ends where it waits",
  { timeout },
  async () => {
    const agent = defineAgent({
      name: "asker",
      async *respond() {
        for (let count = 0; count < 100; count++) yield { type: "reasoning-delta", text: "hm" };
        yield question;
      },
    });
    const limits = { events: 10 };
    const engine = newEngine(agent, { limits, store: memoryStore(limits) });
    const stream = engine.sendMessageStream(sendRequest("choose"), callContext());
    await stream.next();
    await engine.settled();
    const { value } = await stream.next();
    assert.ok(value?.payload?.$case === "task");
    assert.equal(value.payload.value.status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
  },
);

for (const kind of ["memory", "sqlite"]) {
  test(
    `what an agent says that is not JSON fails its own turn, and says what it was (${kind})`,
    { timeout },
    async () => {
      const said: AgentYield[] = [
        { type: "tool-result", toolCallId: "t1", output: 1n },
        { content: [{ type: "data", data: { count: 1n } }] },
        { content: "text", metadata: { count: 1n } },
        "done",
      ];
      const agent = defineAgent({
        name: "careless",
        async *respond() {
          yield said.shift()!;
        },
      });
      await using store = kind === "memory" ? memoryStore() : sqliteStore(join(folder, "said.db"));
      const engine = newEngine(agent, { store });
      const send = (): Promise<Task> =>
        engine.sendMessage(sendRequest("go", { contextId: "one" }), callContext());
      for (const what of [
        /event of type tool-result .*not JSON/,
        /data part .*not JSON/,
        /metadata .*not JSON/,
      ]) {
        const { status } = await send();
        assert.equal(status?.state, TaskState.TASK_STATE_FAILED);
        assert.match(textOfStatus(status) ?? "", what);
      }
      assert.equal((await send()).status?.state, TaskState.TASK_STATE_COMPLETED);
    },
  );
}

test("a question that was forgotten past the bound is gone, and said to be", { timeout }, async () => {
  const agent = defineAgent({
    name: "asker",
    async *respond({ messages }) {
      yield messageText(messages.at(-1)!) === "ask" ? question : "done";
    },
  });
  const engine = newEngine(agent, { limits: { endedTasks: 2 } });
  const first = await engine.sendMessage(sendRequest("ask"), callContext());
  for (let count = 0; count < 6; count++) await engine.sendMessage(sendRequest("go"), callContext());
  const answer = sendRequest("this one", { taskId: first.id });
  await assert.rejects(engine.sendMessage(answer, callContext()), /does not exist/);
});

test("who reads a question on that was forgotten past the bound hears of it", { timeout }, async () => {
  const agent = defineAgent({
    name: "asker",
    async *respond() {
      yield question;
    },
  });
  const engine = newEngine(agent, { limits: { endedTasks: 1 } });
  const first = await engine.sendMessage(sendRequest("ask"), callContext());
  const reading = engine.resubscribe({ id: first.id, tenant: "" }, callContext());
  assert.equal((await reading.next()).done, false);
  const rest = reading.next();
  for (let count = 0; count < 6; count++) {
    await engine.sendMessage(sendRequest("ask"), callContext());
    await engine.sendMessage(sendRequest("ask"), callContext());
  }
  await assert.rejects(rest, /forgotten/);
});

test("a caller who waits hears that the store is gone", { timeout }, async () => {
  const store = sqliteStore(join(folder, "gone.db"));
  const { agent, started, release } = heldAgent(["too late"]);
  const answer = newEngine(agent, { store }).sendMessage(sendRequest("go"), callContext());
  await started;
  await store[Symbol.asyncDispose]();
  release();
  await assert.rejects(answer, /store/);
});
