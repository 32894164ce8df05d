import { AssistantAgent } from "@weft/agents";

import { deskModel } from "../model/desk-model.ts";

/** Breaks a question into steps of one operation each. */
export function createPlanner(): AssistantAgent {
  return new AssistantAgent({
    name: "planner",
    description: "Breaks an arithmetic question into numbered steps of one operation each. Speaks first.",
    systemMessage:
      "You plan arithmetic. Answer with a line 'Plan:' and then one numbered line per operation, innermost first, " +
      "such as '1. 230 - 20' and '2. 13312 / #1', where #1 is the result of step 1. Do not calculate. " +
      "If the question is not arithmetic, say in one sentence that it is not.",
    model: deskModel("planner"),
  });
}
