import { AssistantAgent } from "@weft/agents";

import { deskModel } from "../model/desk-model.ts";

/** Comes to the result by another way and compares. */
export function createChecker(): AssistantAgent {
  return new AssistantAgent({
    name: "checker",
    description: "Checks a result against the question by another way. Speaks after a result.",
    systemMessage:
      "You check. Work the question out by yourself and compare with the result given. " +
      "Answer 'Checked: ' and a short reason when it is right, 'Wrong: ' and what it should be when it is not.",
    model: deskModel("checker"),
  });
}
