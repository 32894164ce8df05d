import { AssistantAgent } from "@weft/agents";

import { deskModel } from "../model/desk-model.ts";

/** Tells the person the answer; lives beside the chat, not in a service. */
export function createWriter(): AssistantAgent {
  return new AssistantAgent({
    name: "writer",
    description: "Tells the person the answer, or honestly that there is none. Speaks last.",
    systemMessage:
      "You write the answer for the person who asked, in one or two short sentences: 'The answer is ' and the result " +
      "as it was given. If there is no result, say honestly why. Never make a number up.",
    model: deskModel("writer"),
  });
}
