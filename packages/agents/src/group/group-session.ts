/*
 * GroupSession: one group chat's conversation.
 *
 * Job: lets members speak, one after another, until a reason to end.
 * Owns: the room, who spoke last, the selector's transcript. Does not own: the group's rules.
 *
 * I1  Every round is one selection and one turn; the opening counts as a round (SEMANTICS G1).
 * I2  It always says why it ended (G8).
 * I3  A round costs what is new since the speaker's last turn, whatever the team's size and the chat's length.
 */
import { randomUUID } from "node:crypto";
import type { Agent, AgentEvent, AgentMessage, EndedBy, Hop } from "@weft/runtime/agent";
import { createAgentContext, createMessage } from "@weft/runtime/agent";
import type { Span } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";
import type { IsTerminationMessage } from "../agent/termination.ts";
import { ChatRoom } from "../chat/chat-room.ts";
import type { ChatScope, HumanAnswer } from "../chat/scope.ts";
import { setScope } from "../chat/scope.ts";
import { SelectorTranscript } from "./auto-selector.ts";
import type { Selection, SelectionRules } from "./select-speaker.ts";
import { selectSpeaker } from "./select-speaker.ts";

export interface GroupRules extends SelectionRules {
  readonly maxRound: number;
  readonly isTerminationMessage: IsTerminationMessage;
  readonly sendIntroductions: boolean;
}

export interface GroupSetting {
  /** The group's own span: rounds and the ending are said on it. */
  readonly span: Span;
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  readonly onHumanAnswer?: ((answer: HumanAnswer) => void) | undefined;
}

export class GroupSession {
  readonly room = new ChatRoom();
  readonly #group: Agent;
  readonly #rules: GroupRules;
  readonly #transcript: SelectorTranscript;
  #turn = 0;
  #chatId = "";

  constructor(group: Agent, rules: GroupRules) {
    this.#group = group;
    this.#rules = rules;
    this.#transcript = new SelectorTranscript(this.room.log);
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
    const { maxRound, isTerminationMessage } = this.#rules;
    // Each time the group is asked, it is a new chat of its members.
    this.#chatId = randomUUID();
    let lastSpeaker = this.#speakerOf(this.room.log.messages.at(-1));
    for (let round = 1; ; round++) {
      setting.span.setAttribute(Attr.chatRounds, round);
      const last = this.room.log.messages.at(-1);
      if (last && isTerminationMessage(last)) return this.#end(setting, "termination");
      if (round >= maxRound) return this.#end(setting, "maxRound");
      const { speaker, ...selection } = await this.#select(lastSpeaker, setting);
      this.#turn++;
      yield* this.#tell({ speaker, ...selection });
      if (!speaker) return this.#end(setting, "noEligibleSpeaker");
      const { message, endedBy } = yield* this.room.turn(speaker, {
        ...setting,
        turn: this.#turn,
        path: [],
        scope: this.#scope(setting),
      });
      if (!message) return this.#end(setting, endedBy ?? "noReply");
      lastSpeaker = speaker;
    }
  }

  #select(lastSpeaker: Agent | undefined, setting: GroupSetting): Promise<Selection> {
    const { signal, conversationId, contextVariables } = setting;
    const context = setScope(createAgentContext({ signal, conversationId }), this.#scope(setting));
    const { messages } = this.room.log;
    return selectSpeaker(this.#rules, {
      lastSpeaker,
      messages,
      contextVariables,
      transcript: this.#transcript,
      context,
    });
  }

  *#tell({ speaker, method, candidates, reason, usage, spanId }: Selection): Generator<AgentEvent> {
    const origin = { from: this.#group.name, turn: this.#turn, spanId, path: [] };
    for (const report of usage) yield { type: "usage", ...report, ...origin };
    yield { type: "speaker-selected", method, candidates, chosen: speaker?.name ?? null, reason, ...origin };
  }

  #scope({ onHumanAnswer }: GroupSetting): ChatScope {
    return { sender: this.#group, chatId: this.#chatId, ...(onHumanAnswer ? { onHumanAnswer } : {}) };
  }

  #speakerOf(message: AgentMessage | undefined): Agent | undefined {
    return message && this.#rules.agents.find(({ name }) => name === message.name);
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
