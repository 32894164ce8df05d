/*
 * One speaker selection: by rule, function, order, chance, human or model, and told in its span.
 */
import type { Agent, UsageReport } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { WeftSpan } from "@weft/tracing/internal";
import { instrument } from "@weft/tracing/internal";
import { Attr, EventNames, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { Target } from "../handoff/target.ts";
import { checkTarget, isSpecialTarget, memberOf } from "../handoff/target.ts";
import { askSelector } from "./auto-selector.ts";
import type { Eligibility } from "./eligibility.ts";
import { findEligible } from "./eligibility.ts";
import { askHumanSelector } from "./human-selector.ts";
import type { SelectionFunction, SelectionMethod } from "./methods.ts";
import { findMethod, nextInOrder } from "./methods.ts";
import type { Choice, Selection, SelectionRules, SelectionState } from "./selection.ts";

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
    const { method, agents } = this.#rules;
    const { lastSpeaker, messages, next } = this.#state;
    if (next) return this.#byTarget(next.target, next.reason, 0);
    const waits = Boolean(messages.at(-1)?.toolCalls?.length);
    if (method === "handoffs" && !waits) return this.#withoutHandoff(agents, lastSpeaker);
    if (typeof method === "function") return this.#byFunction(method);
    return this.#byMethod(method, findEligible(this.#rules, lastSpeaker, messages.at(-1)));
  }

  #withoutHandoff(agents: readonly Agent[], lastSpeaker: Agent | undefined): Selection {
    const choice: Choice = lastSpeaker
      ? { speaker: undefined, reason: "nothing says who goes on", endedBy: "termination" }
      : { speaker: agents[0], reason: "first of the list" };
    return this.#tell("handoffs", everyone(agents), choice);
  }

  /** Where a handoff, a tool, a guardrail or after-work sends the conversation. */
  async #byTarget(target: Target, reason: string, depth: number): Promise<Selection> {
    const { agents } = this.#rules;
    const { lastSpeaker, user, messages, contextVariables } = this.#state;
    const told = (choice: Omit<Choice, "reason">): Selection =>
      this.#tell("handoff", everyone(agents), { ...choice, reason });
    const member = memberOf(target, agents, `The conversation's target (${reason})`);
    if (member) return told({ speaker: member });
    if (!isSpecialTarget(target)) return told({ speaker: undefined });
    switch (target.kind) {
      case "terminate":
        return told({ speaker: undefined, endedBy: "termination" });
      case "stay":
        return told({ speaker: lastSpeaker ?? agents[0] });
      case "revertToUser":
        if (!user)
          throw new WeftError(
            "invalid_argument",
            "The conversation reverts to the user: give the group a user.",
          );
        return told({ speaker: user });
      case "nested":
        return told({ speaker: lastSpeaker ?? agents[0], nested: target.chats });
      case "askUser":
        return this.#byHuman(agents, reason);
      case "random":
        return this.#byMethod("random", without(agents, lastSpeaker));
      case "manager":
        return this.#byMethod("auto", findEligible(this.#rules, lastSpeaker, messages.at(-1)));
      case "by":
        break;
    }
    if (depth > 16)
      throw new WeftError(
        "failed_precondition",
        "A target function leads to target functions without an end.",
      );
    const next = await target.choose({ lastSpeaker, agents, messages, contextVariables });
    if (next === null || next === undefined) return told({ speaker: undefined, endedBy: "termination" });
    return this.#byTarget(
      checkTarget(next, "What a target function gives"),
      `${reason}, by a function`,
      depth + 1,
    );
  }

  async #byHuman(agents: readonly Agent[], reason: string): Promise<Selection> {
    const choice = await askHumanSelector(this.#rules.name, agents, this.#state.ask);
    if (choice) return this.#tell("handoff", everyone(agents), choice);
    return this.#tell("handoff", everyone(agents), { speaker: undefined, reason, endedBy: "human" });
  }

  /** A function decides alone; what it is told of eligibility is a hint. */
  async #byFunction(select: SelectionFunction): Promise<Selection> {
    const { agents } = this.#rules;
    const { lastSpeaker, messages, contextVariables } = this.#state;
    const { candidates } = this.#hint();
    const answer: unknown = await select({ lastSpeaker, candidates, agents, messages, contextVariables });
    if (answer === null) {
      return this.#tell("function", everyone(agents), {
        speaker: undefined,
        reason: "the function ended the chat",
      });
    }
    const speaker = agents.find((agent) => agent === answer || agent.name === answer);
    if (speaker)
      return this.#tell("function", everyone(agents), { speaker, reason: "chosen by the function" });
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
        return { speaker: candidates[await this.#draw(candidates.length)], reason: "by chance" };
      case "manual":
        return (
          (await askHumanSelector(this.#rules.name, candidates, this.#state.ask)) ??
          this.#askModel(candidates)
        );
      case "auto":
        return this.#askModel(candidates);
      case "handoffs":
        return { speaker: candidates[0], reason: "can run the tool calls" };
    }
  }

  /** A number below `count`; in a turn that is taken up again the one of before. */
  async #draw(count: number): Promise<number> {
    const draw = async (): Promise<number> => Math.floor(Math.random() * count);
    const { journal } = this.#state.context;
    return journal ? journal.step("random", draw) : draw();
  }

  async #askModel(candidates: readonly Agent[]): Promise<Choice> {
    const { name, selectorModel: model, maxSelectionRetries: maxRetries, agents } = this.#rules;
    const { transcript, context, lastSpeaker, meter } = this.#state;
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
      meter,
      journal: context.journal,
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
    const { speaker, reason, nested, endedBy } = choice;
    return {
      speaker,
      method,
      candidates: names,
      reason,
      usage: this.#usage,
      spanId: this.#span.spanId,
      ...(nested ? { nested } : {}),
      ...(endedBy ? { endedBy } : {}),
    };
  }
}

function everyone(agents: readonly Agent[]): Eligibility {
  return { candidates: agents, excluded: [] };
}

function without(agents: readonly Agent[], last: Agent | undefined): Eligibility {
  const excluded = last ? [{ agent: last, reason: "spoke last" }] : [];
  return { candidates: agents.filter((agent) => agent !== last), excluded };
}

function nameOf(answer: unknown): string {
  if (typeof answer === "string") return `"${answer}"`;
  const { name } = (answer ?? {}) as { readonly name?: unknown };
  return typeof name === "string" ? `"${name}", a stranger` : `a value of type ${typeof answer}`;
}
