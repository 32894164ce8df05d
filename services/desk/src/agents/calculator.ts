import { AssistantAgent, tool } from "@weft/agents";

import { calculate, operations } from "../arithmetic/operations.ts";
import { deskModel } from "../model/desk-model.ts";

/** Works a plan off, one tool call an operation; the result of one feeds the next. */
export function createCalculator(): AssistantAgent {
  return new AssistantAgent({
    name: "calculator",
    description: "Works off a plan step by step with its tools and says the result. Speaks after a plan.",
    systemMessage:
      "You calculate. Work off the plan with your tools, one call an operation, never in your head; the result of a " +
      "step feeds the next. Then answer 'Result: ' and the last result as the tool gave it, nothing else.",
    model: deskModel("calculator"),
    tools: Object.values(operations).map(({ name, description, operands }) =>
      tool({
        name,
        description,
        parameters: {
          type: "object",
          properties: Object.fromEntries(operands.map((operand) => [operand, { type: "number" }])),
          required: operands,
          additionalProperties: false,
        },
        execute: (values: Readonly<Record<string, unknown>>) =>
          calculate(
            name,
            operands.map((operand) => Number(values[operand])),
          ),
      }),
    ),
  });
}
