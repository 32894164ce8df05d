/*
 * Approvals (SEMANTICS O5): a call of a tool that needs one waits for a human, and runs or is answered as refused.
 */
import type { ToolCall } from "@weft/runtime/agent";
import { changeSession, readSession } from "../agent/agent-session.ts";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import { askHuman, requestOnce, toDecision } from "../agent/human-input.ts";
import type { ToolRun } from "./run-call.ts";
import { createToolContext, parseArguments } from "./run-call.ts";
import { normaliseToolName } from "./tool-name.ts";
import { noApproval } from "./tool.ts";

/** Decisions by call id; a call that is not in it needs none. */
export type Approvals = ReadonlyMap<string, { readonly approved: boolean; readonly reason?: string }>;

const none: Approvals = new Map();

/** One question after another, in the order of the calls; undefined when one stays open. */
export async function askApprovals(run: ToolRun): Promise<Approvals | undefined> {
  const waiting = await callsThatWait(run);
  if (waiting.length === 0) return none;
  const { context } = run;
  const decisions = new Map<string, HumanInputAnswer>(Object.entries(readSession(context).decisions ?? {}));
  for (const call of waiting) {
    if (decisions.has(call.id)) continue;
    const prompt = `May ${run.agent} run ${call.name}(${call.arguments})?`;
    const request = requestOnce(context, { kind: "approval", agent: run.agent, prompt, toolCall: call });
    const { humanInput, asker } = run.approver;
    const answered = await askHuman({ request, humanInput, context, asker, emit: run.emit });
    if (typeof answered !== "object") {
      changeSession(context, { decisions: Object.fromEntries(decisions), askedFor: run.message.id });
      return undefined;
    }
    decisions.set(call.id, toDecision(answered.answer));
  }
  changeSession(context, { decisions: undefined, askedFor: undefined });
  return new Map([...decisions].map(([id, answer]) => [id, toDecision(answer)]));
}

/** Calls that cannot run anyway are not asked about: they are answered with their error. */
async function callsThatWait(run: ToolRun): Promise<readonly ToolCall[]> {
  const waiting: ToolCall[] = [];
  for (const call of run.message.toolCalls ?? []) {
    const tool = run.tools.get(normaliseToolName(call.name));
    if (!tool || tool.needsApproval === noApproval) continue;
    const parsed = await parseArguments(tool, call.arguments).catch(() => undefined);
    if (parsed && (await tool.needsApproval(parsed.input, createToolContext(run, call)))) waiting.push(call);
  }
  return waiting;
}
