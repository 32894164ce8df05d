import type { Agent, MessageInput } from "@weft/runtime/agent";
import { parseMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import type { ChatState } from "./chat-state.ts";
import { isChatState, readChatState } from "./chat-state.ts";
import { startLoneRun } from "./lone-run.ts";
import type { RunOptions } from "./run-driver.ts";
import { Run } from "./run.ts";
import type { TwoAgentOptions } from "./two-agent-chat.ts";
import { startTwoAgentChat, twoAgentDriver } from "./two-agent-chat.ts";

export interface AgentResumeOptions extends RunOptions, Partial<Omit<TwoAgentOptions, "message">> {
  /** Answers to what the state has pending, by the requests' ids. */
  readonly answers?: Readonly<Record<string, HumanInputAnswer>>;
  /** Said before anyone goes on; only when going on from messages. */
  readonly message?: MessageInput;
}

/** Raises `invalid_argument` for a state or messages that cannot be read, naming what is wrong. */
export function resumeChat(agent: Agent, from: unknown, options: AgentResumeOptions): Run {
  const given = parseJson(from);
  return isChatState(given) ? fromState(agent, given, options) : fromMessages(agent, given, options);
}

function fromState(agent: Agent, given: unknown, options: AgentResumeOptions): Run {
  const { recipient, answers, message, ...rest } = options;
  if (message !== undefined) {
    throw new WeftError("invalid_argument", "A state goes on by its answers; leave message out.");
  }
  const kind: ChatState["kind"] = recipient ? "twoAgent" : "lone";
  const state = readChatState(given, kind, agent.name);
  if (!recipient) return startLoneRun(agent, [], rest, { state, answers });
  const { recipient: before = recipient.name, turn } = state.chat as {
    readonly recipient?: string;
    readonly turn?: unknown;
  };
  if (!Number.isInteger(turn)) {
    throw new WeftError("invalid_argument", "The chat's state cannot be read: chat.turn is wrong.");
  }
  if (before !== recipient.name) {
    throw new WeftError(
      "invalid_argument",
      `The chat's state is of a chat with "${before}", not with "${recipient.name}".`,
    );
  }
  return startTwoAgentChat(agent, recipient, { ...rest, recipient }, { state, answers });
}

function fromMessages(agent: Agent, given: unknown, options: AgentResumeOptions): Run {
  if (!Array.isArray(given) || given.length === 0) {
    throw new WeftError("invalid_argument", "Resume from a chat's state, or a list of its messages.");
  }
  const { recipient, message, answers, ...rest } = options;
  if (answers) throw new WeftError("invalid_argument", "Messages have nothing pending: leave answers out.");
  const earlier = given.map(parseMessage);
  if (!recipient) return startLoneRun(agent, [...earlier, ...(message === undefined ? [] : [message])], rest);
  const chat = { ...rest, recipient, message };
  return new Run(twoAgentDriver(agent, recipient, chat, { earlier }), rest);
}

function parseJson(from: unknown): unknown {
  if (typeof from !== "string") return from;
  try {
    return JSON.parse(from);
  } catch (cause) {
    throw new WeftError("invalid_argument", "What to resume from is not JSON.", { cause });
  }
}
