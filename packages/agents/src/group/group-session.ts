/*
 * GroupSession: one group chat's conversation.
 *
 * Job: lets members speak, one after another, until a reason to end.
 * Owns: the room, who spoke last, where the conversation was sent, the selector's transcript. Does not own: the rules.
 *
 * I1  Every round is one selection and one turn; the opening counts as a round (SEMANTICS G1).
 * I2  It always says why it ended (G8).
 * I3  A round costs what is new since the speaker's last turn, whatever the team's size and the chat's length.
 * I4  A round that was suspended is taken up where it was: its speaker, or the choice of one.
 */
import { randomUUID } from "node:crypto";
import type { Agent, AgentEvent, AgentMessage, EndedBy, Hop } from "@weft/runtime/agent";
import { createAgentContext, createMessage } from "@weft/runtime/agent";
import type { Span } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import type { IsTerminationMessage } from "../agent/termination.ts";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import { ChatRoom } from "../chat/chat-room.ts";
import type { Asker, ChatScope, HumanAnswer } from "../chat/scope.ts";
import { setScope } from "../chat/scope.ts";
import type { HandoffRules, NextTarget } from "../handoff/handoff-rules.ts";
import { nextByHandoff } from "../handoff/handoff-rules.ts";
import { nestedSpeaker } from "../handoff/nested-target.ts";
import { nameOfTarget } from "../handoff/target.ts";
import { SelectorTranscript } from "./auto-selector.ts";
import { Jumps } from "./jumps.ts";
import { QuestionRelay } from "./question-relay.ts";
import type { SessionState } from "./session-state.ts";
import type { Selection, SelectionRules } from "./select-speaker.ts";
import { selectSpeaker } from "./select-speaker.ts";

export interface GroupRules extends SelectionRules {
  readonly maxRound: number;
  readonly isTerminationMessage: IsTerminationMessage;
  readonly sendIntroductions: boolean;
  readonly handoffs: HandoffRules;
}

export interface GroupSetting {
  /** The group's own span: rounds and the ending are said on it. */
  readonly span: Span;
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  readonly asker: Asker | undefined;
  readonly meter: BudgetMeter | undefined;
  readonly onHumanAnswer?: ((answer: HumanAnswer) => void) | undefined;
}

export class GroupSession {
  readonly room: ChatRoom;
  readonly #group: Agent;
  readonly #rules: GroupRules;
  readonly #transcript: SelectorTranscript;
  readonly #relay: QuestionRelay;
  readonly #speakers: Agent[] = [];
  #turn: number;
  #round: number;
  #chatId: string;
  #next: NextTarget | undefined;
  /** Whose turn was suspended. */
  #waiting: Agent | undefined;
  #isSuspended = false;

  constructor(group: Agent, rules: GroupRules, state?: SessionState) {
    this.#group = group;
    this.#rules = rules;
    this.room = new ChatRoom(state?.room);
    this.#transcript = new SelectorTranscript(this.room.log);
    this.#turn = state?.turn ?? 0;
    this.#round = state?.round ?? 1;
    this.#chatId = state?.chatId ?? "";
    this.#isSuspended = state !== undefined;
    this.#relay = new QuestionRelay(group.name, state?.question);
    const find = (name: string | undefined): Agent | undefined => this.#find(name);
    for (const name of state?.speakers ?? []) this.#speakers.push(...[find(name)].filter((each) => !!each));
    this.#waiting = find(state?.waiting);
    const next = find(state?.next);
    if (next) this.#next = { target: next, reason: "as before" };
  }

  /** Whether its last rounds ended with a question. */
  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** Plain data; targets that are no agents are forgotten, for they are taken within the round that sets them. */
  toState(): SessionState {
    const next = this.#next && nameOfTarget(this.#next.target);
    return {
      room: this.room.toState(),
      turn: this.#turn,
      round: this.#round,
      chatId: this.#chatId,
      speakers: this.#speakers.map(({ name }) => name),
      ...(this.#waiting ? { waiting: this.#waiting.name } : {}),
      ...(this.#relay.open ? { question: this.#relay.open } : {}),
      ...(next === undefined ? {} : { next }),
    };
  }

  /** Takes in what was said before anyone speaks; a new group is introduced first, if its rules say so. */
  open(messages: readonly AgentMessage[], span: Span): void {
    const { sendIntroductions, agents } = this.#rules;
    if (sendIntroductions && this.room.log.length === 0 && messages.length <= 1) {
      const content = introduction(agents);
      this.room.add(createMessage({ role: "user", name: this.#group.name, content }), span);
    }
    this.room.restore(messages, span);
  }

  /** Rounds until the end; what is last in the log opens them. */
  async *rounds(setting: GroupSetting): AsyncGenerator<AgentEvent, EndedBy> {
    if (!this.#isSuspended) this.#begin();
    this.#isSuspended = false;
    for (;;) {
      const endedBy = yield* this.#playRound(setting);
      if (endedBy === undefined) continue;
      this.#isSuspended = endedBy === "suspended";
      return this.#end(setting, endedBy);
    }
  }

  /** Each time the group is asked, it is a new chat of its members. */
  #begin(): void {
    this.#chatId = randomUUID();
    this.#round = 1;
    this.#next = undefined;
    this.#waiting = undefined;
    const last = this.#find(this.room.log.messages.at(-1)?.name);
    this.#speakers.length = 0;
    if (last) this.#speakers.push(last);
  }

  async *#playRound(setting: GroupSetting): AsyncGenerator<AgentEvent, EndedBy | undefined> {
    let speaker = this.#waiting;
    if (!speaker) {
      setting.span.setAttribute(Attr.chatRounds, this.#round);
      const over = this.#isOver();
      if (over) return over;
      const chosen = yield* this.#choose(setting);
      if (typeof chosen === "string") return chosen;
      speaker = chosen;
    }
    this.#waiting = undefined;
    const scope = this.#scope(setting, speaker);
    const { message, endedBy } = yield* this.room.turn(speaker, {
      ...setting,
      turn: this.#turn,
      path: [],
      scope,
    });
    if (endedBy === "suspended") this.#waiting = speaker;
    if (!message) return endedBy ?? "noReply";
    this.#spoke(speaker);
    this.#round++;
    return undefined;
  }

  #isOver(): EndedBy | undefined {
    const { maxRound, isTerminationMessage } = this.#rules;
    const last = this.room.log.messages.at(-1);
    if (last && isTerminationMessage(last)) return "termination";
    return this.#round >= maxRound ? "maxRound" : undefined;
  }

  /** The next speaker, or why there is none. Handoffs by context are taken here, before anyone speaks. */
  async *#choose(setting: GroupSetting): AsyncGenerator<AgentEvent, Agent | EndedBy> {
    const jumps = new Jumps();
    for (;;) {
      const selection = yield* this.#select(setting);
      const { speaker, nested, endedBy } = selection;
      if (!speaker) return endedBy ?? "noEligibleSpeaker";
      if (nested) {
        this.#next = { target: speaker, reason: "its nested chats are done" };
        return nestedSpeaker(speaker, nested);
      }
      const jump = await jumps.from(speaker, setting.contextVariables, this.#rules.handoffs);
      if (!jump) return speaker;
      // Where it goes from is the one that hands off, as if it had spoken.
      this.#spoke(speaker);
      this.#next = { target: jump, reason: `${speaker.name}'s handoff by context` };
      const origin = { from: speaker.name, turn: this.#turn, spanId: selection.spanId, path: [] };
      yield { type: "handoff", to: nameOfTarget(jump), reason: "by context", ...origin };
    }
  }

  async *#select(setting: GroupSetting): AsyncGenerator<AgentEvent, Selection> {
    const { signal, conversationId, contextVariables, meter } = setting;
    const scope = this.#scope(setting, undefined);
    const context = setScope(createAgentContext({ signal, conversationId }), scope);
    const { messages } = this.room.log;
    const lastSpeaker = this.#speakers.at(-1);
    const next = this.#next ?? (await this.#nextByRule(lastSpeaker, contextVariables));
    this.#next = undefined;
    const ask = this.#relay.asker(this.#rules.humanInput, context, scope.asker);
    const { user } = this.#rules.handoffs;
    const transcript = this.#transcript;
    const state = { lastSpeaker, messages, contextVariables, transcript, context, ask, meter, next, user };
    const selection = yield* this.#relay.during(() => selectSpeaker(this.#rules, state), this.#turn + 1);
    if (selection.endedBy === "suspended") {
      this.#next = next;
      return selection;
    }
    this.#turn++;
    yield* this.#tell(selection);
    return selection;
  }

  /** Waiting tool calls go to who can run them, whatever handoffs say; a function decides alone. */
  async #nextByRule(
    lastSpeaker: Agent | undefined,
    variables: Record<string, unknown>,
  ): Promise<NextTarget | undefined> {
    const lastMessage = this.room.log.messages.at(-1);
    if (lastMessage?.toolCalls?.length || typeof this.#rules.method === "function") return undefined;
    const before = this.#speakers.findLast((agent) => agent !== lastSpeaker);
    const isFirst = this.#turn === 0 && (!lastSpeaker || lastSpeaker === this.#rules.handoffs.user);
    const state = { lastSpeaker: isFirst ? undefined : lastSpeaker, before, lastMessage, variables };
    return nextByHandoff(this.#rules.handoffs, state);
  }

  *#tell({ speaker, method, candidates, reason, usage, spanId }: Selection): Generator<AgentEvent> {
    const origin = { from: this.#group.name, turn: this.#turn, spanId, path: [] };
    for (const report of usage) yield { type: "usage", ...report, ...origin };
    yield { type: "speaker-selected", method, candidates, chosen: speaker?.name ?? null, reason, ...origin };
  }

  #scope({ onHumanAnswer, asker, meter }: GroupSetting, speaker: Agent | undefined): ChatScope {
    return {
      sender: this.#group,
      chatId: this.#chatId,
      asker,
      meter,
      usesHandoffs: this.#rules.handoffs.isUsed,
      ...(onHumanAnswer ? { onHumanAnswer } : {}),
      ...(speaker ? { onTarget: (target, reason) => void (this.#next = { target, reason }) } : {}),
    };
  }

  #spoke(speaker: Agent): void {
    if (!this.#rules.agents.includes(speaker)) return;
    this.#speakers.push(speaker);
    // Only the last one, and the last other one, are ever asked for.
    if (this.#speakers.length > 64) this.#speakers.splice(0, 32);
  }

  #find(name: string | undefined): Agent | undefined {
    return name === undefined ? undefined : this.#rules.agents.find((agent) => agent.name === name);
  }

  #end({ span }: GroupSetting, endedBy: EndedBy): EndedBy {
    span.setAttribute(Attr.chatEndedBy, endedBy);
    return endedBy;
  }
}

function introduction(agents: readonly Agent[]): string {
  const list = agents.map(({ name, description }) => (description ? `${name}: ${description}` : name));
  return `These take part in the conversation:\n${list.join("\n")}`;
}
