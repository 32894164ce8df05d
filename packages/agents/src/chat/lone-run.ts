/*
 * An agent alone: one question, and its turn until it answers without a tool call.
 */
import type { Agent, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { ChatRoom } from "./chat-room.ts";
import type { RunOptions } from "./run.ts";
import { Run } from "./run.ts";

/** Stands for whoever asked. */
const asker: Agent = {
  name: "user",
  async *respond() {
    // Never a speaker.
  },
};

export function startLoneRun(agent: Agent, message: MessageInput, options: RunOptions): Run {
  const room = new ChatRoom();
  const given = typeof message === "string" ? { content: message } : message;
  const opening = createMessage({ name: asker.name, ...given, role: "user" });
  return new Run(
    {
      from: agent.name,
      span: {
        name: `${Operations.conversation} ${agent.name}`,
        type: SpanTypes.conversation,
        attributes: {
          [Attr.operationName]: Operations.conversation,
          [Attr.chatStarter]: agent.name,
          [Attr.chatParticipants]: [agent.name],
        },
      },
      async *steps(setting) {
        room.add(opening, setting.span);
        const scope = { sender: asker, onHumanAnswer: setting.onHumanAnswer };
        const outcome = yield* room.turn(agent, { ...setting, turn: 1, path: [], scope });
        setting.span.setAttribute(Attr.chatTurns, 1);
        return outcome.message ? "termination" : (outcome.endedBy ?? "noReply");
      },
      history: () => [...room.log.messages],
      async summarize() {
        const last = room.log.messages.findLast(({ name }) => name === agent.name);
        return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
      },
    },
    options,
  );
}
