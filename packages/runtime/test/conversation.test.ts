/** What a service keeps of a conversation, over its tasks. */
import assert from "node:assert/strict";
import { defineAgent, messageText } from "../src/agent/index.ts";
import type { TaskStore } from "../src/store/task-store.ts";
import { callContext, newEngine, textOf } from "./engine-support.ts";
import { storeNames, testOf, testOpening } from "./every-store.ts";
import { sendRequest } from "./requests.ts";
import { recall } from "./support.ts";

/** Says what it has seen so far, unless it is told to ask. */
const asksOrRecalls = defineAgent({
  name: "recall",
  async *respond(request, context) {
    if (messageText(request.messages.at(-1)!) === "ask")
      yield { type: "input-required", id: "q", kind: "reply", agent: "recall", prompt: "?" };
    else yield* recall.respond(request, context);
  },
});

for (const name of storeNames) {
  testOf(name)(
    "the answer to a question sees what was said since, and is seen by what follows",
    async (store) => {
      const engine = newEngine(asksOrRecalls, { store });
      const contextId = crypto.randomUUID();
      const say = (text: string, taskId = "") =>
        engine.sendMessage(sendRequest(text, { contextId, taskId }), callContext());
      const asked = await say("ask");
      await say("two");
      const answered = await say("three", asked.id);
      assert.equal(textOf(answered), "ask|two|[ask|two]|three");
      const last = await say("four");
      assert.equal(textOf(last), `ask|two|[ask|two]|three|[${textOf(answered)}]|four`);
    },
  );
}

/** Counts in its session, unless it is told to ask. */
const counts = defineAgent({
  name: "counts",
  async *respond({ messages }, { session }) {
    if (messageText(messages.at(-1)!) === "ask")
      yield { type: "input-required", id: "q", kind: "reply", agent: "counts", prompt: "?" };
    else yield `${(session.state = Number(session.state ?? 0) + 1)}`;
  },
});

/** Says how many messages it has seen, and what it was told. */
const heard = defineAgent({
  name: "heard",
  async *respond({ messages }) {
    const told = messages.filter(({ role }) => role === "user").map(messageText);
    yield `${messages.length}: ${told.join(" ")}`;
  },
});

/** How many messages each look at a conversation brought. */
function countReads(store: TaskStore): number[] {
  const reads: number[] = [];
  const read = store.context.bind(store);
  store.context = async (...given) => {
    const stored = await read(...given);
    reads.push(stored?.history.length ?? 0);
    return stored;
  };
  return reads;
}

for (const name of storeNames.filter((store) => store !== "memory")) {
  testOpening(name, "two processes hold one conversation in turn, and read what is new", async (open) => {
    await using one = open();
    await using other = open();
    const reads = [countReads(one), countReads(other)];
    const engines = [one, other].map((store) => newEngine(heard, { store }));
    const contextId = crypto.randomUUID();
    const said: string[] = [];
    for (let turn = 0; turn < 24; turn++) {
      // Two turns here, two there.
      const engine = engines[Math.floor(turn / 2) % 2]!;
      said.push(`${turn}`);
      const answer = await engine.sendMessage(sendRequest(`${turn}`, { contextId }), callContext());
      assert.equal(textOf(answer), `${said.length * 2 - 1}: ${said.join(" ")}`);
    }
    // Its own last message, and two turns of the other's.
    assert.ok(Math.max(...reads.flat()) <= 5, `at most five messages at a time, not ${reads.join(" and ")}`);
  });

  testOpening(name, "a conversation that was forgotten elsewhere begins anew", async (open) => {
    await using one = open();
    await using other = open();
    const scope = crypto.randomUUID();
    const engine = newEngine(recall, { store: one, scope });
    const contextId = crypto.randomUUID();
    const say = async (text: string) =>
      textOf(await engine.sendMessage(sendRequest(text, { contextId }), callContext()));
    await say("one");
    await other.prune(scope, { before: Number.MAX_SAFE_INTEGER, keep: 0 });
    assert.equal(await say("two"), "two");
    assert.equal(await say("three"), "two|[two]|three");
  });

  testOpening(name, "a task that is canceled takes nothing back of what others did since", async (open) => {
    await using one = open();
    await using other = open();
    const scope = crypto.randomUUID();
    const engines = [one, other].map((store) => newEngine(counts, { store, scope }));
    const contextId = crypto.randomUUID();
    const say = (at: number, text: string) =>
      engines[at]!.sendMessage(sendRequest(text, { contextId }), callContext());
    const asked = await say(0, "ask");
    assert.equal(textOf(await say(1, "go")), "1");
    await engines[0]!.cancelTask({ tenant: "", id: asked.id, metadata: undefined }, callContext());
    assert.equal(textOf(await say(1, "go")), "2");
  });
}
