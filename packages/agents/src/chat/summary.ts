import type { Agent, AgentMessage } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { generateWithModel } from "../model/call-model.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { BudgetMeter } from "./budget-meter.ts";
import type { UsageLedger } from "./usage-ledger.ts";

/** A summary made by a function of the caller's. */
export type SummaryFunction = (chat: {
  readonly history: readonly AgentMessage[];
  readonly starter: Agent;
  readonly recipient: Agent;
}) => string | Promise<string>;

/** `lastMessage`: what the recipient said last; `reflection`: a model is asked; `none`: "". */
export type SummaryMethod = "lastMessage" | "reflection" | "none" | SummaryFunction;

export interface SummaryOptions {
  /** Default `lastMessage`. AG2's spellings are read too. */
  readonly summaryMethod?: SummaryMethod | "last_msg" | "reflection_with_llm" | undefined;
  /** What `reflection` asks its model. */
  readonly summaryPrompt?: string | undefined;
}

const defaultPrompt =
  "Say in a few sentences what came out of the conversation above: the result and what it rests on, without any " +
  "introduction. If the request was not met, say so.";

/** AG2's spellings, read as ours. */
const spellings: Readonly<Record<string, SummaryMethod>> = {
  lastMessage: "lastMessage",
  last_msg: "lastMessage",
  reflection: "reflection",
  reflection_with_llm: "reflection",
  none: "none",
};

/** Raises `invalid_argument` for an unknown method and for `reflection` without a model on either side. */
export function checkSummaryMethod(given: unknown, starter: Agent, recipient: Agent): SummaryMethod {
  if (typeof given === "function") return given as SummaryFunction;
  const method = given === undefined ? "lastMessage" : given === null ? "none" : spellings[nameOf(given)];
  if (method === undefined) {
    throw new WeftError(
      "invalid_argument",
      `summaryMethod must be lastMessage, reflection, none or a function, not "${nameOf(given)}".`,
    );
  }
  if (method === "reflection" && !modelFor(recipient) && !modelFor(starter)) {
    throw new WeftError(
      "invalid_argument",
      "summaryMethod reflection needs a model on either side of the chat.",
    );
  }
  return method;
}

function nameOf(given: unknown): string {
  return typeof given === "string" ? given : typeof given;
}

export interface SummaryRequest {
  readonly method: SummaryMethod;
  readonly prompt: string | undefined;
  readonly starter: Agent;
  readonly recipient: Agent;
  readonly history: readonly AgentMessage[];
  readonly signal: AbortSignal;
  readonly usage: UsageLedger;
  readonly meter?: BudgetMeter | undefined;
}

export async function summarize(request: SummaryRequest): Promise<string> {
  const { method, starter, recipient, history } = request;
  if (typeof method === "function") return method({ history, starter, recipient });
  switch (method) {
    case "none":
      return "";
    case "lastMessage":
      return lastWord(history, recipient);
    case "reflection":
      return reflect(request);
  }
}

function lastWord(history: readonly AgentMessage[], recipient: Agent): string {
  const last = history.findLast(({ name }) => name === recipient.name) ?? history.at(-1);
  return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
}

async function reflect({ prompt = defaultPrompt, ...request }: SummaryRequest): Promise<string> {
  const { starter, recipient, history, signal, usage, meter } = request;
  const model = modelFor(recipient) ?? modelFor(starter);
  if (!model) return "";
  const question = createMessage({ role: "user", content: prompt });
  const messages = [...history.filter((message) => message.content !== null), question];
  const answer = await generateWithModel({
    model,
    request: { messages: messages.map(withoutCalls) },
    signal,
    meter,
    name: recipient.name,
    context: messages.map(({ id }) => `id:${id}`),
  });
  if (answer.usage) usage.addReport(answer.usage, recipient.name);
  return answer.response.text;
}

/** A summary has no tools: providers refuse calls and answers without them. */
function withoutCalls(message: AgentMessage): AgentMessage {
  if (!message.toolCalls && !message.toolResponses) return message;
  const { id, name, content } = message;
  return createMessage({ id, role: "user", content, ...(name === undefined ? {} : { name }) });
}

function modelFor(agent: Agent): ChatModel | undefined {
  return (agent as { readonly model?: ChatModel }).model;
}
