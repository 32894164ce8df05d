import type { Expression, OperationName } from "./parse.ts";

/** An operand of a step: a number, or the result of an earlier step (0-based). */
export type Operand = { readonly number: number } | { readonly step: number };

/** One operation of a plan; a plan is what the calculator works off, one tool call a step. */
export interface Step {
  readonly name: OperationName;
  readonly operands: readonly Operand[];
}

const signs: Readonly<Record<OperationName, string>> = {
  add: "+",
  subtract: "-",
  multiply: "*",
  divide: "/",
  power: "^",
  remainder: "mod",
  root: "sqrt",
};

/** Innermost first: every step needs only numbers and the results of steps before it. */
export function planOf(expression: Expression): readonly Step[] {
  const steps: Step[] = [];
  const visit = (node: Expression): Operand => {
    if (node.type === "number") return { number: node.value };
    const operands = node.operands.map(visit);
    steps.push({ name: node.name, operands });
    return { step: steps.length - 1 };
  };
  visit(expression);
  return steps;
}

/** A plan as people and models read it, one line a step: `2. 13312 / #1`. */
export function formatPlan(steps: readonly Step[]): string {
  return steps.map((step, index) => `${index + 1}. ${formatStep(step)}`).join("\n");
}

function formatStep({ name, operands }: Step): string {
  const [left, right] = operands.map((operand) =>
    "number" in operand ? String(operand.number) : `#${operand.step + 1}`,
  );
  return right === undefined ? `${signs[name]} ${left}` : `${left} ${signs[name]} ${right}`;
}

const line = /^\s*\d+\. (?:(\S+) (\+|-|\*|\/|\^|mod) (\S+)|sqrt (\S+))\s*$/;

/** Reads back what {@link formatPlan} wrote; lines that are no step are passed over. */
export function readPlan(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const match of text.split("\n").map((row) => line.exec(row))) {
    if (match === null) continue;
    const [, left, sign, right, radicand] = match;
    const name = radicand === undefined ? nameOf(sign ?? "") : "root";
    const operands = (radicand === undefined ? [left, right] : [radicand]).map((text) =>
      operandOf(text ?? ""),
    );
    if (name !== undefined) steps.push({ name, operands });
  }
  return steps;
}

function nameOf(sign: string): OperationName | undefined {
  return (Object.keys(signs) as OperationName[]).find((name) => signs[name] === sign);
}

function operandOf(text: string): Operand {
  return text.startsWith("#") ? { step: Number(text.slice(1)) - 1 } : { number: Number(text) };
}
