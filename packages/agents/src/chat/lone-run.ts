/*
 * An agent alone: one question, and its turn until it answers without a tool call.
 */
import type { Agent, AgentMessage, EndedBy, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { ChatRoom } from "./chat-room.ts";
import type { ChatState } from "./chat-state.ts";
import { readOutput } from "./read-output.ts";
import type { ResumedRun, RunDriver, RunOptions, RunSetting } from "./run-driver.ts";
import { Run } from "./run.ts";

/** Stands for whoever asked. */
const asker: Agent = {
  name: "user",
  async *respond() {
    // Never a speaker.
  },
};

export function startLoneRun(
  agent: Agent,
  messages: readonly MessageInput[],
  options: RunOptions,
  { state, answers }: ResumedRun = {},
): Run {
  return new Run(new LoneChat(agent, messages, state), options, { state, answers });
}

class LoneChat implements RunDriver {
  readonly kind = "lone";
  readonly from: string;
  readonly span: RunDriver["span"];
  readonly #agent: Agent;
  readonly #openings: readonly AgentMessage[];
  readonly #room: ChatRoom;

  constructor(agent: Agent, messages: readonly MessageInput[], state: ChatState | undefined) {
    this.#agent = agent;
    this.#room = new ChatRoom(state?.room);
    this.#openings = messages.map((message) => {
      const given = typeof message === "string" ? { content: message } : message;
      return createMessage({ name: asker.name, role: "user", ...given });
    });
    this.from = agent.name;
    this.span = {
      name: `${Operations.conversation} ${agent.name}`,
      type: SpanTypes.conversation,
      attributes: {
        [Attr.operationName]: Operations.conversation,
        [Attr.chatStarter]: agent.name,
        [Attr.chatParticipants]: [agent.name],
      },
    };
  }

  async steps(setting: RunSetting): Promise<EndedBy> {
    this.#room.restore(this.#openings, setting.span);
    const { onHumanAnswer, asker: human, meter } = setting;
    const scope = { sender: asker, onHumanAnswer, asker: human, meter };
    const outcome = await this.#room.turn(this.#agent, { ...setting, turn: 1, path: [], scope });
    setting.span.setAttribute(Attr.chatTurns, 1);
    return outcome.message ? "termination" : (outcome.endedBy ?? "noReply");
  }

  toState() {
    return { room: this.#room.toState(), chat: {} };
  }

  output(): Promise<unknown> | undefined {
    return readOutput(this.#room.log.messages, [this.#agent]);
  }

  history(): readonly AgentMessage[] {
    return [...this.#room.log.messages];
  }

  async summarize(): Promise<string> {
    const last = this.#room.log.messages.findLast(({ name }) => name === this.#agent.name);
    return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
  }
}
