/*
 * Several chats: one after another (SEMANTICS C4), or as a graph of prerequisites (C5).
 */
import { randomUUID } from "node:crypto";
import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { activeContext, conversationOf, instrument, setConversation } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { CarryoverItem } from "./carryover.ts";
import type { ChatResult } from "./chat-result.ts";
import { runGraph } from "./chat-graph.ts";
import type { RunOptions } from "./run-driver.ts";
import { checkSummaryMethod } from "./summary.ts";
import type { TwoAgentOptions } from "./two-agent-chat.ts";
import { startTwoAgentChat } from "./two-agent-chat.ts";

export interface SequentialChat extends TwoAgentOptions, RunOptions {
  readonly sender: Agent;
  /** Places in the list whose summaries this chat is not given. */
  readonly excludeFromCarryover?: readonly number[];
}

export interface GraphChat extends Omit<SequentialChat, "excludeFromCarryover"> {
  /** Unique among the chats. */
  readonly id: string;
  /** Ids of the chats that must be done before; their summaries are carried over. Default: none. */
  readonly prerequisites?: readonly string[];
}

type AnyChat = SequentialChat & Partial<Pick<GraphChat, "id" | "prerequisites">>;

/**
 * Runs the chats. Without ids: in order, each given its own carryover and the summaries of all before it; results in
 * order. With ids: as a graph, each as soon as its prerequisites are done; results by id. A chat that is suspended is not
 * done: it is in the results, with its state, and those that wait for it are not begun. Raises `invalid_argument`
 * for a bad chat, an unknown or missing id and a cycle, before any starts; a graph with a failure rejects with a
 * `GraphError` that holds every outcome.
 */
export function initiateChats(chats: readonly GraphChat[]): Promise<Readonly<Record<string, ChatResult>>>;
export function initiateChats(chats: readonly SequentialChat[]): Promise<readonly ChatResult[]>;
export async function initiateChats(
  chats: readonly AnyChat[],
): Promise<readonly ChatResult[] | Readonly<Record<string, ChatResult>>> {
  for (const [index, { sender, recipient, summaryMethod }] of chats.entries()) {
    if (!sender || !recipient)
      throw new WeftError("invalid_argument", `Chat ${index} needs a sender and a recipient.`);
    checkSummaryMethod(summaryMethod, sender, recipient);
  }
  const isGraph = chats.some(({ id, prerequisites }) => id !== undefined || prerequisites !== undefined);
  const starter = chats[0]?.sender;
  if (!starter) return [];
  const conversationId = chats[0]?.conversationId ?? conversationOf() ?? randomUUID();
  const run = isGraph ? graphOf(chats, conversationId) : () => runInOrder(chats, conversationId);
  const definition = {
    name: `${Operations.initiateChats} ${starter.name}`,
    type: SpanTypes.multiConversation,
    parent: setConversation(activeContext(), conversationId),
    attributes: {
      [Attr.operationName]: Operations.initiateChats,
      [Attr.chatsCount]: chats.length,
      [Attr.chatsMode]: isGraph ? "graph" : "sequential",
      [Attr.chatsRecipients]: chats.map(({ recipient }) => recipient.name),
      ...(isGraph ? { [Attr.chatsIds]: chats.map(({ id }) => id ?? "") } : {}),
      ...(isGraph ? { [Attr.chatsPrerequisites]: chats.map(prerequisitesText) } : {}),
    },
  };
  return instrument<readonly ChatResult[] | Readonly<Record<string, ChatResult>>>(definition, run);
}

function prerequisitesText({ id = "", prerequisites = [] }: AnyChat): string {
  return `${id}:${prerequisites.join(",")}`;
}

async function runInOrder(chats: readonly AnyChat[], conversationId: string): Promise<readonly ChatResult[]> {
  const results: ChatResult[] = [];
  for (const chat of chats) {
    const carryover = [...own(chat), ...earlier(chat, results)];
    const run = startTwoAgentChat(chat.sender, chat.recipient, { ...chat, carryover, conversationId });
    const result = await run.result;
    results.push(result);
    // What comes after it builds on what it has not come to yet.
    if (result.endedBy === "suspended") break;
  }
  return results;
}

function graphOf(chats: readonly AnyChat[], conversationId: string) {
  const nodes = chats.map((chat) => ({
    ...chat,
    id: chat.id ?? "",
    prerequisites: chat.prerequisites ?? [],
  }));
  return runGraph(nodes, (chat, before) => {
    const carryover = [...own(chat), ...before.map(({ summary }) => summary)];
    return startTwoAgentChat(chat.sender, chat.recipient, { ...chat, carryover, conversationId });
  });
}

function own({ carryover = [] }: Pick<AnyChat, "carryover">): readonly CarryoverItem[] {
  return Array.isArray(carryover) ? (carryover as readonly CarryoverItem[]) : [carryover as CarryoverItem];
}

function earlier(
  { excludeFromCarryover = [] }: SequentialChat,
  results: readonly ChatResult[],
): readonly string[] {
  return results.filter((_, index) => !excludeFromCarryover.includes(index)).map(({ summary }) => summary);
}
