/*
 * Asks a model who speaks next (SEMANTICS G5).
 */
import type { Agent, AgentMessage, History, Journal, UsageReport } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import { generateWithModel } from "../model/call-model.ts";
import type { ChatModel, ResponseFormat } from "../model/chat-model.ts";
import { findMentions } from "./mentions.ts";

export interface AutoSelection {
  readonly model: ChatModel;
  readonly candidates: readonly Agent[];
  readonly transcript: SelectorTranscript;
  readonly maxRetries: number;
  readonly signal: AbortSignal;
  readonly meter: BudgetMeter | undefined;
  readonly journal: Journal | undefined;
  /** The group's name. */
  readonly name: string;
  readonly onUsage: (usage: UsageReport) => void;
  /** Called after each answer with the candidates it mentions. */
  readonly onAttempt: (attempt: number, mentioned: readonly string[]) => void;
}

/** The chosen one, or undefined when no answer named exactly one candidate. */
export async function askSelector(selection: AutoSelection): Promise<Agent | undefined> {
  const { model, candidates, transcript } = selection;
  const names = candidates.map(({ name }) => name);
  transcript.ask(createMessage(question(names)));
  for (let attempt = 1; attempt <= selection.maxRetries + 1; attempt++) {
    const answer = await generateWithModel({
      model,
      request: {
        system: introduce(candidates),
        messages: transcript.messages,
        ...(model.supportsStructuredOutput ? { responseFormat: formatFor(names) } : {}),
      },
      signal: selection.signal,
      meter: selection.meter,
      journal: selection.journal,
      name: selection.name,
      context: transcript.context(),
      freshFrom: transcript.told,
    });
    if (answer.usage) selection.onUsage(answer.usage);
    const mentioned = readAnswer(answer.response.text, names);
    selection.onAttempt(attempt, mentioned);
    if (mentioned.length === 1) return candidates.find(({ name }) => name === mentioned[0]);
    transcript.ask(answer.message, createMessage(correction(mentioned, names)));
  }
  return undefined;
}

/** Structured output first; a model that ignored the format is read like any other. */
function readAnswer(text: string, names: readonly string[]): readonly string[] {
  try {
    const { speaker } = JSON.parse(text) as { readonly speaker?: unknown };
    if (names.includes(String(speaker))) return [String(speaker)];
  } catch {
    // Plain text: read below.
  }
  return findMentions(text, names);
}

function formatFor(names: readonly string[]): ResponseFormat {
  const speaker = { type: "string", enum: names };
  const schema = {
    type: "object",
    properties: { speaker },
    required: ["speaker"],
    additionalProperties: false,
  };
  return { name: "next_speaker", schema };
}

function introduce(candidates: readonly Agent[]): string {
  const roles = candidates.map((agent) => `${agent.name}: ${describe(agent)}`.trim()).join("\n");
  return `You choose who speaks next in a conversation of these roles:\n${roles}\nRead what was said, then name one role. Answer with its name only.`;
}

/** What a role does: its description, else what its own model is told. */
function describe(agent: Agent): string {
  return agent.description ?? (agent as { readonly systemMessage?: string }).systemMessage ?? "";
}

function question(names: readonly string[]): string {
  return `Who of ${names.join(", ")} speaks next? Answer with the name only.`;
}

function correction(mentioned: readonly string[], names: readonly string[]): string {
  const list = names.join(", ");
  return mentioned.length === 0
    ? `You named none of the roles. Choose exactly one of ${list}, and answer with that name only, spelled as here.`
    : `You named ${mentioned.join(" and ")}. Choose exactly one of ${list}, and answer with that name only.`;
}

/**
 * The log as a selector reads it: who said what, tool calls told as text; and at its end what the selector is asked. One list,
 * which grows with the log: a choice costs what is new, however long the chat is.
 */
export class SelectorTranscript {
  readonly #log: History;
  readonly #messages: AgentMessage[] = [];
  #told = 0;

  constructor(log: History) {
    this.#log = log;
  }

  /** The list itself: what is asked at its end goes with the next {@link catchUp}. */
  get messages(): readonly AgentMessage[] {
    return this.#messages;
  }

  /** How many of them are the log's. */
  get told(): number {
    return this.#told;
  }

  /** Takes in what was said since the last choice, in place of what was asked then. */
  catchUp(): this {
    this.#messages.length = this.#told;
    for (; this.#told < this.#log.length; this.#told++) {
      this.#messages.push(tell(this.#log.messages[this.#told]!));
    }
    return this;
  }

  ask(...messages: readonly AgentMessage[]): void {
    this.#messages.push(...messages);
  }

  /** `weft.context`: a run of the log, and what is asked by its ids. */
  context(): readonly string[] {
    const run = this.#log.run(0, this.#told - 1);
    const asked = this.#messages.slice(this.#told).map(({ id }) => `id:${id}`);
    return run === "" ? asked : [run, ...asked];
  }
}

function tell(message: AgentMessage): AgentMessage {
  const { id, name = "user", toolCalls = [], toolResponses = [] } = message;
  const lines = [
    messageText(message),
    ...toolCalls.map((call) => `(calls ${call.name} with ${call.arguments})`),
    ...toolResponses.map((response) => `(result of ${response.name}: ${response.content})`),
  ].filter((line) => line !== "");
  return createMessage({ id, role: "user", content: `${name}: ${lines.join("\n")}` });
}
