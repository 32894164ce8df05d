/*
 * Asks a human who speaks next (SEMANTICS G6).
 */
import type { Agent } from "@weft/runtime/agent";
import { toText } from "../agent/human-input.ts";
import type { Choice, SelectionState } from "./selection.ts";

const maxAttempts = 3;

/**
 * The one a human names, by number or name. Three bad answers, an empty one or `q`: undefined, and a model is asked.
 * `group`: who asks.
 */
export async function askHumanSelector(
  group: string,
  candidates: readonly Agent[],
  ask: SelectionState["ask"],
): Promise<Choice | undefined> {
  const names = candidates.map(({ name }) => name);
  const list = names.map((name, index) => `${index + 1}: ${name}`).join("\n");
  const prompt = `Who speaks next? A number or a name; empty or q leaves it to the model.\n${list}`;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const answered = await ask({ kind: "speaker", agent: group, prompt, candidates: names });
    if (typeof answered !== "object") {
      return { speaker: undefined, reason: "a human must say who", endedBy: "suspended" };
    }
    const answer = toText(answered.answer).trim();
    if (answer === "" || answer.toLowerCase() === "q") return undefined;
    const speaker = candidates.find(({ name }) => name === answer) ?? candidates[Number(answer) - 1];
    if (speaker) return { speaker, reason: "chosen by a human" };
  }
  return undefined;
}
