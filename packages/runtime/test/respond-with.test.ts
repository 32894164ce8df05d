/** Agents that answer with a message in place of a task. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Role, TaskState } from "@a2a-js/sdk";
import type { StreamResponse } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { readHop } from "../src/a2a/hop.ts";
import { createMessage, defineAgent, messageText, noUsage } from "../src/agent/index.ts";
import { connect, serve } from "../src/index.ts";
import type { TaskEngine } from "../src/task/task-engine.ts";
import { storeNames, testOf, testOpening } from "./every-store.ts";
import { callContext, textOf } from "./engine-support.ts";
import {
  ask,
  askAndWait,
  askForTask,
  countingAgent,
  leavingContext,
  newEngine,
  textIn,
} from "./message-engine.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { bindings, echo, hasCode, heldAgent, recall, startService } from "./support.ts";

const timeout = 20_000;

async function tasksOf(engine: TaskEngine): Promise<number> {
  return (await engine.listTasks(listRequest(), callContext())).totalSize;
}

describe("over every binding", { timeout: 60_000 }, () => {
  for (const binding of bindings) {
    test(`${binding}: an answer is a message, a stream is that message, and no task is left`, async () => {
      await using service = await startService(echo, { respondWith: "message" });
      await using client = await connect(service.url, { binding });
      const answer = await client.sendMessage(sendRequest("a b"));
      assert.ok("parts" in answer);
      assert.deepEqual([textIn(answer), answer.role, answer.taskId], ["a b ", Role.ROLE_AGENT, ""]);
      assert.match(answer.contextId, /^[\da-f-]{36}$/);
      const events = await Array.fromAsync(client.sendMessageStream(sendRequest("c")));
      assert.deepEqual(
        events.map(({ payload }) => payload?.$case),
        ["message"],
      );
      assert.equal((await client.listTasks(listRequest())).totalSize, 0);
    });

    test(`${binding}: whoever leaves has given the turn up`, async () => {
      const { agent, turns, next } = countingAgent();
      await using service = await startService(agent, { respondWith: "message" });
      await using client = await connect(service.url, { binding });
      for (const send of ["sendMessage", "sendMessageStream"] as const) {
        const controller = new AbortController();
        const begun = next();
        const sent = client[send](sendRequest("x"), { signal: controller.signal });
        const read: Promise<unknown> = sent instanceof Promise ? sent : Array.fromAsync(sent);
        const refused = assert.rejects(read);
        await begun;
        const { signal } = turns.at(-1)!;
        const stopped = new Promise((resolve) => signal.addEventListener("abort", resolve));
        controller.abort();
        await Promise.all([refused, stopped]);
      }
      assert.equal((await client.listTasks(listRequest())).totalSize, 0);
    });
  }
});

for (const name of storeNames) {
  const onStore = testOf(name);

  onStore("a conversation goes on in its context", async (store) => {
    const engine = newEngine(recall, { store });
    const first = await ask(engine, "one");
    const { contextId } = first;
    const second = await ask(engine, sendRequest("two", { contextId }));
    assert.deepEqual([textIn(second), second.contextId], ["one|[one]|two", contextId]);
  });

  onStore("the same message id is one turn, while it runs and after", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const request = sendRequest("x", { contextId: "c" });
    const begun = next();
    const both = Promise.all([ask(engine, request), ask(engine, request)]);
    await begun;
    turns[0]!.release();
    const [one, two] = await both;
    assert.deepEqual([textIn(one), two], ["1: x", one]);
    assert.deepEqual(await ask(engine, request), one);
    assert.equal(turns.length, 1);
  });

  onStore("what a message cannot say is a task: a question, which goes on as one", async (store) => {
    const asks = defineAgent({
      name: "asks",
      async *respond({ messages }) {
        const text = messageText(messages.at(-1)!);
        if (text !== "blue")
          yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "Colour?" };
        else yield "Blue it is.";
      },
    });
    const engine = newEngine(asks, { store });
    const request = sendRequest("paint", { contextId: "c" });
    const asked = await askForTask(engine, request);
    assert.equal(asked.status?.state, TaskState.TASK_STATE_INPUT_REQUIRED);
    assert.equal(textIn(asked.status.message!), "Colour?");
    assert.deepEqual(asked.history.map(textIn), ["paint", "Colour?"]);
    assert.deepEqual((await askForTask(engine, request)).id, asked.id);
    const done = await askForTask(engine, sendRequest("blue", { taskId: asked.id }));
    assert.deepEqual([done.id, textOf(done)], [asked.id, "Blue it is."]);
    assert.equal(done.status?.state, TaskState.TASK_STATE_COMPLETED);
    assert.equal((await engine.getTask({ tenant: "", id: asked.id }, callContext())).id, asked.id);
  });

  onStore("a failure is a failed task, and the same message tries again", async (store) => {
    let turns = 0;
    const fails = defineAgent({
      name: "fails",
      async *respond() {
        yield "";
        if (turns++ === 0) throw new WeftError("model_failed", "The provider said 529.");
        yield "ok";
      },
    });
    const engine = newEngine(fails, { store });
    const request = sendRequest("x", { contextId: "c" });
    const failed = await askForTask(engine, request);
    assert.equal(failed.status?.state, TaskState.TASK_STATE_FAILED);
    assert.deepEqual(readHop(failed.metadata).error?.code, "model_failed");
    assert.equal(textIn(failed.status.message!), "The provider said 529.");
    assert.equal((await engine.getTask({ tenant: "", id: failed.id }, callContext())).id, failed.id);
    assert.equal(textIn(await ask(engine, request)), "ok");
  });

  onStore("a turn without a reply is a task that is over", async (store) => {
    const silent = defineAgent({ name: "silent", async *respond() {} });
    const done = await askForTask(newEngine(silent, { store }), "x");
    assert.deepEqual([done.status?.state, done.artifacts], [TaskState.TASK_STATE_COMPLETED, []]);
  });

  onStore("a message says what a task would: ids, usage, variables, every kind of part", async (store) => {
    const usage = { ...noUsage, inputTokens: 3, outputTokens: 2, totalTokens: 5 };
    const content = [
      { type: "text", text: "ä" },
      { type: "file", name: "f", mediaType: "application/x-f", data: Buffer.from([0, 255]) },
      { type: "data", data: { a: [1, null] } },
    ] as const;
    const rich = defineAgent({
      name: "rich",
      async *respond({ contextVariables }) {
        contextVariables["seen"] = true;
        yield { type: "usage", usage, model: "m" };
        yield createMessage({ id: "reply-1", role: "assistant", content, metadata: { mood: "good" } });
      },
    });
    const answer = await ask(newEngine(rich, { store }), sendRequest("x", { contextId: "c" }));
    assert.equal(answer.messageId, "reply-1");
    assert.deepEqual(
      answer.parts.map(({ content: part }) => part?.$case),
      ["text", "raw", "data"],
    );
    const { usage: told, variables } = readHop(answer.metadata);
    assert.deepEqual([told?.totalTokens, variables, answer.metadata?.["mood"]], [5, { seen: true }, "good"]);
  });

  onStore("who does not wait for the answer gets a task", async (store) => {
    const engine = newEngine(echo, { store });
    const { id } = await askForTask(engine, sendRequest("a", { returnImmediately: true }));
    const events = engine.resubscribe({ tenant: "", id }, callContext());
    await Array.fromAsync(events).catch(() => undefined);
    const read = await engine.getTask({ tenant: "", id }, callContext());
    assert.equal(textOf(read), "a ");
  });

  onStore("whoever leaves has given the turn up; the same message begins anew", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const request = sendRequest("x", { contextId: "c" });
    const { leave, left } = await askAndWait(engine, request, next);
    const stopped = new Promise((resolve) => turns[0]!.signal.addEventListener("abort", resolve));
    leave();
    await stopped;
    const again = next();
    const asked = ask(engine, request);
    await again;
    turns[1]!.release();
    assert.equal(textIn(await asked), "2: x");
    await left;
  });

  onStore("a task that somebody asked for goes on, whoever leaves", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const request = sendRequest("x", { contextId: "c", returnImmediately: true });
    const begun = next();
    const { id } = await askForTask(engine, request);
    await begun;
    const { context, leave } = leavingContext();
    const again = { ...request, configuration: undefined };
    const left = engine.sendMessage(again, context).catch((error: unknown) => error);
    leave();
    await left;
    turns[0]!.release();
    const events = engine.resubscribe({ tenant: "", id }, callContext());
    await Array.fromAsync(events).catch(() => undefined);
    assert.equal(textOf(await engine.getTask({ tenant: "", id }, callContext())), "1: x");
  });

  onStore("a turn goes on for who sends its message again as the first one leaves", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const request = sendRequest("x", { contextId: "c" });
    const { leave, left } = await askAndWait(engine, request, next);
    leave();
    const stays = ask(engine, request);
    await left;
    turns[0]!.release();
    assert.equal(textIn(await stays), "1: x");
  });
}

for (const name of storeNames.filter((store) => store !== "memory")) {
  testOpening(name, "a message answered elsewhere is answered the same", async (open) => {
    const request = sendRequest("a b", { contextId: crypto.randomUUID() });
    await using there = open();
    const first = await ask(newEngine(echo, { store: there }), request);
    await using here = open();
    const refuses = defineAgent({
      name: "echo",
      async *respond() {
        yield "";
        throw new WeftError("internal", "No second turn.");
      },
    });
    assert.deepEqual(await ask(newEngine(refuses, { store: here }), request), first);
  });
}

test("in memory an answer leaves no task behind", { timeout }, async () => {
  const engine = newEngine(echo);
  await ask(engine, "a");
  assert.equal(await tasksOf(engine), 0);
});

test("turns of one context follow each other, whatever they are answered with", { timeout }, async () => {
  const { agent, release, started } = heldAgent(["first"]);
  const both = defineAgent({
    name: "both",
    respond: (request, context) => (request.messages.length === 1 ? agent : recall).respond(request, context),
  });
  const engine = newEngine(both);
  const first = ask(engine, sendRequest("1", { contextId: "c" }));
  await started;
  const task = askForTask(engine, sendRequest("2", { contextId: "c", returnImmediately: true }));
  const third = ask(engine, sendRequest("3", { contextId: "c" }));
  await task;
  release();
  assert.equal(textIn(await first), "first");
  assert.match(textIn(await third), /^1\|\[first\]\|2\|\[.*\]\|3$/);
});

test("the choice may be each message's", { timeout }, async () => {
  const engine = newEngine(echo, {
    respondWith: ({ parts }) => (textIn({ parts }) === "quick" ? "message" : "task"),
  });
  assert.equal(textIn(await ask(engine, "quick")), "quick ");
  assert.equal(textOf(await askForTask(engine, "slow")), "slow ");
});

test("a choice that is none is refused where it is given", { timeout }, async () => {
  const options = { respondWith: "mesage" as "message" };
  await assert.rejects(
    serve(echo, options),
    (error: Error) => hasCode("invalid_argument")(error) && /respondWith/.test(error.message),
  );
});

test("a turn that takes too long is a failed task", { timeout }, async () => {
  const { agent } = countingAgent();
  const failed = await askForTask(newEngine(agent, { limits: { turnMs: 30 } }), "x");
  assert.equal(failed.status?.state, TaskState.TASK_STATE_FAILED);
  assert.equal(readHop(failed.metadata).error?.code, "deadline_exceeded");
});

test("turns without a task count as running: for the service, and for a caller", { timeout }, async () => {
  const { agent, turns, next } = countingAgent();
  const full = newEngine(agent, { limits: { runningTasks: 1 } });
  const begun = next();
  const first = ask(full, "x");
  await begun;
  assert.equal(full.runningCount, 1);
  await assert.rejects(ask(full, "y"), (error: Error) => /runningTasks/.test(error.message));
  turns[0]!.release();
  await first;
  assert.equal(full.runningCount, 0);
  const again = next();
  const held = newEngine(agent, { limits: { tasksPerCaller: 1 } });
  const second = ask(held, "x");
  await again;
  await assert.rejects(ask(held, "y"), (error: Error) => /tasksPerCaller/.test(error.message));
  turns[1]!.release();
  await second;
});

test("a drain waits for a turn, and fails it when its time is over", { timeout }, async () => {
  const { agent, turns, next } = countingAgent();
  const engine = newEngine(agent);
  const begun = next();
  const first = ask(engine, "x");
  await begun;
  const drained = engine.drain(AbortSignal.timeout(10_000));
  await assert.rejects(ask(engine, "y"), hasCode("unavailable"));
  turns[0]!.release();
  assert.equal(textIn(await first), "1: x");
  await drained;

  const late = newEngine(agent);
  const again = next();
  const second = askForTask(late, "x");
  await again;
  await late.drain(AbortSignal.timeout(20));
  const failed = await second;
  assert.equal(readHop(failed.metadata).error?.code, "unavailable");
});

test("a caller who left before its turn began costs no turn", { timeout }, async () => {
  const { agent, turns, next } = countingAgent();
  const engine = newEngine(agent);
  const begun = next();
  const first = ask(engine, sendRequest("1", { contextId: "c" }));
  await begun;
  const { context, leave } = leavingContext();
  const left = engine.sendMessage(sendRequest("2", { contextId: "c" }), context);
  leave();
  await assert.rejects(left, hasCode("aborted"));
  assert.equal(engine.runningCount, 1, "its place is free at once");
  const again = next();
  const third = ask(engine, sendRequest("3", { contextId: "c" }));
  turns[0]!.release();
  await first;
  await again;
  turns[1]!.release();
  assert.equal(textIn(await third), "2: 3");
  assert.equal(engine.runningCount, 0);
});

for (const binding of ["jsonrpc", "rest"] as const) {
  test(`${binding}: a stream that is long silent shows signs of life`, { timeout }, async () => {
    const { agent, turns, next } = countingAgent();
    await using service = await startService(agent, {
      respondWith: "message",
      limits: { keepAliveMs: 20 },
    });
    await using client = await connect(service.url, { binding, timeouts: { streamIdleMs: 200 } });
    const begun = next();
    const read: Promise<StreamResponse[]> = Array.fromAsync(client.sendMessageStream(sendRequest("x")));
    await begun;
    await new Promise((resolve) => setTimeout(resolve, 600));
    turns[0]!.release();
    const [event] = await read;
    assert.ok(event?.payload?.$case === "message");
    assert.equal(textIn(event.payload.value), "1: x");
  });
}
