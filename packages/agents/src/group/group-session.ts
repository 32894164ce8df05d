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
import type {
  Agent,
  AgentContext,
  AgentEvent,
  AgentMessage,
  Emit,
  EndedBy,
  InputRequest,
} from "@weft/runtime/agent";
import { createAgentContext, createMessage, nestedJournal } from "@weft/runtime/agent";
import type { Span } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import type { QuestionEvent } from "../agent/human-input.ts";
import { askHuman, createInputRequest } from "../agent/human-input.ts";
import type { IsTerminationMessage } from "../agent/termination.ts";
import { ChatRoom } from "../chat/chat-room.ts";
import type { RunSetting } from "../chat/run-driver.ts";
import type { Answered, Asker, ChatScope } from "../chat/scope.ts";
import { setScope } from "../chat/scope.ts";
import type { HandoffRules, NextTarget } from "../handoff/handoff-rules.ts";
import { nextByHandoff } from "../handoff/handoff-rules.ts";
import { nameOfTarget, target } from "../handoff/target.ts";
import { SelectorTranscript } from "./auto-selector.ts";
import { Jumps } from "./jumps.ts";
import { NestedSpeakers } from "./nested-speakers.ts";
import type { SessionState } from "./session-state.ts";
import { selectSpeaker } from "./select-speaker.ts";
import type { Selection, SelectionRules } from "./selection.ts";

export interface GroupRules extends SelectionRules {
  readonly maxRound: number;
  readonly isTerminationMessage: IsTerminationMessage;
  readonly sendIntroductions: boolean;
  readonly handoffs: HandoffRules;
}

/** What a run gives, or the turn in which the group answers as an agent. */
export interface GroupSetting extends Omit<RunSetting, "span" | "onHumanAnswer"> {
  /** The group's own span: rounds and the ending are said on it. */
  readonly span: Span;
  readonly onHumanAnswer?: RunSetting["onHumanAnswer"] | undefined;
}

export class GroupSession {
  readonly room: ChatRoom;
  readonly #group: Agent;
  readonly #rules: GroupRules;
  readonly #transcript: SelectorTranscript;
  readonly #speakers: Agent[] = [];
  readonly #nested: NestedSpeakers;
  #turn: number;
  #round: number;
  #chatId: string;
  #next: NextTarget | undefined;
  /** Who speaks next, asked of a human and not answered. */
  #question: InputRequest | undefined;
  /** Whose turn was suspended. */
  #waiting: Agent | undefined;
  #isSuspended = false;

  constructor(group: Agent, rules: GroupRules, state?: SessionState) {
    this.#group = group;
    this.#rules = rules;
    this.room = new ChatRoom(state?.room);
    this.#transcript = new SelectorTranscript(this.room.log);
    this.#nested = new NestedSpeakers(rules.handoffs);
    this.#turn = state?.turn ?? 0;
    this.#round = state?.round ?? 1;
    this.#chatId = state?.chatId ?? "";
    this.#isSuspended = state !== undefined;
    this.#question = state?.question;
    const find = (name: string | undefined): Agent | undefined => this.#find(name);
    for (const name of state?.speakers ?? []) this.#speakers.push(...[find(name)].filter((each) => !!each));
    this.#waiting = state?.nested ? this.#nested.find(state.nested) : find(state?.waiting);
    const next = find(state?.next);
    const sentTo = state?.asksUser ? target.askUser : next;
    if (sentTo) this.#next = { target: sentTo, reason: "as before" };
  }

  /** Whether its last rounds ended with a question. */
  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** Plain data. Of targets that are no agents only a human's choice outlasts the round that sets it: it may be waited for. */
  toState(): SessionState {
    const next = this.#next && nameOfTarget(this.#next.target);
    const asksUser = this.#next?.target === target.askUser;
    const nested = this.#nested.toState(this.#waiting);
    return {
      room: this.room.toState(),
      turn: this.#turn,
      round: this.#round,
      chatId: this.#chatId,
      speakers: this.#speakers.map(({ name }) => name),
      ...(this.#waiting ? { waiting: this.#waiting.name } : {}),
      ...(nested ? { nested } : {}),
      ...(this.#question ? { question: this.#question } : {}),
      ...(asksUser ? { asksUser } : next === undefined ? {} : { next }),
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
  async rounds(setting: GroupSetting): Promise<EndedBy> {
    if (!this.#isSuspended) this.#begin();
    this.#isSuspended = false;
    for (;;) {
      const endedBy = await this.#playRound(setting);
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

  async #playRound(setting: GroupSetting): Promise<EndedBy | undefined> {
    let speaker = this.#waiting;
    if (!speaker) {
      setting.span.setAttribute(Attr.chatRounds, this.#round);
      const over = this.#isOver();
      if (over) return over;
      const chosen = await this.#choose(setting);
      if (typeof chosen === "string") return chosen;
      speaker = chosen;
    }
    this.#waiting = undefined;
    const scope = this.#scope(setting, speaker);
    const turn = { ...setting, turn: this.#turn, path: [], scope };
    const { message, endedBy } = await this.room.turn(speaker, turn);
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
  async #choose(setting: GroupSetting): Promise<Agent | EndedBy> {
    const jumps = new Jumps();
    for (;;) {
      const selection = await this.#select(setting);
      const { speaker, nested, endedBy } = selection;
      if (!speaker) return endedBy ?? "noEligibleSpeaker";
      if (nested) {
        this.#next = { target: speaker, reason: "its nested chats are done" };
        return this.#nested.speakerFor(speaker, nested);
      }
      const jump = await jumps.from(speaker, setting.contextVariables, this.#rules.handoffs);
      if (!jump) return speaker;
      // Where it goes from is the one that hands off, as if it had spoken.
      this.#spoke(speaker);
      this.#next = { target: jump, reason: `${speaker.name}'s handoff by context` };
      const origin = { from: speaker.name, turn: this.#turn, spanId: selection.spanId, path: [] };
      await setting.emit({ type: "handoff", to: nameOfTarget(jump), reason: "by context", ...origin });
    }
  }

  async #select(setting: GroupSetting): Promise<Selection> {
    const { signal, conversationId, contextVariables, meter, emit } = setting;
    const scope = this.#scope(setting, undefined);
    const journal = setting.journal && nestedJournal(setting.journal, "selection");
    const context = setScope(
      createAgentContext({ signal, conversationId, ...(journal ? { journal } : {}) }),
      scope,
    );
    const { messages } = this.room.log;
    const lastSpeaker = this.#speakers.at(-1);
    const next = this.#next ?? (await this.#nextByRule(lastSpeaker, contextVariables));
    this.#next = undefined;
    const origin = { from: this.#group.name, turn: this.#turn + 1, spanId: "", path: [] };
    const ask = (wanted: Omit<InputRequest, "id">): Promise<Answered> =>
      this.#ask(wanted, context, scope.asker, (event) => emit({ ...event, ...origin }));
    const { user } = this.#rules.handoffs;
    const transcript = this.#transcript;
    const state = { lastSpeaker, messages, contextVariables, transcript, context, ask, meter, next, user };
    const selection = await selectSpeaker(this.#rules, state);
    if (selection.endedBy === "suspended") {
      // Whatever led there: a choice waits for a human because a target was to ask one.
      this.#next = next && { ...next, target: target.askUser };
      return selection;
    }
    this.#turn++;
    await this.#tell(selection, emit);
    return selection;
  }

  /** Asks a human who speaks; a question that stays open is put again when the choice is taken up. */
  async #ask(
    wanted: Omit<InputRequest, "id">,
    context: AgentContext,
    asker: Asker | undefined,
    emit: Emit<QuestionEvent>,
  ): Promise<Answered> {
    const request = (this.#question ??= createInputRequest(wanted));
    const { humanInput } = this.#rules;
    const answered = await askHuman({ request, humanInput, context, asker, emit });
    if (typeof answered === "object") this.#question = undefined;
    return answered;
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

  async #tell(selection: Selection, emit: Emit<AgentEvent>): Promise<void> {
    const { speaker, method, candidates, reason, usage, spanId } = selection;
    const origin = { from: this.#group.name, turn: this.#turn, spanId, path: [] };
    for (const report of usage) await emit({ type: "usage", ...report, ...origin });
    const chosen = speaker?.name ?? null;
    await emit({ type: "speaker-selected", method, candidates, chosen, reason, ...origin });
  }

  #scope({ onHumanAnswer, asker, meter }: GroupSetting, speaker: Agent | undefined): ChatScope {
    return {
      sender: this.#group,
      chatId: this.#chatId,
      asker,
      meter,
      usesHandoffs: this.#rules.handoffs.isUsed,
      ...(onHumanAnswer ? { onHumanAnswer } : {}),
      ...(speaker ? { onTarget: (to, reason) => void (this.#next = { target: to, reason }) } : {}),
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
