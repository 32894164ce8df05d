/*
 * The model step, with its tool rounds (SEMANTICS O1).
 *
 * Job: asks the model, runs the tools it calls, asks again, until it answers.
 * Owns: the rounds of one turn. Does not own: the chat's messages.
 *
 * I1  Private rounds stand in the agent's own history, in order, and nowhere else.
 * I2  At most `maxToolRounds` rounds, then one call without tools.
 * I3  Calls that another agent must run leave the turn as its reply.
 */
import { randomUUID } from "node:crypto";
import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import type { SpanContext } from "@weft/tracing/internal";
import { meterOf } from "../chat/meter-of.ts";
import { scopeOf } from "../chat/scope.ts";
import { nameOfTarget } from "../handoff/target.ts";
import type { TransferTools } from "../handoff/transfer-tools.ts";
import { streamModel } from "../model/call-model.ts";
import type { ChatModel, ModelRequest, ModelSettings, ResponseFormat } from "../model/chat-model.ts";
import type { ToolAnswer } from "../tool/run-tools.ts";
import { runTools } from "../tool/run-tools.ts";
import type { ToolBook, ToolOffer } from "../tool/tool-book.ts";
import { normaliseToolName } from "../tool/tool-name.ts";
import type { Tool } from "../tool/tool.ts";
import type { HumanInput } from "./human-answer.ts";
import { ModelView } from "./model-view.ts";
import { redirectTo } from "./redirect.ts";
import type { ReplyOutcome, ReplyStep, ReplyTurn } from "./reply-chain.ts";

export interface ModelStepOptions {
  readonly name: string;
  readonly model: ChatModel;
  readonly settings: ModelSettings | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly tools: ToolBook;
  readonly transfers: TransferTools;
  readonly maxToolRounds: number;
  readonly humanInput: HumanInput | undefined;
}

export function modelStep(options: ModelStepOptions): ReplyStep {
  const systemIds = new SystemIds();
  return async (turn) => {
    const tools = usesTransfers(options, turn) ? await withTransfers(options, turn) : ownTools(options);
    const view = new ModelView(turn, tools.transferNames);
    const waiting = waitingRound(options.name, view.messages);
    if (waiting) {
      const outcome = await runRound(options, tools, turn, view, { message: waiting, isTakenUp: true });
      if (outcome) return outcome;
    }
    for (let round = 0; ; round++) {
      const offer = round < options.maxToolRounds ? tools.offer : undefined;
      const call = {
        model: options.model,
        request: toRequest(options, turn, view.messages, offer),
        signal: turn.context.signal,
        meter: meterOf(turn.context),
        journal: turn.context.journal,
        name: options.name,
        context: view.runs(),
        freshFrom: view.freshFrom,
        systemId: turn.systemMessage ? systemIds.of(turn.systemMessage) : undefined,
        toolsId: offer?.id,
      };
      const answer = await streamModel(call, turn.emit);
      const { message, span: askedBy } = answer;
      const isLast = round >= options.maxToolRounds;
      if (isLast || !runsHere(message, tools, offer)) return toReply(message, isLast);
      const outcome = await runRound(options, tools, turn, view, { message, askedBy, isTakenUp: false });
      if (outcome) return outcome;
    }
  };
}

/** What this turn's model is offered, and what can be run: the agent's tools, and its transfers in a group. */
interface TurnTools {
  readonly offer: ToolOffer | undefined;
  readonly runnable: ReadonlyMap<string, Tool>;
  readonly transferNames: ReadonlySet<string>;
  isForOthers(name: string): boolean;
}

function usesTransfers({ transfers }: ModelStepOptions, { context }: ReplyTurn): boolean {
  return !transfers.isEmpty && scopeOf(context)?.usesHandoffs === true;
}

function ownTools({ tools }: ModelStepOptions): TurnTools {
  const { runnable } = tools;
  const isForOthers = (name: string): boolean => tools.isForOthers(name);
  return { offer: tools.offered(), runnable, transferNames: noNames, isForOthers };
}

async function withTransfers({ tools, transfers }: ModelStepOptions, turn: ReplyTurn): Promise<TurnTools> {
  const available = await transfers.available(turn.request.contextVariables);
  const runnable = new Map([
    ...tools.runnable,
    ...available.map((tool): [string, Tool] => [tool.name, tool]),
  ]);
  return {
    offer: tools.offered(available),
    runnable,
    transferNames: transfers.names,
    isForOthers: (name) => !runnable.has(normaliseToolName(name)) && tools.isForOthers(name),
  };
}

const noNames: ReadonlySet<string> = new Set();

/** Calls of this agent's own model that wait for their answer: a round that was suspended. */
function waitingRound(name: string, messages: readonly AgentMessage[]): AgentMessage | undefined {
  const last = messages.at(-1);
  return last?.name === name && last.toolCalls?.length ? last : undefined;
}

interface Round {
  readonly message: AgentMessage;
  readonly askedBy?: SpanContext;
  /** Its calls were told before, and stand in the history. */
  readonly isTakenUp: boolean;
}

/** The turn's outcome, when the round ends it: a question stays open, or the conversation goes elsewhere. */
async function runRound(
  { name, humanInput }: ModelStepOptions,
  tools: TurnTools,
  turn: ReplyTurn,
  view: ModelView,
  { message, askedBy, isTakenUp }: Round,
): Promise<ReplyOutcome | undefined> {
  const { context, request, asker, emit } = turn;
  if (!isTakenUp) {
    // Text that came along with tool calls was shown and is no message of the chat: it is taken back.
    if (message.content) await emit({ type: "reset", messageId: message.id });
    view.append(message);
  }
  const run = {
    message,
    tools: tools.runnable,
    agent: name,
    context,
    contextVariables: request.contextVariables,
    approver: { humanInput, asker },
    isOneByOne: scopeOf(context)?.usesHandoffs,
    askedBy,
    emit,
  };
  const answer = await runTools(run, { isTakenUp });
  if (!answer) return { final: true, reply: null, endedBy: "suspended" };
  view.append(answer.message);
  if (answer.target === undefined) return undefined;
  const { text = "", isTransfer } = lastRedirect(answer, tools.transferNames);
  await emit(redirectTo(context, answer.target, isTransfer ? "the model's choice" : "a tool's result"));
  const metadata = { handoff: nameOfTarget(answer.target) };
  return { final: true, reply: { content: isTransfer ? messageText(message) : text, metadata } };
}

/** What is said of a redirect: a tool's own words; of a transfer nothing but what the model wrote. */
function lastRedirect(
  { message, redirectedBy }: ToolAnswer,
  transferNames: ReadonlySet<string>,
): { readonly text: string | undefined; readonly isTransfer: boolean } {
  const response = message.toolResponses?.find(({ toolCallId }) => toolCallId === redirectedBy);
  const isTransfer = transferNames.has(normaliseToolName(response?.name ?? ""));
  return { text: response?.content, isTransfer };
}

/** Calls of the round that had no tools any more would wait for ever: they are left out. */
function toReply(message: AgentMessage, isLast: boolean): ReplyOutcome {
  if (!isLast || !message.toolCalls?.length) return { final: true, reply: message };
  const { toolCalls: _, ...rest } = message;
  return { final: true, reply: { ...rest, content: message.content ?? "" } };
}

function runsHere(message: AgentMessage, tools: TurnTools, offer: ToolOffer | undefined): boolean {
  const calls = message.toolCalls ?? [];
  // A model that was offered nothing has its tools from elsewhere, and so has whoever runs them.
  return offer !== undefined && calls.length > 0 && !calls.some(({ name }) => tools.isForOthers(name));
}

function toRequest(
  { settings, responseFormat }: ModelStepOptions,
  { systemMessage }: ReplyTurn,
  messages: readonly AgentMessage[],
  offer: ToolOffer | undefined,
): ModelRequest {
  return {
    ...(systemMessage ? { system: systemMessage } : {}),
    messages,
    ...(offer ? { tools: offer.definitions } : {}),
    ...(responseFormat ? { responseFormat } : {}),
    ...(settings ? { settings } : {}),
  };
}

/** One id for each system text, so that a trace records it once. A hook may make many texts: bounded. */
class SystemIds {
  readonly #ids = new Map<string, string>();

  of(text: string): string {
    let id = this.#ids.get(text);
    if (id === undefined) {
      if (this.#ids.size >= 64) this.#ids.clear();
      id = `system-${randomUUID().slice(0, 8)}`;
      this.#ids.set(text, id);
    }
    return id;
  }
}
