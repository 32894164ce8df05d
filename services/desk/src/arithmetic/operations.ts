import { WeftError } from "@weft/tracing";

import type { Expression, OperationName } from "./parse.ts";

interface Operation {
  readonly name: OperationName;
  readonly description: string;
  /** Names of the operands, in order. */
  readonly operands: readonly string[];
  readonly compute: (...values: readonly number[]) => number;
}

/** What the calculator can do: each becomes a tool of its own, so each step of a sum is seen in the trace. */
export const operations: Readonly<Record<OperationName, Operation>> = {
  add: define("add", "Adds two numbers.", ["a", "b"], (a = NaN, b = NaN) => a + b),
  subtract: define("subtract", "Subtracts b from a.", ["a", "b"], (a = NaN, b = NaN) => a - b),
  multiply: define("multiply", "Multiplies two numbers.", ["a", "b"], (a = NaN, b = NaN) => a * b),
  divide: define("divide", "Divides a by b.", ["a", "b"], (a = NaN, b = NaN) => a / nonZero(b)),
  power: define("power", "Raises a to the power of b.", ["a", "b"], (a = NaN, b = NaN) => a ** b),
  remainder: define(
    "remainder",
    "The remainder of a divided by b.",
    ["a", "b"],
    (a = NaN, b = NaN) => a % nonZero(b),
  ),
  root: define("root", "The square root of a.", ["a"], (a = NaN) => Math.sqrt(a)),
};

/** Applies one operation. Throws `invalid_argument` where there is no finite result. */
export function calculate(name: OperationName, values: readonly number[]): number {
  const result = operations[name].compute(...values);
  if (Number.isFinite(result)) return result;
  throw new WeftError("invalid_argument", `${name} of ${values.join(" and ")} has no finite result.`);
}

/** Evaluates a whole expression at once: the checker's own way to the result, apart from the calculator's steps. */
export function evaluate(expression: Expression): number {
  if (expression.type === "number") return expression.value;
  return calculate(expression.name, expression.operands.map(evaluate));
}

function define(
  name: OperationName,
  description: string,
  operands: readonly string[],
  compute: (...values: readonly number[]) => number,
): Operation {
  return { name, description, operands, compute };
}

function nonZero(divisor: number): number {
  if (divisor === 0) throw new WeftError("invalid_argument", "Division by zero has no result.");
  return divisor;
}
