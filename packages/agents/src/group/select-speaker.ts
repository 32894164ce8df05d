/*
 * One speaker selection: by rule, function, order, chance, human or model, and told in its span.
 */
import type { Agent, AgentContext, AgentMessage, UsageReport } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { WeftSpan } from "@weft/tracing/internal";
import { instrument } from "@weft/tracing/internal";
import { Attr, EventNames, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { HumanInput } from "../agent/human-input.ts";
import { askHuman, createInputRequest } from "../agent/human-input.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { SelectorTranscript } from "./auto-selector.ts";
import { askSelector } from "./auto-selector.ts";
import type { Eligibility, EligibilityRules } from "./eligibility.ts";
import { findEligible } from "./eligibility.ts";
import type { SelectionFunction, SelectionMethod } from "./methods.ts";
import { findMethod, nextInOrder } from "./methods.ts";

export interface SelectionRules extends EligibilityRules {
  /** The group's name. */
  readonly name: string;
  readonly method: SelectionMethod | SelectionFunction;
  readonly selectorModel: ChatModel | undefined;
  readonly maxSelectionRetries: number;
  readonly humanInput: HumanInput | undefined;
}

export interface SelectionState {
  readonly lastSpeaker: Agent | undefined;
  readonly messages: readonly AgentMessage[];
  readonly contextVariables: Record<string, unknown>;
  readonly transcript: SelectorTranscript;
  /** Who a human is asked for, and the signal. */
  readonly context: AgentContext;
}

export interface Selection {
  /** Undefined: nobody may speak, or the function said so. */
  readonly speaker: Agent | undefined;
  readonly method: string;
  readonly candidates: readonly string[];
  readonly reason: string;
  readonly usage: readonly UsageReport[];
  readonly spanId: string;
}

interface Choice {
  readonly speaker: Agent | undefined;
  readonly reason: string;
  readonly isFallback?: boolean;
}

export function selectSpeaker(rules: SelectionRules, state: SelectionState): Promise<Selection> {
  const definition = {
    name: `${Operations.selectSpeaker} ${rules.name}`,
    type: SpanTypes.speakerSelection,
    attributes: { [Attr.operationName]: Operations.selectSpeaker },
  };
  return instrument(definition, (span) => new Selecting(rules, state, span).select());
}

class Selecting {
  readonly #rules: SelectionRules;
  readonly #state: SelectionState;
  readonly #span: WeftSpan;
  readonly #usage: UsageReport[] = [];

  constructor(rules: SelectionRules, state: SelectionState, span: WeftSpan) {
    this.#rules = rules;
    this.#state = state;
    this.#span = span;
  }

  async select(): Promise<Selection> {
    const { method } = this.#rules;
    const { lastSpeaker, messages } = this.#state;
    if (typeof method === "function") return this.#byFunction(method);
    return this.#byMethod(method, findEligible(this.#rules, lastSpeaker, messages.at(-1)));
  }

  /** A function decides alone; what it is told of eligibility is a hint. */
  async #byFunction(select: SelectionFunction): Promise<Selection> {
    const { agents } = this.#rules;
    const { lastSpeaker, messages, contextVariables } = this.#state;
    const { candidates } = this.#hint();
    const answer: unknown = await select({ lastSpeaker, candidates, agents, messages, contextVariables });
    const everyone = { candidates: agents, excluded: [] };
    if (answer === null) {
      return this.#tell("function", everyone, { speaker: undefined, reason: "the function ended the chat" });
    }
    const speaker = agents.find((agent) => agent === answer || agent.name === answer);
    if (speaker) return this.#tell("function", everyone, { speaker, reason: "chosen by the function" });
    const method = typeof answer === "string" ? findMethod(answer) : undefined;
    if (method) return this.#byMethod(method, findEligible(this.#rules, lastSpeaker, messages.at(-1)));
    throw new WeftError(
      "invalid_argument",
      `The selection function of "${this.#rules.name}" gave ${nameOf(answer)}: it must give a member, a member's name, a method's name, or null.`,
    );
  }

  #hint(): Eligibility {
    try {
      return findEligible(this.#rules, this.#state.lastSpeaker, this.#state.messages.at(-1));
    } catch {
      // Calls that nobody can run: the function may still know what to do.
      return { candidates: [], excluded: [] };
    }
  }

  async #byMethod(method: SelectionMethod, eligibility: Eligibility): Promise<Selection> {
    const { candidates, decided } = eligibility;
    const [only] = candidates;
    if (!only) return this.#tell(method, eligibility, { speaker: undefined, reason: "no eligible speaker" });
    if (decided) return this.#tell(method, eligibility, { speaker: only, reason: decided });
    if (candidates.length === 1) {
      return this.#tell(method, eligibility, { speaker: only, reason: "the only eligible speaker" });
    }
    return this.#tell(method, eligibility, await this.#choose(method, candidates));
  }

  async #choose(method: SelectionMethod, candidates: readonly Agent[]): Promise<Choice> {
    const { agents } = this.#rules;
    switch (method) {
      case "roundRobin":
        return { speaker: nextInOrder(agents, candidates, this.#state.lastSpeaker), reason: "next in order" };
      case "random":
        return { speaker: candidates[Math.floor(Math.random() * candidates.length)], reason: "by chance" };
      case "manual":
        return (await this.#askHuman(candidates)) ?? this.#askModel(candidates);
      case "auto":
        return this.#askModel(candidates);
    }
  }

  async #askModel(candidates: readonly Agent[]): Promise<Choice> {
    const { name, selectorModel: model, maxSelectionRetries: maxRetries, agents } = this.#rules;
    const { transcript, context, lastSpeaker } = this.#state;
    if (!model) {
      throw new WeftError(
        "failed_precondition",
        `Group "${name}" selects by a model and has none: give selectorModel, or a GroupChatManager with a model.`,
      );
    }
    const speaker = await askSelector({
      model,
      candidates,
      transcript: transcript.catchUp(),
      maxRetries,
      signal: context.signal,
      name,
      onUsage: (usage) => this.#usage.push(usage),
      onAttempt: (attempt, mentioned) => {
        const attributes = { [Attr.selectionAttempts]: attempt, [Attr.selectionCandidates]: [...mentioned] };
        this.#span.addEvent(EventNames.attempt, attributes);
        this.#span.setAttribute(Attr.selectionAttempts, attempt);
      },
    });
    if (speaker) return { speaker, reason: "named by the model" };
    const reason = `the model named no single candidate in ${maxRetries + 1} answers: next in order`;
    return { speaker: nextInOrder(agents, candidates, lastSpeaker), reason, isFallback: true };
  }

  /** Three bad answers, an empty one or `q`: undefined, and a model is asked (SEMANTICS G6). */
  async #askHuman(candidates: readonly Agent[]): Promise<Choice | undefined> {
    const { humanInput, name } = this.#rules;
    if (!humanInput) return undefined;
    const names = candidates.map((agent) => agent.name);
    const list = names.map((each, index) => `${index + 1}: ${each}`).join("\n");
    const prompt = `Who speaks next? A number or a name; empty or q leaves it to the model.\n${list}`;
    for (let attempt = 1; attempt <= 3; attempt++) {
      const request = createInputRequest({ kind: "speaker", agent: name, prompt, candidates: names });
      const answer = (await askHuman(humanInput, request, this.#state.context)).trim();
      if (answer === "" || answer.toLowerCase() === "q") return undefined;
      const speaker = candidates.find((agent) => agent.name === answer) ?? candidates[Number(answer) - 1];
      if (speaker) return { speaker, reason: "chosen by a human" };
    }
    return undefined;
  }

  #tell(method: string, { candidates, excluded }: Eligibility, choice: Choice): Selection {
    const names = candidates.map(({ name }) => name);
    this.#span.setAttributes({
      [Attr.selectionMethod]: method,
      [Attr.selectionCandidates]: names,
      [Attr.selectionExcluded]: excluded.map(({ agent, reason }) => `${agent.name}: ${reason}`),
      [Attr.selectionFallback]: choice.isFallback ?? false,
      [Attr.selectionReason]: choice.reason,
      ...(choice.speaker ? { [Attr.selectionChosen]: choice.speaker.name } : {}),
    });
    const { speaker, reason } = choice;
    return { speaker, method, candidates: names, reason, usage: this.#usage, spanId: this.#span.spanId };
  }
}

function nameOf(answer: unknown): string {
  if (typeof answer === "string") return `"${answer}"`;
  const { name } = (answer ?? {}) as { readonly name?: unknown };
  return typeof name === "string" ? `"${name}", a stranger` : `a value of type ${typeof answer}`;
}
