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
import { traceIdOf } from "@weft/tracing/internal";
import type { ModelAnswer } from "../model/call-model.ts";
import { streamModel } from "../model/call-model.ts";
import type { ChatModel, ModelRequest, ModelSettings, ResponseFormat } from "../model/chat-model.ts";
import { runTools } from "../tool/run-tools.ts";
import type { ToolBook, ToolOffer } from "../tool/tool-book.ts";
import type { ReplyOutcome, ReplyStep, ReplyTurn } from "./reply-chain.ts";

export interface ModelStepOptions {
  readonly name: string;
  readonly model: ChatModel;
  readonly settings: ModelSettings | undefined;
  readonly responseFormat: ResponseFormat | undefined;
  readonly tools: ToolBook;
  readonly maxToolRounds: number;
}

export function modelStep(options: ModelStepOptions): ReplyStep {
  const systemIds = new SystemIds();
  return async function* askModel(turn) {
    const view = new ModelView(turn);
    const { signal } = turn.context;
    for (let round = 0; ; round++) {
      const offer = round < options.maxToolRounds ? options.tools.offered() : undefined;
      const answer = yield* streamModel({
        model: options.model,
        request: toRequest(options, turn, view.messages, offer),
        signal,
        name: options.name,
        context: view.runs(),
        freshFrom: view.freshFrom,
        ...(turn.systemMessage ? { systemId: systemIds.of(turn.systemMessage) } : {}),
        ...(offer ? { toolsId: offer.id } : {}),
      });
      const { message } = answer;
      const isLast = round >= options.maxToolRounds;
      if (isLast || !runsHere(message, options.tools, offer)) return toReply(message, isLast);
      yield* runRound(options, turn, view, answer);
    }
  };
}

/** Text that came along with tool calls was shown and is no message of the chat: it is taken back. */
async function* runRound(
  options: ModelStepOptions,
  turn: ReplyTurn,
  view: ModelView,
  { message, span }: ModelAnswer,
): AsyncGenerator<AgentYield, void> {
  if (message.content) yield { type: "reset", messageId: message.id };
  view.append(message);
  const answer = yield* runTools({
    message,
    tools: options.tools.runnable,
    agent: options.name,
    contextVariables: turn.request.contextVariables,
    signal: turn.context.signal,
    askedBy: span,
  });
  view.append(answer);
}

/** Calls of the round that had no tools any more would wait for ever: they are left out. */
function toReply(message: AgentMessage, isLast: boolean): ReplyOutcome {
  if (!isLast || !message.toolCalls?.length) return { final: true, reply: message };
  const { toolCalls: _, ...rest } = message;
  return { final: true, reply: { ...rest, content: message.content ?? "" } };
}

function runsHere(message: AgentMessage, tools: ToolBook, offer: ToolOffer | undefined): boolean {
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

/** What the model is sent: the live history, or what hooks made of it and the rounds since. */
class ModelView {
  readonly messages: readonly AgentMessage[];
  readonly #turn: ReplyTurn;
  readonly #rewritten: AgentMessage[] | undefined;
  freshFrom: number;

  constructor(turn: ReplyTurn) {
    this.#turn = turn;
    this.#rewritten = turn.messages === turn.context.history.messages ? undefined : [...turn.messages];
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
