/*
 * An agent alone: one question, and its turn until it answers without a tool call.
 */
import type { Agent, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { ChatRoom } from "./chat-room.ts";
import { readOutput } from "./read-output.ts";
import type { ResumedRun, RunOptions } from "./run.ts";
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
  const room = new ChatRoom(state?.room);
  const openings = messages.map((message) => {
    const given = typeof message === "string" ? { content: message } : message;
    return createMessage({ name: asker.name, role: "user", ...given });
  });
  return new Run(
    {
      kind: "lone",
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
        room.restore(openings, setting.span);
        const { onHumanAnswer, asker: human, meter } = setting;
        const scope = { sender: asker, onHumanAnswer, asker: human, meter };
        const outcome = yield* room.turn(agent, { ...setting, turn: 1, path: [], scope });
        setting.span.setAttribute(Attr.chatTurns, 1);
        return outcome.message ? "termination" : (outcome.endedBy ?? "noReply");
      },
      toState: () => ({ room: room.toState(), chat: {} }),
      output: () => readOutput(room.log.messages, [agent]),
      history: () => [...room.log.messages],
      async summarize() {
        const last = room.log.messages.findLast(({ name }) => name === agent.name);
        return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
      },
    },
    options,
    { state, answers },
  );
}
