import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { calculate, evaluate } from "../src/arithmetic/operations.ts";
import { parseQuestion, type Expression } from "../src/arithmetic/parse.ts";
import { formatPlan, planOf, readPlan, type Operand, type Step } from "../src/arithmetic/plan.ts";

const valueOf = (question: string): number | undefined => {
  const expression = parseQuestion(question);
  return expression && evaluate(expression);
};

test("arithmetic is read as people write it", () => {
  const sums: readonly (readonly [string, number])[] = [
    ["What is (44231 + 13312 / (230 - 20)) * 4?", (44231 + 13312 / 210) * 4],
    ["2 + 3 * 4", 14],
    ["what's 2 plus 3 times 4", 14],
    ["How much is 1,234.5 minus .5?", 1234],
    ["Please calculate 12 divided by 4", 3],
    ["2^3^2", 512],
    ["-2 ** 2", -4],
    ["-(3 + 4)", -7],
    ["15% of 80", 12],
    ["15 percent of 80 =", 12],
    ["17 mod 5", 2],
    ["17 % 5", 2],
    ["sqrt(16) + √9", 7],
    ["the square root of 2 is", Math.SQRT2],
    ["2(3 + 4)", 14],
    ["6 × 7 ÷ 2 − 1", 20],
    ["3 x 4", 12],
    ["1e3 / 10", 100],
    ["5", 5],
  ];
  for (const [question, expected] of sums) assert.equal(valueOf(question), expected, question);
});

test("what is not wholly arithmetic is not guessed at", () => {
  const others = [
    "What is the capital of France?",
    "What happened in 1999?",
    "5 apples plus 3",
    "",
    "?",
    "2 +",
    "(2",
  ];
  for (const question of [...others, "2 + + * 3", "1 2", "(".repeat(1000), "9".repeat(5000)]) {
    assert.equal(parseQuestion(question), undefined, question.slice(0, 40));
  }
});

test("an operation without a finite result says so", () => {
  assert.throws(() => calculate("divide", [1, 0]), /Division by zero/);
  assert.throws(() => calculate("root", [-1]), /no finite result/);
});

test("a plan does one operation a step and comes back from its text unchanged", () => {
  const expression = parseQuestion("(44231 + 13312 / (230 - 20)) * 4") as Expression;
  const plan = planOf(expression);
  assert.equal(formatPlan(plan), "1. 230 - 20\n2. 13312 / #1\n3. 44231 + #2\n4. #3 * 4");
  assert.deepEqual(readPlan(`Plan:\n${formatPlan(plan)}\nThen check.`), plan);
});

test("working a plan off step by step gives what evaluating the whole gives", () => {
  // Adding 0 makes -0 a 0: a plan's text has no sign for nothing.
  const leaf = fc
    .double({ noNaN: true, min: -1e6, max: 1e6 })
    .map((value): Expression => ({ type: "number", value: value + 0 }));
  const { node } = fc.letrec<{ node: Expression }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc
        .tuple(fc.constantFrom("add", "subtract", "multiply"), tie("node"), tie("node"))
        .map(([name, left, right]): Expression => ({ type: "operation", name, operands: [left, right] })),
    ),
  }));
  fc.assert(
    fc.property(node, (expression) => {
      const results: number[] = [];
      const valueOfOperand = (operand: Operand) =>
        "number" in operand ? operand.number : (results[operand.step] ?? NaN);
      for (const step of readPlan(formatPlan(planOf(expression))) as Step[])
        results.push(calculate(step.name, step.operands.map(valueOfOperand)));
      assert.equal(results.at(-1) ?? evaluate(expression), evaluate(expression));
    }),
  );
});
