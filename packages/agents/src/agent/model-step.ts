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
import type { AgentMessage, AgentYield, History } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import type { SpanContext } from "@weft/tracing/internal";
import { isRecording, traceIdOf } from "@weft/tracing/internal";
import { meterOf } from "../chat/meter-of.ts";
import { scopeOf } from "../chat/scope.ts";
import { nameOfTarget } from "../handoff/target.ts";
import type { TransferTools } from "../handoff/transfer-tools.ts";
import { withoutPlumbing } from "../handoff/transfer-tools.ts";
import { streamModel } from "../model/call-model.ts";
import type { ChatModel, ModelRequest, ModelSettings, ResponseFormat } from "../model/chat-model.ts";
import type { ToolAnswer } from "../tool/run-tools.ts";
import { runTools } from "../tool/run-tools.ts";
import type { ToolBook, ToolOffer } from "../tool/tool-book.ts";
import { normaliseToolName } from "../tool/tool-name.ts";
import type { Tool } from "../tool/tool.ts";
import type { HumanInput } from "./human-answer.ts";
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
  return async function* askModel(turn) {
    const tools = await toolsOfTurn(options, turn);
    const view = new ModelView(turn, tools.transferNames);
    const waiting = waitingRound(options.name, view.messages);
    if (waiting) {
      const outcome = yield* runRound(options, tools, turn, view, { message: waiting, isTakenUp: true });
      if (outcome) return outcome;
    }
    for (let round = 0; ; round++) {
      const offer = round < options.maxToolRounds ? tools.offer : undefined;
      const answer = yield* streamModel({
        model: options.model,
        request: toRequest(options, turn, view.messages, offer),
        signal: turn.context.signal,
        meter: meterOf(turn.context),
        journal: turn.context.journal,
        name: options.name,
        context: view.runs(),
        freshFrom: view.freshFrom,
        ...(turn.systemMessage ? { systemId: systemIds.of(turn.systemMessage) } : {}),
        ...(offer ? { toolsId: offer.id } : {}),
      });
      const { message, span: askedBy } = answer;
      const isLast = round >= options.maxToolRounds;
      if (isLast || !runsHere(message, tools, offer)) return toReply(message, isLast);
      const outcome = yield* runRound(options, tools, turn, view, { message, askedBy, isTakenUp: false });
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

async function toolsOfTurn({ tools, transfers }: ModelStepOptions, turn: ReplyTurn): Promise<TurnTools> {
  const isForOthers = (name: string): boolean => tools.isForOthers(name);
  if (transfers.isEmpty || scopeOf(turn.context)?.usesHandoffs !== true) {
    return { offer: tools.offered(), runnable: tools.runnable, transferNames: noNames, isForOthers };
  }
  const available = await transfers.available(turn.request.contextVariables);
  const runnable = new Map([
    ...tools.runnable,
    ...available.map((tool): [string, Tool] => [tool.name, tool]),
  ]);
  return {
    offer: tools.offered(available),
    runnable,
    transferNames: transfers.names,
    isForOthers: (name) => !runnable.has(normaliseToolName(name)) && isForOthers(name),
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
async function* runRound(
  { name, humanInput }: ModelStepOptions,
  tools: TurnTools,
  turn: ReplyTurn,
  view: ModelView,
  { message, askedBy, isTakenUp }: Round,
): AsyncGenerator<AgentYield, ReplyOutcome | undefined> {
  if (!isTakenUp) {
    // Text that came along with tool calls was shown and is no message of the chat: it is taken back.
    if (message.content) yield { type: "reset", messageId: message.id };
    view.append(message);
  }
  const { context, request, asker } = turn;
  const run = {
    message,
    tools: tools.runnable,
    agent: name,
    context,
    contextVariables: request.contextVariables,
    approver: { humanInput, asker },
    isOneByOne: scopeOf(context)?.usesHandoffs,
    askedBy,
  };
  const answer = yield* runTools(run, { isTakenUp });
  if (!answer) return { final: true, reply: null, endedBy: "suspended" };
  view.append(answer.message);
  if (answer.target === undefined) return undefined;
  const { text = "", isTransfer } = lastRedirect(answer, tools.transferNames);
  yield redirectTo(context, answer.target, isTransfer ? "the model's choice" : "a tool's result");
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

/** What the model is sent: the live history, or what hooks and handoffs leave of it, and the rounds since. */
class ModelView {
  readonly messages: readonly AgentMessage[];
  readonly #turn: ReplyTurn;
  readonly #rewritten: AgentMessage[] | undefined;
  freshFrom: number;

  constructor(turn: ReplyTurn, transferNames: ReadonlySet<string>) {
    this.#turn = turn;
    const isOwn = turn.messages === turn.context.history.messages;
    const usesHandoffs = scopeOf(turn.context)?.usesHandoffs === true;
    const shown = usesHandoffs ? withoutPlumbing(turn.messages, transferNames) : turn.messages;
    this.#rewritten = isOwn && !usesHandoffs ? undefined : [...shown];
    this.messages = this.#rewritten ?? turn.messages;
    this.freshFrom = this.#rewritten ? 0 : unrecordedFrom(turn);
  }

  append(message: AgentMessage): void {
    this.freshFrom = this.messages.length;
    this.#turn.context.history.append(message);
    this.#rewritten?.push(message);
  }

  /** `weft.context`: one run of the history, or each message by its id. */
  runs(): readonly string[] {
    if (this.#rewritten) return this.#rewritten.map(({ id }) => `id:${id}`);
    return [this.#turn.context.history.run()];
  }
}

/** The trace in which a history's texts were last recorded. */
const recordedIn = new WeakMap<History, string>();

/** A later trace of the same conversation (a later task, a resumed chat) has none of the earlier texts yet. */
function unrecordedFrom({ context, request }: ReplyTurn): number {
  // Nothing is written, and nothing need be remembered.
  if (!isRecording()) return request.newFrom;
  const traceId = traceIdOf() ?? "";
  if (recordedIn.get(context.history) === traceId) return request.newFrom;
  recordedIn.set(context.history, traceId);
  return 0;
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
