import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunError } from "@weft/agents";
import { AssistantAgent, GroupChat, WeftError, defineAgent, messageText } from "@weft/agents";
import type { FakeRemoteOptions, FakeRemoteStep } from "@weft/agents/testing";
import { captureTraces, fakeRemote, scriptedModel, traceOf } from "@weft/agents/testing";
import { bearer } from "@weft/runtime";

const teamOf = (remote: Awaited<ReturnType<typeof fakeRemote>>, maxRound = 2) =>
  new GroupChat({ agents: [remote], speakerSelection: "roundRobin", maxRound });

for (const binding of ["jsonrpc", "rest", "ws"] as const) {
  test(`fakeRemote over ${binding}: a member as any remote one, streamed, with the whole hop, in one trace`, async () => {
    using _ = captureTraces();
    await using remote = await fakeRemote(["It is right.", ({ text }) => `again: ${text}`], {
      name: "checker",
      description: "checks",
      binding,
    });
    const planner = new AssistantAgent({ name: "planner", model: scriptedModel(["And now?"]) });
    const team = new GroupChat({ agents: [remote, planner], speakerSelection: "roundRobin", maxRound: 4 });
    const run = team.run("2 + 3 = 5?", {
      budget: { tokens: 1_000, deadlineMs: 60_000 },
      contextVariables: { colour: "red" },
    });
    const deltas: string[] = [];
    for await (const event of run)
      if (event.type === "text-delta" && event.from === "checker") deltas.push(event.text);
    const result = await run.result;
    assert.equal(result.text, "again: And now?");
    assert.equal(deltas.join(""), "It is right.again: And now?");
    assert.ok(deltas.length > 2);
    const [first, second] = remote.requests;
    assert.equal(first?.text, "2 + 3 = 5?");
    assert.deepEqual(first?.contextVariables, { colour: "red" });
    assert.equal(first?.conversationId, result.conversationId);
    assert.deepEqual([first?.hops, first?.budget?.tokens], [1, 1_000]);
    assert.ok((first?.deadline ?? 0) > Date.now());
    assert.equal(first?.traceparent?.split("-")[1], result.traceId);
    assert.equal(second?.contextId, first?.contextId);
    assert.equal(second?.messages.length, 3);
    const trace = traceOf(result);
    assert.deepEqual([trace.roots.length, trace.orphans.length], [1, 0]);
    assert.equal(trace.find("invoke_agent checker").length, 4);
  });
}

async function failureOf(options: FakeRemoteOptions, step: FakeRemoteStep) {
  await using remote = await fakeRemote([step], options);
  const run = teamOf(remote).run("go");
  const deltas: string[] = [];
  const error: unknown = await (async () => {
    for await (const event of run) if (event.type === "text-delta") deltas.push(event.text);
  })().catch((thrown: unknown) => thrown);
  return { error: error as RunError, text: deltas.join(""), requests: remote.requests.length };
}

test("fakeRemote: errors, refusals and breaks reach the chat as a real service's would", async () => {
  const thrown = await failureOf({}, { error: new WeftError("limit_exceeded", "too much") });
  assert.equal(thrown.error.code, "limit_exceeded");
  assert.match(thrown.error.message, /too much/u);
  for (const [binding, status, code] of [
    ["jsonrpc", 401, "unauthenticated"],
    ["rest", 503, "unavailable"],
    ["rest", 429, "limit_exceeded"],
  ] as const) {
    const refused = await failureOf({ binding }, { refuse: status });
    assert.deepEqual([refused.error.code, refused.requests], [code, 0]);
  }
  const late = await failureOf({ timeoutMs: 1_000 }, { text: "never", delayMs: 60_000 });
  assert.equal(late.error.code, "deadline_exceeded");
  for (const binding of ["jsonrpc", "rest", "ws"] as const) {
    const cut = await failureOf({ binding }, { text: "one two three four", dropAfter: 2 });
    assert.deepEqual([cut.error.code, cut.text], ["unavailable", "one two"]);
    const none = await failureOf({ binding }, { text: "one", dropAfter: 0 });
    assert.deepEqual([none.error.code, none.text], ["unavailable", ""]);
  }
});

test("fakeRemote: after a break the next call goes through, and sends what the break left unanswered", async () => {
  await using remote = await fakeRemote([{ text: "one two", dropAfter: 1 }, "whole"], { name: "r" });
  const team = teamOf(remote);
  const error: unknown = await team.run("first").result.catch((thrown: unknown) => thrown);
  const { history } = (error as RunError).result;
  assert.equal((await team.resume(history).result).history[1]?.content, "whole");
  assert.deepEqual(
    remote.requests.map(({ text }) => text),
    ["first", "first"],
  );
});

test("[N1] fakeRemote: leaving the loop cancels the remote's work", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using remote = await fakeRemote([
    {
      respond: async function* (_request, { signal }) {
        yield "working ";
        started.resolve(signal);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    },
  ]);
  for await (const event of teamOf(remote).run("go")) if (event.type === "text-delta") break;
  const signal = await started.promise;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert.equal(remote.requests[0]?.signal.aborted, true);
});

test("fakeRemote: an agent instead of a script, questions and all, behind a login", async () => {
  const asker = defineAgent({
    name: "asker",
    async *respond({ messages }) {
      if (messages.length > 1) return yield `So ${messageText(messages.at(-1)!)}.`;
      return yield { type: "input-required", id: "q", kind: "reply", agent: "asker", prompt: "Which?" };
    },
  });
  await using remote = await fakeRemote(asker, { auth: bearer("secret") });
  const run = teamOf(remote).run("go");
  for await (const event of run) if (event.type === "input-required") event.respond("red");
  assert.equal((await run.result).text, "So red.");
});

test("fakeRemote: a call beyond the script fails, steps left over are told, and ws cannot refuse", async () => {
  await using remote = await fakeRemote([]);
  await assert.rejects(teamOf(remote).run("go").result, {
    code: "failed_precondition",
    message: /not expected/u,
  });
  const left = await fakeRemote(["never"]);
  assert.throws(() => left.done(), { code: "failed_precondition", message: /1 of 1/u });
  await assert.rejects(async () => left[Symbol.asyncDispose](), { message: /1 of 1/u });
  await assert.rejects(fakeRemote([{ refuse: 503 }], { binding: "ws" }), { code: "invalid_argument" });
});
