/** Agents that answer with messages: what hostile agents and unlucky networks do to them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { TaskState } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { WeftError } from "@weft/tracing";
import { readHop } from "../src/a2a/hop.ts";
import { defineAgent, messageText } from "../src/agent/index.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import { callContext } from "./engine-support.ts";
import { storeNames, testOf, testOpening } from "./every-store.ts";
import { ask, askForTask, countingAgent, giveUp, newEngine, textIn } from "./message-engine.ts";
import { listRequest, sendRequest } from "./requests.ts";
import { echo, gate, hasCode } from "./support.ts";

const timeout = 20_000;

for (const name of storeNames) {
  const onStore = testOf(name);

  onStore("a message that was given up and then answered is answered the same ever after", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const request = sendRequest("x", { contextId: crypto.randomUUID() });
    await giveUp(engine, request, next);
    const again = next();
    const asked = ask(engine, request);
    await again;
    turns[1]!.release();
    const answer = await asked;
    assert.deepEqual(await ask(engine, request), answer);
    assert.equal(turns.length, 2);
  });

  onStore("a message that comes again after it was given up is new to the agent", async (store) => {
    const { agent, next, turns } = countingAgent();
    const news: (readonly string[])[] = [];
    const listens = defineAgent({
      name: "listens",
      respond: (request, context) => {
        news.push(request.messages.slice(request.newFrom).map(messageText));
        return agent.respond(request, context);
      },
    });
    const engine = newEngine(listens, { store });
    const request = sendRequest("x", { contextId: crypto.randomUUID() });
    await giveUp(engine, request, next);
    const again = next();
    const asked = ask(engine, request);
    await again;
    turns[1]!.release();
    await asked;
    assert.deepEqual(news, [["x"], ["x"]]);
  });

  onStore("a question that is not JSON is a failed task, and costs no other", async (store) => {
    const asks = defineAgent({
      name: "asks",
      async *respond() {
        const candidates = [1n] as unknown as string[];
        yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?", candidates };
      },
    });
    const engine = newEngine(asks, { store });
    const failed = await askForTask(engine, "x");
    assert.equal(failed.status?.state, TaskState.TASK_STATE_FAILED);
    assert.match(textIn(failed.status.message!), /input-required.*not JSON/);
    const { tasks } = await engine.listTasks(listRequest(), callContext());
    assert.match(JSON.stringify(tasks), new RegExp(failed.id));
  });

  onStore("text that was taken back is no reply", async (store) => {
    const retracts = defineAgent({
      name: "retracts",
      async *respond() {
        yield { type: "text-delta", text: "no", messageId: "m" } as const;
        yield { type: "reset", messageId: "m" } as const;
      },
    });
    const done = await askForTask(newEngine(retracts, { store }), "x");
    assert.equal(done.status?.state, TaskState.TASK_STATE_COMPLETED);
  });

  onStore("the same message id in two contexts, or of two owners, is two messages", async (store) => {
    const { agent, turns, next } = countingAgent();
    const engine = newEngine(agent, { store });
    const messageId = crypto.randomUUID();
    const contextId = crypto.randomUUID();
    const calls = [
      [sendRequest("x", { messageId, contextId }), callContext()],
      [sendRequest("x", { messageId, contextId: crypto.randomUUID() }), callContext()],
      [sendRequest("x", { messageId, contextId }), callContext({}, "ann")],
    ] as const;
    for (const [number, [request, context]] of calls.entries()) {
      const begun = next();
      const asked = ask(engine, request, context);
      await begun;
      turns[number]!.release();
      assert.equal(textIn(await asked), `${number + 1}: x`);
    }
  });
}

for (const name of storeNames.filter((store) => store !== "memory")) {
  testOpening(name, "a process that dies loses no answer, and it is one", async (open) => {
    await using there = open();
    await using here = open();
    const limits = { leaseMs: 200 };
    const { agent: held, next } = countingAgent();
    const begun = next();
    const request = sendRequest("a b", { contextId: crypto.randomUUID() });
    // It never says that it lives: it is as good as gone.
    const dying = newEngine({ ...held, name: "echo" }, { store: there, limits });
    const unanswered = dying.sendMessage(request, callContext());
    await begun;
    const engine = newEngine(echo, { store: here, limits });
    engine.start();
    const answer = await ask(engine, request);
    assert.equal(textIn(answer), "a b ");
    assert.deepEqual(await ask(engine, request), answer);
    await Promise.all([engine, dying].map((each) => each.drain(AbortSignal.abort())));
    await unanswered;
  });
}

test("a turn that is over is kept by nobody, also where its message came twice", { timeout }, async () => {
  const held = gate();
  const started = gate<WeakRef<AbortSignal>>();
  const engine = newEngine(
    defineAgent({
      name: "held",
      async *respond(_request, { signal }) {
        started.resolve(new WeakRef(signal));
        await held.promise;
        yield "done";
      },
    }),
  );
  const request = sendRequest("x", { contextId: "c" });
  const both = Promise.all([ask(engine, request), ask(engine, request)]);
  const kept = await started.promise;
  held.resolve();
  await both;
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let tries = 0; tries < 20 && kept.deref(); tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.equal(kept.deref(), undefined);
  assert.equal(textIn(await ask(engine, request)), "done");
});

test("a store that fails as a question is made a task costs the process nothing", { timeout }, async () => {
  const asks = defineAgent({
    name: "asks",
    async *respond() {
      yield { type: "input-required", id: "q", kind: "reply", agent: "asks", prompt: "?" };
    },
  });
  const store = memoryStore();
  store.commit = async () => {
    throw new WeftError("unavailable", "The store is gone.");
  };
  const engine = newEngine(asks, { store });
  for (const text of ["one", "two"]) {
    const asked = askForTask(engine, sendRequest(text, { contextId: "c" }));
    await assert.rejects(asked, hasCode("unavailable"));
  }
  assert.equal(engine.runningCount, 0);
});

test("a choice is asked of messages only, and only its two answers count", { timeout }, async () => {
  let asked = 0;
  const engine = newEngine(echo, {
    respondWith: ({ parts }) => {
      asked++;
      const word = textIn({ parts });
      if (word === "closed") throw new WeftError("unavailable", "Not today.");
      return word as "message";
    },
  });
  for (const broken of [sendRequest("message", { parts: [] }), sendRequest("message", { messageId: "" })])
    await assert.rejects(ask(engine, broken), RequestMalformedError);
  assert.equal(asked, 0);
  await assert.rejects(ask(engine, "closed"), hasCode("unavailable"));
  await assert.rejects(ask(engine, "mesage"), /respondWith chose mesage/);
  assert.equal(textIn(await ask(engine, "message")), "message ");
  asked = 0;
  await Array.fromAsync(engine.sendMessageStream(sendRequest("message"), callContext()));
  assert.equal(asked, 1, "once for each message");
  assert.equal(engine.runningCount, 0);
});

test("whatever an agent throws, the turns after it in its context run", { timeout }, async () => {
  const throws: readonly unknown[] = [undefined, "text", new TypeError("x"), { code: 1 }];
  let turn = 0;
  const hostile = {
    name: "hostile",
    respond: () => {
      if (turn < throws.length) throw throws[turn++];
      return echo.respond({ messages: [], newFrom: 0, contextVariables: {} }, undefined as never);
    },
  };
  const engine = newEngine(hostile);
  for (const _ of throws) {
    const failed = await askForTask(engine, sendRequest("x", { contextId: "c" }));
    assert.equal(readHop(failed.metadata).error?.code, "internal");
  }
  assert.equal(engine.runningCount, 0);
});
