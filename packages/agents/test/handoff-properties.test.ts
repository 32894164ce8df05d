import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ConversableAgent,
  GroupChat,
  defineAgent,
  handoff,
  initiateChats,
  target,
  tool,
  ReplyResult,
} from "@weft/agents";
import type { GraphChat, Target } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";

const names = ["a", "b", "c", "d"] as const;

const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  fc.constantFrom<Target>(...names),
  fc.constantFrom<Target>(target.terminate, target.stay, target.random, target.revertToUser),
  fc.constantFrom<Target>(...names).map((name) => target.by(() => name)),
);

interface Plan {
  readonly afterWork: Target | undefined;
  readonly when: Target | undefined;
  readonly isTaken: boolean;
  readonly redirect: Target | undefined;
}

const maybe = fc.option(anyTarget, { nil: undefined });
const anyPlan: fc.Arbitrary<Plan> = fc.record({
  afterWork: maybe,
  when: maybe,
  isTaken: fc.boolean(),
  redirect: maybe,
});

function member(name: string, plan: Plan): ConversableAgent {
  const send = tool({
    name: "send",
    description: "sends",
    execute: () =>
      new ReplyResult({ message: "sent", ...(plan.redirect === undefined ? {} : { target: plan.redirect }) }),
  });
  let count = 0;
  const next = () =>
    count++ % 2 === 0 ? { toolCalls: [{ name: "send", arguments: {} }] } : `${name} speaks`;
  return new ConversableAgent({
    name,
    humanInputMode: "NEVER",
    model: scriptedModel(Array.from({ length: 60 }, () => next)),
    tools: [send],
    ...(plan.afterWork === undefined ? {} : { afterWork: plan.afterWork }),
    ...(plan.when === undefined ? {} : { handoffs: [handoff(plan.when, { when: () => plan.isTaken })] }),
  });
}

test("[H*] Random teams of handoffs never hang, speak only by members, and always say why they ended", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyPlan, { minLength: 4, maxLength: 4 }),
      maybe,
      fc.integer({ min: 1, max: 8 }),
      async (plans, afterWork, maxRound) => {
        const agents = names.map((name, index) => member(name, plans[index]!));
        const user = defineAgent({
          name: "user",
          async *respond() {
            yield "hm";
          },
        });
        const group = new GroupChat({
          agents,
          user,
          speakerSelection: "handoffs",
          initialAgent: "a",
          maxRound,
          ...(afterWork === undefined ? {} : { afterWork }),
        });
        const run = group.run("go");
        const ended = await run.result.catch(
          (error: unknown) => error as { code: string; result: { endedBy: string } },
        );
        if ("code" in ended) {
          // The one error there may be: contexts that hand off in a circle.
          assert.equal(ended.code, "failed_precondition");
          return;
        }
        assert.ok(["termination", "maxRound"].includes(ended.endedBy), ended.endedBy);
        assert.ok(ended.history.length <= maxRound);
        for (const message of ended.history) assert.ok([...names, "user"].includes(message.name as "a"));
        assert.equal(new Set(ended.history.map(({ id }) => id)).size, ended.history.length);
      },
    ),
    { numRuns: 150 },
  );
});

test("[C5] Random graphs of chats: every chat runs once, after all it waits for, or not at all", async () => {
  const anyGraph = fc
    .array(fc.record({ fails: fc.boolean(), waits: fc.array(fc.nat(7), { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((nodes) =>
      nodes.map(({ fails, waits }, index) => ({
        fails,
        waits: [...new Set(waits.filter((each) => each < index))],
      })),
    );
  await fc.assert(
    fc.asyncProperty(anyGraph, async (nodes) => {
      const order: number[] = [];
      const sender = new ConversableAgent({ name: "sender" });
      const chats = nodes.map(({ fails, waits }, index): GraphChat => {
        const recipient = defineAgent({
          name: `n${index}`,
          async *respond() {
            order.push(index);
            if (fails) throw new TypeError("fails");
            yield "done";
          },
        });
        return {
          id: `n${index}`,
          prerequisites: waits.map((each) => `n${each}`),
          sender,
          recipient,
          message: "go",
          maxTurns: 1,
        };
      });
      await initiateChats(chats).catch(() => undefined);
      assert.equal(new Set(order).size, order.length);
      const isBlocked = (index: number): boolean =>
        nodes[index]!.waits.some((each) => nodes[each]!.fails || isBlocked(each));
      for (const [index, { waits }] of nodes.entries()) {
        assert.equal(order.includes(index), !isBlocked(index));
        for (const each of waits)
          if (order.includes(index)) assert.ok(order.indexOf(each) < order.indexOf(index));
      }
    }),
    { numRuns: 60 },
  );
});

test("[N2] Random suspensions: a chat that is put away at any question comes to what it would have come to", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("go on", "", "more"), { minLength: 1, maxLength: 4 }),
      async (answers) => {
        const make = () => {
          const user = new ConversableAgent({
            name: "user",
            humanInputMode: "ALWAYS",
            defaultAutoReply: "auto",
          });
          const bob = new ConversableAgent({ name: "bob", humanInputMode: "NEVER" }).registerReply(
            () => true,
            (messages) => ({ final: true, reply: `b${messages.length}` }),
          );
          return { user, bob };
        };
        const all = [...answers, "exit"];
        const straight = make();
        let next = 0;
        const run = straight.user.run("Hi", { recipient: straight.bob });
        for await (const event of run)
          if (event.type === "input-required") event.respond(all[next++] ?? "exit");
        const expected = await run.result;
        const first = make();
        let chat = await first.user.initiateChat(first.bob, { message: "Hi" });
        for (const answer of all) {
          assert.equal(chat.endedBy, "suspended");
          const later = make();
          const state = JSON.stringify(chat.state);
          chat = await later.user.resume(state, {
            recipient: later.bob,
            answers: { [chat.pending[0]!.id]: answer },
          }).result;
        }
        assert.deepEqual(
          chat.history.map(({ content }) => content),
          expected.history.map(({ content }) => content),
        );
        assert.equal(chat.endedBy, expected.endedBy);
        assert.deepEqual(chat.humanInput, expected.humanInput);
      },
    ),
    { numRuns: 30 },
  );
});
