/*
 * Chats one after another (SEMANTICS C4).
 */
import { randomUUID } from "node:crypto";
import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { activeContext, conversationOf, instrument, setConversation } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { CarryoverItem } from "./carryover.ts";
import type { ChatResult } from "./chat-result.ts";
import type { RunOptions } from "./run.ts";
import { checkSummaryMethod } from "./summary.ts";
import type { TwoAgentOptions } from "./two-agent-chat.ts";
import { startTwoAgentChat } from "./two-agent-chat.ts";

export interface SequentialChat extends TwoAgentOptions, RunOptions {
  readonly sender: Agent;
  /** Places in the list whose summaries this chat is not given. */
  readonly excludeFromCarryover?: readonly number[];
}

/**
 * Runs the chats in order; each is given its own carryover and the summaries of all before it. Results in order.
 * Raises `invalid_argument` for a bad chat before any starts.
 */
export async function initiateChats(chats: readonly SequentialChat[]): Promise<readonly ChatResult[]> {
  for (const [index, { sender, recipient, summaryMethod }] of chats.entries()) {
    if (!sender || !recipient)
      throw new WeftError("invalid_argument", `Chat ${index} needs a sender and a recipient.`);
    checkSummaryMethod(summaryMethod, sender, recipient);
  }
  const starter = chats[0]?.sender;
  if (!starter) return [];
  const conversationId = chats[0]?.conversationId ?? conversationOf() ?? randomUUID();
  const definition = {
    name: `${Operations.initiateChats} ${starter.name}`,
    type: SpanTypes.multiConversation,
    parent: setConversation(activeContext(), conversationId),
    attributes: {
      [Attr.operationName]: Operations.initiateChats,
      [Attr.chatsCount]: chats.length,
      [Attr.chatsMode]: "sequential",
      [Attr.chatsRecipients]: chats.map(({ recipient }) => recipient.name),
    },
  };
  return instrument(definition, async () => {
    const results: ChatResult[] = [];
    for (const chat of chats) {
      const carryover = [...own(chat), ...earlier(chat, results)];
      const run = startTwoAgentChat(chat.sender, chat.recipient, { ...chat, carryover, conversationId });
      results.push(await run.result);
    }
    return results;
  });
}

function own({ carryover = [] }: SequentialChat): readonly CarryoverItem[] {
  return Array.isArray(carryover) ? (carryover as readonly CarryoverItem[]) : [carryover as CarryoverItem];
}

function earlier(
  { excludeFromCarryover = [] }: SequentialChat,
  results: readonly ChatResult[],
): readonly string[] {
  return results.filter((_, index) => !excludeFromCarryover.includes(index)).map(({ summary }) => summary);
}
