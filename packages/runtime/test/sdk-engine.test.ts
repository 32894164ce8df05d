/**
 * Where the SDK's engine fails (PEERS, "Why the SDK is slow, and where it breaks"): one check for each, that Weft's engine passes and
 * the SDK's, in the same run and with the same agent, does not.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AgentCard, TaskState } from "@a2a-js/sdk";
import type { Part, Task } from "@a2a-js/sdk";
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from "@a2a-js/sdk/server";
import type {
  A2ARequestHandler,
  AgentExecutor,
  ExecutionEventBus,
  RequestContext,
  TaskStore,
} from "@a2a-js/sdk/server";
import { createAgentContext, createMessage, defineAgent, messageText } from "../src/agent/index.ts";
import type { Agent } from "../src/agent/index.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import type { TaskStore as WeftStore } from "../src/store/task-store.ts";
import { callContext, newEngine, textOf } from "./engine-support.ts";
import { sendRequest } from "./requests.ts";
import { gate } from "./support.ts";

const timeout = 60_000;
const folder = mkdtempSync(join(tmpdir(), "weft-sdk-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** What engines hand to their stores: how much text, counted. */
const stored = { characters: 0 };

function count(...texts: readonly (string | undefined)[]): void {
  for (const text of texts) stored.characters += text?.length ?? 0;
}

const textsOf = (parts: readonly Part[] = []): (string | undefined)[] =>
  parts.map(({ content }) => (content?.$case === "text" ? content.value : undefined));
const countTask = (task: Pick<Task, "artifacts">): void =>
  task.artifacts.forEach(({ parts }) => count(...textsOf(parts)));

class CountingSdkStore extends InMemoryTaskStore {
  override save(...given: Parameters<InMemoryTaskStore["save"]>): Promise<void> {
    countTask(given[0]);
    return super.save(...given);
  }
}

function countingStore(): WeftStore {
  const store = memoryStore();
  const commit = store.commit.bind(store);
  store.commit = (given) => {
    if (given.row) countTask(given.row.body.task);
    for (const { response } of given.events ?? [])
      if (response.payload?.$case === "artifactUpdate")
        count(...textsOf(response.payload.value.artifact?.parts));
    return commit(given);
  };
  return store;
}

/** Replicas of one service, over one store. */
type Make = (agent: Agent, replicas?: number) => A2ARequestHandler[];

const weft: Make = (agent, replicas = 1) => {
  const path = join(folder, `${randomUUID()}.db`);
  return Array.from({ length: replicas }, () => {
    const engine = newEngine(agent, {
      limits: { turnMs: 5_000, leaseMs: 400 },
      store: replicas > 1 ? sqliteStore(path) : countingStore(),
    });
    engine.start();
    return engine;
  });
};

const sdk: Make = (agent, replicas = 1) => {
  const store: TaskStore = new CountingSdkStore();
  const card = AgentCard.fromJSON({ name: agent.name, capabilities: { streaming: true } });
  return Array.from({ length: replicas }, () => new DefaultRequestHandler(card, store, new Executor(agent)));
};

/** The same agent as an executor of the SDK: one artifact, its text appended. */
class Executor implements AgentExecutor {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  async execute(
    { taskId, contextId, userMessage, task }: RequestContext,
    bus: ExecutionEventBus,
  ): Promise<void> {
    const ids = { taskId, contextId };
    const status = (state: TaskState) => ({ state, message: undefined, timestamp: new Date().toISOString() });
    const fresh = { id: taskId, contextId, artifacts: [], history: [userMessage], metadata: undefined };
    bus.publish(AgentEvent.task(task ?? { ...fresh, status: status(TaskState.TASK_STATE_SUBMITTED) }));
    bus.publish(
      AgentEvent.statusUpdate({ ...ids, status: status(TaskState.TASK_STATE_WORKING), metadata: undefined }),
    );
    const [part] = userMessage.parts;
    const messages = [createMessage(part?.content?.$case === "text" ? part.content.value : "")];
    const artifactId = userMessage.messageId;
    let append = false;
    for await (const step of this.#agent.respond(
      { messages, newFrom: 0, contextVariables: {} },
      createAgentContext(),
    )) {
      const parts = [
        {
          content: { $case: "text" as const, value: typeof step === "string" ? step : "" },
          metadata: undefined,
          filename: "",
          mediaType: "",
        },
      ];
      const artifact = { artifactId, name: "", description: "", parts, metadata: undefined, extensions: [] };
      bus.publish(
        AgentEvent.artifactUpdate({ ...ids, artifact, append, lastChunk: false, metadata: undefined }),
      );
      append = true;
      await new Promise((resolve) => setImmediate(resolve));
    }
    bus.publish(
      AgentEvent.statusUpdate({
        ...ids,
        status: status(TaskState.TASK_STATE_COMPLETED),
        metadata: undefined,
      }),
    );
    bus.finished();
  }

  cancelTask = async (taskId: string, bus: ExecutionEventBus): Promise<void> => {
    const status = {
      state: TaskState.TASK_STATE_CANCELED,
      message: undefined,
      timestamp: new Date().toISOString(),
    };
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId: "", status, metadata: undefined }));
    bus.finished();
  };
}

/** What passes here and fails there. `check` must not wait for what never comes. */
function differs(title: string, check: (make: Make) => Promise<void>): void {
  test(title, { timeout }, async () => {
    await check(weft);
    await assert.rejects(check(sdk), `the SDK's engine does it too: ${title}`);
  });
}

async function isSoon<T>(promise: Promise<T>, ms = 3_000): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TypeError("It does not come.")), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const asTask = (given: unknown): Task => given as Task;

differs(
  "a message on a working task waits its turn: no second run beside the first, and nothing is lost",
  async (make) => {
    let running = 0;
    let most = 0;
    const first = gate();
    const go = gate();
    const agent = defineAgent({
      name: "counts",
      async *respond({ messages }) {
        most = Math.max(most, ++running);
        first.resolve();
        await go.promise;
        for (let chunk = 0; chunk < 10; chunk++) yield `${messageText(messages.at(-1)!)}${chunk} `;
        running--;
      },
    });
    const [engine] = make(agent);
    const task = asTask(
      await engine!.sendMessage(sendRequest("a", { returnImmediately: true }), callContext()),
    );
    await first.promise;
    const { id, contextId } = task;
    const second = engine!.sendMessage(sendRequest("b", { contextId, taskId: id }), callContext());
    await new Promise((resolve) => setTimeout(resolve, 50));
    go.resolve();
    const text = textOf(asTask(await isSoon(second)));
    assert.equal(most, 1);
    for (const name of ["a", "b"])
      for (let chunk = 0; chunk < 10; chunk++) assert.ok(text.includes(`${name}${chunk} `));
  },
);

differs("the same message id twice is one turn", async (make) => {
  let turns = 0;
  const agent = defineAgent({
    name: "once",
    async *respond() {
      turns++;
      yield "done";
    },
  });
  const [engine] = make(agent);
  const request = sendRequest("x", { contextId: "c" });
  const one = asTask(await engine!.sendMessage(request, callContext()));
  const two = asTask(await engine!.sendMessage(request, callContext()));
  assert.equal(turns, 1);
  assert.equal(one.id, two.id);
});

differs("cancel reaches the agent while it works", async (make) => {
  const started = gate();
  const stopped = gate();
  const agent = defineAgent({
    name: "works",
    async *respond(_request, { signal }) {
      signal.addEventListener("abort", () => stopped.resolve());
      yield "x";
      started.resolve();
      await stopped.promise;
    },
  });
  const [engine] = make(agent);
  const task = asTask(
    await engine!.sendMessage(sendRequest("x", { returnImmediately: true }), callContext()),
  );
  await started.promise;
  const canceled = engine!.cancelTask({ tenant: "", id: task.id, metadata: undefined }, callContext());
  canceled.catch(() => undefined);
  await isSoon(stopped.promise, 1_000);
  assert.equal((await canceled).status?.state, TaskState.TASK_STATE_CANCELED);
});

differs("a task has a deadline", async (make) => {
  const agent = defineAgent({
    name: "hangs",
    async *respond() {
      yield "x";
      await new Promise(() => undefined);
    },
  });
  const [engine] = make === weft ? [newEngine(agent, { limits: { turnMs: 200 } })] : make(agent);
  const task = asTask(
    await isSoon(engine!.sendMessage(sendRequest("x"), callContext()) as Promise<unknown>, 2_000),
  );
  assert.equal(task.status?.state, TaskState.TASK_STATE_FAILED);
});

differs("what an agent throws unawares never reaches the caller", async (make) => {
  const agent = defineAgent({
    name: "throws",
    // oxlint-disable-next-line require-yield
    async *respond() {
      throw new TypeError("secret of the database");
    },
  });
  const [engine] = make(agent);
  const task = await engine!.sendMessage(sendRequest("x"), callContext()).catch((error: unknown) => error);
  assert.ok(JSON.stringify(task).includes("TASK") || typeof task === "object");
  assert.doesNotMatch(JSON.stringify(task) + String(task), /secret/);
});

differs("a subscription on another replica sees the task to its end", async (make) => {
  const started = gate();
  const go = gate();
  const agent = defineAgent({
    name: "goes-on",
    async *respond() {
      yield "one ";
      started.resolve();
      await go.promise;
      yield "two";
    },
  });
  const [here, there] = make(agent, 2);
  const task = asTask(await here!.sendMessage(sendRequest("x", { returnImmediately: true }), callContext()));
  await started.promise;
  const following = there!.resubscribe({ tenant: "", id: task.id }, callContext());
  const first = await isSoon(following.next());
  assert.equal(first.value?.payload?.$case, "task");
  go.resolve();
  const last = (await isSoon(Array.fromAsync(following))).at(-1);
  assert.ok(last?.payload?.$case === "statusUpdate");
  assert.equal(last.payload.value.status?.state, TaskState.TASK_STATE_COMPLETED);
});

differs("cancel at another replica stops the work", async (make) => {
  const started = gate();
  const stopped = gate();
  const agent = defineAgent({
    name: "works-there",
    async *respond(_request, { signal }) {
      signal.addEventListener("abort", () => stopped.resolve());
      yield "x";
      started.resolve();
      await stopped.promise;
    },
  });
  const [here, there] = make(agent, 2);
  const task = asTask(await here!.sendMessage(sendRequest("x", { returnImmediately: true }), callContext()));
  await started.promise;
  const canceled = there!.cancelTask({ tenant: "", id: task.id, metadata: undefined }, callContext());
  canceled.catch(() => undefined);
  await isSoon(stopped.promise);
});

differs("an event late in a stream costs what an early one costs", async (make) => {
  const agent = defineAgent({
    name: "floods",
    async *respond({ messages }) {
      const count = Number(messageText(messages.at(-1)!));
      for (let at = 0; at < count; at++) yield "0123456789";
    },
  });
  const [engine] = make(agent);
  const run = async (count: number): Promise<number> => {
    stored.characters = 0;
    const events = await Array.fromAsync(
      engine!.sendMessageStream(sendRequest(String(count)), callContext()),
    );
    assert.ok(events.length >= count);
    return stored.characters / count;
  };
  const [small, large] = [await run(100), await run(1_600)];
  assert.ok(small >= 10, "what is streamed is stored");
  assert.ok(large < small * 2, `${large} characters are stored for each at 1,600, ${small} at 100`);
});
