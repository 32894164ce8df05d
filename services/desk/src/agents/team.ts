import { GroupChat } from "@weft/agents";
import type { Agent } from "@weft/runtime/agent";

import { deskModel } from "../model/desk-model.ts";

/** The members of the desk; all but the writer live in services of their own. */
export interface Members {
  readonly planner: Agent;
  readonly calculator: Agent;
  readonly checker: Agent;
  readonly writer: Agent;
}

/** The chat: a plan, its working off, a check, and an answer. It ends when the writer has spoken. */
export function createTeam({ planner, calculator, checker, writer }: Members): GroupChat {
  return new GroupChat({
    name: "desk",
    agents: [planner, calculator, checker, writer],
    speakerSelection: "auto",
    selectorModel: deskModel("selector"),
    allowedTransitions: {
      planner: ["calculator", "checker", "writer"],
      calculator: ["checker", "writer"],
      checker: ["calculator", "writer"],
      writer: [],
    },
    maxRound: 12,
    isTerminationMessage: (message) => message.name === "writer",
  });
}
