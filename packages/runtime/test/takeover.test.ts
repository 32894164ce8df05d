import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TaskState } from "@a2a-js/sdk";
import type { StreamResponse } from "@a2a-js/sdk";
import { captureSpans } from "@weft/tracing/internal";
import { Attr, EventNames, LinkKinds, Outcomes } from "@weft/tracing/vocabulary";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { sqliteStore } from "../src/store/sqlite-store.ts";
import { callContext, newEngine, textOf } from "./engine-support.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { gate } from "./support.ts";

const timeout = 60_000;
const folder = mkdtempSync(join(tmpdir(), "weft-takeover-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const newPath = (): string => join(folder, `${randomUUID()}.db`);

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callerSpan = "b7ad6b7169203331";

/** Two steps; the first one of a process that is held never ends. */
function steps(held: Promise<unknown> | undefined, begun: () => void, ran: string[], name: string) {
  return defineAgent({
    name: "steps",
    async *respond(_request, { journal }) {
      yield "partial ";
      await journal!.step("one", async () => ran.push(`${name} one`));
      await journal!.step("two", async () => {
        begun();
        await held;
        ran.push(`${name} two`);
      });
      await journal!.step("three", async () => ran.push(`${name} three`));
      yield `by ${name}`;
    },
  });
}

test(
  "after a takeover the trace goes on under its home, linked to the attempt before, and says what it skipped",
  { timeout },
  async () => {
    using spans = captureSpans();
    const path = newPath();
    await using first = sqliteStore(path);
    await using second = sqliteStore(path);
    const release = gate();
    const begun = gate();
    const ran: string[] = [];
    const one = newEngine(
      steps(release.promise, () => begun.resolve(), ran, "a"),
      { store: first, limits: { leaseMs: 200 } },
    );
    const two = newEngine(
      steps(undefined, () => undefined, ran, "b"),
      { store: second, limits: { leaseMs: 200 } },
    );
    const context = callContext({ traceparent: `00-${traceId}-${callerSpan}-01` });
    const stream = one.sendMessageStream(sendRequest("go"), context);
    const seen: StreamResponse[] = [];
    const reading = (async () => {
      for await (const response of stream) seen.push(response);
    })();
    await begun.promise;
    const payload = seen[0]?.payload;
    const id = payload?.$case === "task" ? payload.value.id : "";
    // The first never says that it lives: it is as good as gone.
    two.start();
    const task = await settledTask(two, id);
    assert.equal(textOf(task), "partial by b");
    release.resolve();
    await assert.rejects(
      reading,
      /is run elsewhere now/,
      "who reads at the former owner is told to go elsewhere",
    );
    assert.deepEqual(ran, ["a one", "b two", "b three", "a two"], "the former owner starts no further step");
    await one.settled();

    const turns = spans.spans().filter((span) => span.name === "invoke_agent steps");
    assert.equal(turns.length, 2);
    const [later, earlier] = turns;
    assert.ok(later && earlier);
    assert.equal(earlier.attributes[Attr.outcome], Outcomes.fenced);
    assert.equal(earlier.attributes[Attr.historyAppends], undefined, "a fenced worker gets no places");
    assert.equal(later.traceId, traceId);
    assert.equal(later.parentSpanId, callerSpan, "home is where the run came from");
    assert.equal(later.attributes[Attr.stretch], 2);
    assert.equal(later.attributes[Attr.runId], id);
    const [link] = later.links;
    assert.equal(link?.context.spanId, earlier.spanId);
    assert.equal(link?.attributes?.[Attr.linkKind], LinkKinds.previousAttempt);
    const resumed = later.events.find(({ name }) => name === EventNames.resumed);
    assert.deepEqual(resumed?.attributes?.[Attr.skippedSteps], ["one"]);
    await two.drain(AbortSignal.abort());
    await one.drain(AbortSignal.abort());
  },
);

test("any replica reads, follows and cancels a task that runs in another", { timeout }, async () => {
  const path = newPath();
  await using first = sqliteStore(path);
  await using second = sqliteStore(path);
  const started = gate();
  const go = gate();
  const aborted = gate();
  const talks = defineAgent({
    name: "talks",
    async *respond(_request, { signal }) {
      signal.addEventListener("abort", () => aborted.resolve());
      yield "one ";
      started.resolve();
      await go.promise;
      yield "two ";
      await aborted.promise;
    },
  });
  const one = newEngine(talks, { store: first, limits: { leaseMs: 400 } });
  const two = newEngine(talks, { store: second, limits: { leaseMs: 400 } });
  one.start();
  two.start();
  const task = await one.sendMessage(sendRequest("go", { returnImmediately: true }), callContext());
  await started.promise;
  const following = Array.fromAsync(two.resubscribe({ tenant: "", id: task.id }, callContext()));
  go.resolve();
  assert.equal((await two.getTask({ tenant: "", id: task.id }, callContext())).id, task.id);
  const canceled = await two.cancelTask({ tenant: "", id: task.id, metadata: undefined }, callContext());
  await aborted.promise;
  assert.equal(canceled.status?.state, TaskState.TASK_STATE_CANCELED);
  const states = (await following).flatMap(({ payload }) =>
    payload?.$case === "statusUpdate" ? [payload.value.status?.state] : [],
  );
  assert.equal(states.at(-1), TaskState.TASK_STATE_CANCELED);
  const { tasks } = await two.listTasks(
    listRequest({ status: TaskState.TASK_STATE_CANCELED }),
    callContext(),
  );
  assert.deepEqual(
    tasks.map(({ id }) => id),
    [task.id],
  );
  await Promise.all([one.drain(AbortSignal.abort()), two.drain(AbortSignal.abort())]);
});

test(
  "a message on a task that another replica runs waits until that turn is over, and goes on where it arrived",
  { timeout },
  async () => {
    const path = newPath();
    await using first = sqliteStore(path);
    await using second = sqliteStore(path);
    const started = gate();
    const go = gate();
    const asks = (name: string) =>
      defineAgent({
        name,
        async *respond({ messages }) {
          started.resolve();
          await go.promise;
          if (messages.length === 1)
            yield { type: "input-required", id: "q", kind: "reply", agent: name, prompt: "?" } as const;
          else yield `${name} heard ${messageText(messages.at(-1)!)}`;
        },
      });
    const one = newEngine(asks("one"), { store: first });
    const two = newEngine(asks("two"), { store: second });
    const task = await one.sendMessage(sendRequest("go", { returnImmediately: true }), callContext());
    await started.promise;
    const answer = sendRequest("more", { taskId: task.id });
    const sending = two.sendMessage(answer, callContext());
    const following = Array.fromAsync(one.resubscribe({ tenant: "", id: task.id }, callContext()));
    // The other replica sees the task at work before its turn may end.
    await second.get({ scope: "", id: task.id });
    go.resolve();
    const done = await sending;
    assert.deepEqual([done.id, textOf(done)], [task.id, "two heard more"]);
    const seen = (await following).at(-1)?.payload;
    assert.ok(seen?.$case === "statusUpdate", "who reads where the task was sees it end elsewhere");
    assert.equal(seen.value.status?.state, TaskState.TASK_STATE_COMPLETED);
    const read = await one.getTask({ tenant: "", id: task.id }, callContext());
    assert.equal(textOf(read), "two heard more");
    await assert.rejects(one.sendMessage(sendRequest("late", { taskId: task.id }), callContext()), /is over/);
    await Promise.all([one.drain(AbortSignal.abort()), two.drain(AbortSignal.abort())]);
  },
);

test(
  "a conversation goes on in a new process: history, state, a question, and message ids it has seen",
  { timeout },
  async () => {
    const path = newPath();
    const asks = defineAgent({
      name: "asks",
      async *respond({ messages }, { session }) {
        const { count = 0 } = (session.state ?? {}) as { count?: number };
        session.state = { count: count + 1 };
        if (count === 0)
          yield {
            type: "input-required",
            id: "q",
            kind: "reply",
            agent: "asks",
            prompt: "How many?",
          } as const;
        else yield messages.map(messageText).join("|");
      },
    });
    const contextId = randomUUID();
    const first = sendRequest("order", { contextId });
    let taskId = "";
    {
      await using store = sqliteStore(path);
      const engine = newEngine(asks, { store });
      const task = await engine.sendMessage(first, callContext());
      assert.equal(task.status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
      taskId = task.id;
      await engine.drain(AbortSignal.abort());
    }
    await using store = sqliteStore(path);
    const engine = newEngine(asks, { store });
    const again = await engine.sendMessage(first, callContext());
    assert.deepEqual(
      [again.id, again.status?.state],
      [taskId, TaskState.TASK_STATE_INPUT_REQUIRED],
      "a repeat is no new turn",
    );
    const done = await engine.sendMessage(sendRequest("three", { contextId, taskId }), callContext());
    assert.deepEqual([done.id, done.status?.state], [taskId, TaskState.TASK_STATE_COMPLETED]);
    assert.equal(textOf(done), "order|three");
    const repeat = await engine.sendMessage(
      sendRequest("three", { contextId, messageId: done.history.at(-1)!.messageId }),
      callContext(),
    );
    assert.equal(repeat.id, taskId);
    await engine.drain(AbortSignal.abort());
  },
);

test("what is left when a drain's time is up goes on in the next process", { timeout }, async () => {
  const path = newPath();
  const begun = gate();
  const ran: string[] = [];
  let id = "";
  {
    await using store = sqliteStore(path);
    const engine = newEngine(
      steps(new Promise(() => undefined), () => begun.resolve(), ran, "a"),
      { store },
    );
    const task = await engine.sendMessage(sendRequest("go", { returnImmediately: true }), callContext());
    id = task.id;
    await begun.promise;
    await engine.drain(AbortSignal.abort());
  }
  await using store = sqliteStore(path);
  const engine = newEngine(
    steps(undefined, () => undefined, ran, "b"),
    { store },
  );
  engine.start();
  assert.equal(textOf(await settledTask(engine, id)), "partial by b");
  assert.deepEqual(ran, ["a one", "b two", "b three"]);
  await engine.drain(AbortSignal.abort());
});

test(
  "a clock that goes back takes nothing over, and times do not go back with it",
  { timeout },
  async (t) => {
    const path = newPath();
    await using first = sqliteStore(path);
    await using second = sqliteStore(path);
    const go = gate();
    const begun = gate();
    const ran: string[] = [];
    const one = newEngine(
      steps(go.promise, () => begun.resolve(), ran, "a"),
      { store: first, limits: { leaseMs: 5_000 } },
    );
    const two = newEngine(
      steps(undefined, () => undefined, ran, "b"),
      { store: second, limits: { leaseMs: 5_000 } },
    );
    one.start();
    const task = await one.sendMessage(sendRequest("go", { returnImmediately: true }), callContext());
    await begun.promise;
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() - 7_200_000 });
    two.start();
    await two.settled();
    go.resolve();
    const done = await settledTask(one, task.id);
    assert.deepEqual(ran, ["a one", "a two", "a three"]);
    assert.ok(Date.parse(done.status!.timestamp!) >= Date.parse(task.status!.timestamp!));
    await Promise.all([one.drain(AbortSignal.abort()), two.drain(AbortSignal.abort())]);
  },
);

async function settledTask(engine: ReturnType<typeof newEngine>, id: string) {
  for (;;) {
    const task = await engine.getTask({ tenant: "", id }, callContext());
    if ((task.status?.state ?? 0) >= TaskState.TASK_STATE_COMPLETED) return task;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
