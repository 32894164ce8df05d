import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { ConversableAgent, registerFunction, tool } from "@weft/agents";
import type { StandardSchema, Tool } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
import { ignoredKeywords, validateJson } from "../src/tool/json-schema.ts";

/** What the model is told after calling `calls` of an agent that has `tools`. */
async function responses(
  tools: readonly Tool[],
  calls: readonly { name: string; arguments: unknown }[],
): Promise<readonly string[]> {
  using model = scriptedModel([{ toolCalls: calls }, "done"]);
  const agent = new ConversableAgent({ name: "agent", model, tools });
  assert.equal((await agent.run("go").result).text, "done");
  return model.calls[1]?.messages.at(-1)?.toolResponses?.map(({ content }) => content) ?? [];
}

const square = tool({
  name: "square",
  description: "squares",
  parameters: z.object({ n: z.number() }),
  execute: ({ n }) => n * n,
});

test("[O2] A tool takes any Standard Schema or a JSON Schema, and types its arguments", async () => {
  const json = tool({
    name: "join",
    description: "joins",
    parameters: {
      type: "object",
      properties: { list: { type: "array", items: { type: "string" } } },
      required: ["list"],
    },
    execute: ({ list }) => (list as string[]).join("-"),
  });
  assert.deepEqual(
    await responses(
      [square, json],
      [
        { name: "square", arguments: { n: 4 } },
        { name: "join", arguments: { list: ["a", "b"] } },
      ],
    ),
    ["16", "a-b"],
  );
  assert.deepEqual(Object.keys(square.schema.json), ["type", "properties", "required"]);
});

test("[O2] A tool without a description or with a schema that has no JSON form is refused with the remedy", () => {
  assert.throws(() => tool({ name: "x", description: " ", execute: () => 1 }), {
    code: "invalid_argument",
    message: /description/u,
  });
  const odd: StandardSchema = {
    "~standard": { version: 1, vendor: "odd", validate: (value) => ({ value }) },
  };
  assert.throws(() => tool({ name: "x", description: "x", parameters: odd, execute: () => 1 }), {
    code: "invalid_argument",
    message: /odd.*JSON Schema/u,
  });
});

test("[O3] Unknown tool, bad JSON, schema failure, throw and a result JSON cannot say are each an error text", async () => {
  const thrower = tool({
    name: "thrower",
    description: "throws",
    execute: () => {
      throw new TypeError("no luck");
    },
  });
  const circular = tool({
    name: "circular",
    description: "turns",
    execute: () => {
      const it: { it?: unknown } = {};
      it.it = it;
      return it;
    },
  });
  const texts = await responses(
    [square, thrower, circular],
    [
      { name: "cube", arguments: {} },
      { name: "square", arguments: "{ n: 4" },
      { name: "square", arguments: { n: "four" } },
      { name: "thrower", arguments: {} },
      { name: "circular", arguments: {} },
      { name: "square", arguments: { n: 3 } },
    ],
  );
  const expected = [
    /no tool "cube".*square/u,
    /not valid JSON/u,
    /n: .*number/u,
    /no luck/u,
    /JSON cannot say/u,
    /^9$/u,
  ];
  for (const [index, pattern] of expected.entries()) assert.match(texts[index] ?? "", pattern);
});

test("[O3] Calls of a message run concurrently and are answered in order", async () => {
  const { promise: second, resolve } = Promise.withResolvers<string>();
  const first = tool({ name: "first", description: "waits for the second", execute: () => second });
  const other = tool({
    name: "other",
    description: "frees the first",
    execute: () => {
      resolve("freed");
      return "freeing";
    },
  });
  assert.deepEqual(
    await responses(
      [first, other],
      [
        { name: "first", arguments: {} },
        { name: "other", arguments: {} },
      ],
    ),
    ["freed", "freeing"],
  );
});

test("[O4] Names are made what every provider accepts, on both sides", async () => {
  const odd = tool({ name: "weather in Köln?", description: "rains", execute: () => "rain" });
  assert.equal(odd.name, "weather_in_K_ln_");
  assert.deepEqual(await responses([odd], [{ name: "weather in Köln?", arguments: {} }]), ["rain"]);
});

test("A tool is told the chat's variables, its call's id and a signal", async () => {
  const seen: unknown[] = [];
  const spy = tool({
    name: "spy",
    description: "looks",
    execute: (_, { contextVariables, toolCallId, idempotencyKey, agent, signal }) => {
      seen.push(
        contextVariables["user"],
        toolCallId,
        idempotencyKey.endsWith(`/${toolCallId}`),
        agent,
        signal.aborted,
      );
      contextVariables["seen"] = true;
    },
  });
  const model = scriptedModel([{ toolCalls: [{ name: "spy", arguments: {}, id: "c9" }] }, "ok"]);
  const given = { user: "ann" };
  const result = await new ConversableAgent({ name: "a", model, tools: [spy] }).run("go", {
    contextVariables: given,
  }).result;
  assert.deepEqual(seen, ["ann", "c9", true, "a", false]);
  assert.deepEqual([result.contextVariables, given], [{ user: "ann", seen: true }, { user: "ann" }]);
});

test("registerFunction does both halves; a second tool of one name is refused", () => {
  const agent = new ConversableAgent({ name: "a", humanInputMode: "NEVER" });
  registerFunction(square, { caller: agent, executor: agent });
  assert.ok(agent.canRunTool("square"));
  assert.throws(
    () => agent.registerForLLM(tool({ name: "square", description: "another", execute: () => 0 })),
    { code: "already_exists" },
  );
});

test("JSON Schema: the keywords that tools use are checked, and the others are named", () => {
  const cases: readonly [object, unknown, boolean][] = [
    [{ type: "integer" }, 1.5, false],
    [{ type: ["string", "null"] }, null, true],
    [{ enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, true],
    [{ const: 3 }, 4, false],
    [{ type: "object", properties: { a: {} }, additionalProperties: false }, { b: 1 }, false],
    [{ minimum: 1, exclusiveMaximum: 3 }, 3, false],
    [{ minLength: 2 }, "😀", false],
    [{ pattern: "^a+$" }, "aaa", true],
    [{ items: { type: "number" }, maxItems: 2, uniqueItems: true }, [1, 1], false],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, true, false],
    [{ oneOf: [{ minimum: 1 }, { maximum: 5 }] }, 3, false],
    [{ not: { type: "string" } }, 1, true],
    [{ multipleOf: 0.1 }, 0.3, true],
    [
      {
        $defs: { tree: { type: "object", properties: { next: { $ref: "#/$defs/tree" } } } },
        $ref: "#/$defs/tree",
      },
      { next: { next: 7 } },
      false,
    ],
    [{ properties: { constructor: { type: "string" } }, required: ["constructor"] }, {}, false],
  ];
  for (const [schema, value, isValid] of cases) {
    assert.equal(
      validateJson(schema as Record<string, unknown>, value).length === 0,
      isValid,
      JSON.stringify(schema),
    );
  }
  assert.deepEqual(ignoredKeywords({ if: {}, properties: { a: { contains: {}, description: "x" } } }), [
    "contains",
    "if",
  ]);
});
