import { messageText, type AgentMessage, type ToolCall } from "@weft/runtime/agent";

import { evaluate } from "../arithmetic/operations.ts";
import { parseQuestion } from "../arithmetic/parse.ts";
import { formatPlan, planOf, readPlan, type Operand, type Step } from "../arithmetic/plan.ts";

/** What a rule decides: something to say, or one tool call. */
export type Decision = { readonly text: string } | { readonly toolCall: Omit<ToolCall, "id"> };

/** A rule answers from the messages its agent sees, the question first. */
export type Rule = (messages: readonly AgentMessage[]) => Decision;

/** Who can be asked; each has one rule. */
export type Role = "planner" | "calculator" | "checker" | "writer" | "selector";

/** How each kind of message begins; the rules know one another's words by it. */
const marks = {
  plan: "Plan:",
  result: "Result: ",
  noResult: "No result: ",
  checked: "Checked: ",
  wrong: "Wrong: ",
  refused: "Not arithmetic: ",
} as const;

export const rules: Readonly<Record<Role, Rule>> = {
  planner: plan,
  calculator: workOff,
  checker: check,
  writer: write,
  selector: selectSpeaker,
};

function plan(messages: readonly AgentMessage[]): Decision {
  const expression = parseQuestion(questionOf(messages));
  if (expression === undefined) {
    return {
      text:
        `${marks.refused}these rules read sums such as (2 + 3) * 4, and this question is none. ` +
        "With WEFT_MODEL and an API key the same agents ask a language model instead.",
    };
  }
  const steps = planOf(expression);
  if (steps.length === 0) return { text: `${marks.result}${evaluate(expression)}` };
  return { text: `${marks.plan}\n${formatPlan(steps)}` };
}

/** One tool call a step; the results so far stand in the agent's own view. */
function workOff(messages: readonly AgentMessage[]): Decision {
  const planned = messages.findLastIndex((message) => messageText(message).startsWith(marks.plan));
  const steps = readPlan(planned === -1 ? "" : messageText(messages[planned] as AgentMessage));
  if (steps.length === 0) return { text: `${marks.noResult}there is no plan to work off.` };
  const responses = messages.slice(planned + 1).flatMap((message) => message.toolResponses ?? []);
  const failed = responses.find((response) => response.isError);
  if (failed !== undefined) return { text: `${marks.noResult}${failed.content}` };
  const next = steps[responses.length];
  const results = responses.map((response) => Number(response.content));
  return next === undefined
    ? { text: `${marks.result}${results.at(-1)}` }
    : { toolCall: callOf(next, results) };
}

/** Comes to the result by another way, the whole expression at once, and compares. */
function check(messages: readonly AgentMessage[]): Decision {
  const expression = parseQuestion(questionOf(messages));
  const claimed = claimedResult(messages);
  if (expression === undefined || claimed === undefined)
    return { text: `${marks.wrong}there is no result to check.` };
  const own = evaluate(expression);
  if (own === claimed) return { text: `${marks.checked}evaluating the whole expression gives ${own} too.` };
  return { text: `${marks.wrong}the whole expression gives ${own}, not ${claimed}.` };
}

function write(messages: readonly AgentMessage[]): Decision {
  const claimed = claimedResult(messages);
  const checked = messages.some((message) => messageText(message).startsWith(marks.checked));
  if (claimed !== undefined && checked) return { text: `The answer is ${claimed}. It was checked.` };
  if (claimed !== undefined) return { text: `The answer is ${claimed}.` };
  const reason = messages.findLast((message) => messageText(message) !== "");
  return { text: `I have no answer. ${reason === undefined ? "" : messageText(reason)}`.trim() };
}

/**
 * Who speaks next follows from what was said last. A selector reads lines such as `planner: Plan: …`; a question that
 * nobody took up yet is the planner's.
 */
function selectSpeaker(messages: readonly AgentMessage[]): Decision {
  const said = messages.map((message) => messageText(message).replace(/^\w+: /, ""));
  const last = said.findLast((text) => followers.some(([mark]) => text.startsWith(mark))) ?? "";
  return { text: followers.find(([mark]) => last.startsWith(mark))?.[1] ?? "planner" };
}

const followers: readonly (readonly [string, Exclude<Role, "selector">])[] = [
  [marks.plan, "calculator"],
  [marks.result, "checker"],
  [marks.checked, "writer"],
  [marks.wrong, "writer"],
  [marks.noResult, "writer"],
  [marks.refused, "writer"],
];

function questionOf(messages: readonly AgentMessage[]): string {
  return messages[0] === undefined ? "" : messageText(messages[0]);
}

function claimedResult(messages: readonly AgentMessage[]): number | undefined {
  const claim = messages.findLast((message) => messageText(message).startsWith(marks.result));
  return claim === undefined ? undefined : Number(messageText(claim).slice(marks.result.length));
}

function callOf({ name, operands }: Step, results: readonly number[]): Omit<ToolCall, "id"> {
  const valueOf = (operand: Operand) => ("number" in operand ? operand.number : results[operand.step]);
  const [a, b] = operands.map(valueOf);
  return { name, arguments: JSON.stringify(b === undefined ? { a } : { a, b }) };
}
