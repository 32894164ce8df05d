import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GroupChat, createMessage, defineAgent } from "@weft/agents";
import type { Agent, ChatModel } from "@weft/agents";
import { findEligible } from "../src/group/eligibility.ts";
import { findMentions } from "../src/group/mentions.ts";
import { nextInOrder } from "../src/group/methods.ts";
import { checkTransitions } from "../src/group/transitions.ts";

const teamOf = (size: number): Agent[] =>
  Array.from({ length: size }, (_, index) =>
    defineAgent({
      name: `agent_${index}`,
      async *respond() {
        yield `word of ${index}`;
      },
    }),
  );

/** A team, a table over some of its members, and who spoke last. */
const teams = fc.integer({ min: 1, max: 6 }).chain((size) => {
  const member = fc.integer({ min: 0, max: size - 1 });
  return fc.record({
    agents: fc.constant(teamOf(size)),
    table: fc.dictionary(
      member.map((index) => `agent_${index}`),
      fc.uniqueArray(member).map((list) => list.map((index) => `agent_${index}`)),
    ),
    last: member,
    isAllowList: fc.boolean(),
  });
});

test("[G3] Random graphs: allowed and disallowed tables filter as they say, and a sink stays a sink", () => {
  fc.assert(
    fc.property(teams, ({ agents, table, last, isAllowList }) => {
      const options = isAllowList ? { allowedTransitions: table } : { disallowedTransitions: table };
      const graph = checkTransitions(options, agents)?.graph;
      const speaker = agents[last]!;
      const listed = Object.hasOwn(table, speaker.name) ? table[speaker.name]! : [];
      const { candidates, excluded } = findEligible(
        { agents, graph, allowRepeatSpeaker: true },
        speaker,
        createMessage("x"),
      );
      const expected = agents.filter(({ name }) => listed.includes(name) === isAllowList);
      assert.deepEqual(candidates, expected);
      assert.equal(candidates.length + excluded.length, agents.length);
    }),
  );
});

test("[G2] Random rules: nobody is eligible who may not repeat, and everyone left out is named once", () => {
  fc.assert(
    fc.property(teams, fc.boolean(), ({ agents, last }, allowRepeatSpeaker) => {
      const speaker = agents[last]!;
      const { candidates, excluded } = findEligible(
        { agents, graph: undefined, allowRepeatSpeaker },
        speaker,
        undefined,
      );
      assert.equal(candidates.includes(speaker), allowRepeatSpeaker);
      assert.equal(new Set([...candidates, ...excluded.map(({ agent }) => agent)]).size, agents.length);
    }),
  );
});

test("[G6] Round robin over a subset keeps the list's order and never starves anyone", () => {
  fc.assert(
    fc.property(teams, fc.infiniteStream(fc.boolean()), ({ agents }, coin) => {
      const subset = agents.filter(() => coin.next().value);
      if (subset.length === 0)
        return assert.throws(() => nextInOrder(agents, [], agents[0]), { code: "invalid_argument" });
      let speaker: Agent | undefined;
      const spoken = subset.map(() => (speaker = nextInOrder(agents, subset, speaker)));
      assert.deepEqual(spoken, subset);
    }),
  );
});

test("[G*] Random teams, graphs and selector answers never hang, keep to the rules and say why they ended", async () => {
  const run = async (
    given: { agents: Agent[]; table: Record<string, string[]>; last: number; isAllowList: boolean },
    answers: string[],
  ): Promise<void> => {
    const { agents, table, isAllowList } = given;
    let asked = 0;
    const answer = async (): Promise<{ text: string; toolCalls: []; finishReason: string }> => {
      return { text: answers[asked++ % answers.length]!, toolCalls: [], finishReason: "stop" };
    };
    const selectorModel: ChatModel = {
      provider: "weft.test",
      modelId: "random",
      generate: answer,
      async *stream() {
        yield { type: "finish", response: await answer() };
      },
    };
    const transitions = isAllowList ? { allowedTransitions: table } : { disallowedTransitions: table };
    const group = new GroupChat({ agents, selectorModel, maxRound: 8, ...transitions });
    const { history, endedBy } = await group.run("go").result;
    const graph = checkTransitions(transitions, agents)!.graph;
    for (let index = 2; index < history.length; index++) {
      const [before, now] = [index - 1, index].map((at) =>
        agents.find(({ name }) => name === history[at]?.name)!,
      );
      assert.ok(graph.get(before!)?.has(now!));
    }
    assert.equal(endedBy, history.length === 8 ? "maxRound" : "noEligibleSpeaker");
    assert.equal(new Set(history.map(({ id }) => id)).size, history.length);
  };
  const words = fc.array(fc.constantFrom("agent_0", "agent_1", "agent 2", "agent\\_3", "nobody", ","), {
    maxLength: 3,
  });
  const texts = fc.array(
    words.map((list) => list.join(" ")),
    { minLength: 1, maxLength: 5 },
  );
  process.removeAllListeners("warning");
  process.on("warning", () => undefined);
  await fc.assert(fc.asyncProperty(teams, texts, run), { numRuns: 60 });
});

test("[G5] Mentions: names are literals, with word borders, case and the readings of `_`", () => {
  const names = ["code_writer", "writer", "a.b", "Ann Lee", "(x"];
  const cases: readonly [string, readonly string[]][] = [
    ["code_writer", ["code_writer"]],
    ["Next: code writer.", ["code_writer"]],
    ["**code\\_writer**", ["code_writer"]],
    ["the writer", ["writer"]],
    ["Writer", []],
    ["underwriter, writers", []],
    ["code_writer or writer", ["code_writer", "writer"]],
    ["a.b", ["a.b"]],
    ["acb", []],
    ["Ann Lee", ["Ann Lee"]],
    ["Ann_Lee", []],
    ["(x", ["(x"]],
    ["", []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(findMentions(text, names), expected, text);
});

test("[G5] Mentions: a name between any borders is found, whatever characters it has", () => {
  const name = fc.string({ minLength: 1, maxLength: 12 }).filter((each) => !/[\\ ]/u.test(each));
  fc.assert(
    fc.property(name, fc.constantFrom(" ", "\n", '"', ", "), (each, border) => {
      assert.deepEqual(findMentions(`so${border}${each}${border}then`, [each]), [each]);
    }),
  );
});

test("[G5] Mentions: time is linear in the text", () => {
  const text = "a_".repeat(200_000);
  const startedAt = performance.now();
  findMentions(text, ["a_a_a_a_b", "a a", "_"]);
  assert.ok(performance.now() - startedAt < 2_000);
});
