/*
 * Handoffs that a model decides, offered to it as tools (SEMANTICS H3). Calls and answers stay in the history; no later
 * call of a model is shown them.
 */
import type { AgentMessage } from "@weft/runtime/agent";
import { createMessage } from "@weft/runtime/agent";
import { normaliseToolName } from "../tool/tool-name.ts";
import type { Tool } from "../tool/tool.ts";
import { tool } from "../tool/tool.ts";
import type { Handoff } from "./handoff.ts";
import { ReplyResult } from "./reply-result.ts";
import { nameOfTarget } from "./target.ts";

export class TransferTools {
  readonly names: ReadonlySet<string>;
  readonly #transfers: readonly { readonly handoff: Handoff; readonly tool: Tool }[];

  constructor(handoffs: readonly Handoff[]) {
    const names = new Set<string>();
    this.names = names;
    this.#transfers = handoffs
      .filter(({ condition }) => condition.prompt !== undefined)
      .map((handoff) => {
        const made = createTransfer(handoff, names);
        names.add(made.name);
        return { handoff, tool: made };
      });
  }

  get isEmpty(): boolean {
    return this.#transfers.length === 0;
  }

  /** Those that may be taken now. */
  async available(variables: Readonly<Record<string, unknown>>): Promise<readonly Tool[]> {
    const available: Tool[] = [];
    for (const { handoff, tool } of this.#transfers)
      if (await handoff.available(variables)) available.push(tool);
    return available;
  }
}

function createTransfer({ target, condition }: Handoff, taken: ReadonlySet<string>): Tool {
  const wanted = normaliseToolName(`transfer_to_${nameOfTarget(target)}`);
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted.slice(0, 60)}_${count}`;
  const message = `The conversation goes to ${nameOfTarget(target)}.`;
  return tool({
    name,
    description: condition.prompt ?? "",
    execute: () => new ReplyResult({ message, target }),
  });
}

/** The messages without transfers: their calls, their answers, and the empty replies they left. */
export function withoutPlumbing(
  messages: readonly AgentMessage[],
  transferNames: ReadonlySet<string>,
): readonly AgentMessage[] {
  const isTransfer = ({ name }: { readonly name: string }): boolean =>
    transferNames.has(normaliseToolName(name));
  return messages.flatMap((message) => {
    const { toolCalls = [], toolResponses = [], metadata, content } = message;
    if (metadata?.["handoff"] !== undefined && content === "") return [];
    const calls = toolCalls.filter((call) => !isTransfer(call));
    const responses = toolResponses.filter((response) => !isTransfer(response));
    if (calls.length === toolCalls.length && responses.length === toolResponses.length) return [message];
    if (calls.length === 0 && responses.length === 0) return [];
    const { id: _id, toolCalls: _calls, toolResponses: _responses, ...rest } = message;
    return [createMessage({ ...rest, toolCalls: calls, toolResponses: responses })];
  });
}
