import type { Agent, AgentMessage, MessageInput } from "@weft/runtime/agent";
import { createMessage, messageText, parseMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import type { RunOptions } from "../chat/run-driver.ts";

export interface ResumeOptions extends RunOptions {
  /** Said before anyone goes on. */
  readonly message?: MessageInput;
  /** This word is taken out of the last message first, so that it does not end the chat again. */
  readonly removeTermination?: string;
  /** Answers to what a state has pending, by the requests' ids. */
  readonly answers?: Readonly<Record<string, HumanInputAnswer>>;
}

export interface Resumed {
  readonly earlier: readonly AgentMessage[];
  readonly opening: AgentMessage | undefined;
}

/** Raises `invalid_argument` for what is empty, unreadable, or said by someone who is no member (SEMANTICS G7). */
export function readResumed(
  given: unknown,
  agents: readonly Agent[],
  { message, removeTermination, answers }: ResumeOptions,
): Resumed {
  if (!Array.isArray(given)) {
    throw new WeftError(
      "invalid_argument",
      "Resume from a state, a list of messages, or the JSON of either.",
    );
  }
  if (answers) throw new WeftError("invalid_argument", "Messages have nothing pending: leave answers out.");
  const messages = given.map(parseMessage);
  if (messages.length === 0)
    throw new WeftError("invalid_argument", "There is nothing to resume: no messages.");
  const names = new Set(agents.map(({ name }) => name));
  for (const [index, { name, role }] of messages.entries()) {
    if (name === undefined || names.has(name) || (index === 0 && role !== "assistant") || role === "user")
      continue;
    throw new WeftError(
      "invalid_argument",
      `Message ${index} is by "${name}", which is no member of the group.`,
    );
  }
  const last = messages.at(-1);
  if (last && removeTermination) messages[messages.length - 1] = withoutWord(last, removeTermination);
  const said = typeof message === "string" ? { content: message } : message;
  return {
    earlier: messages,
    opening: said && createMessage({ name: "user", ...said, role: said.role ?? "user" }),
  };
}

/** A text is JSON. */
export function parseGiven(given: unknown): unknown {
  if (typeof given !== "string") return given;
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw new WeftError("invalid_argument", "What to resume from is not JSON.", { cause });
  }
}

function withoutWord(message: AgentMessage, word: string): AgentMessage {
  const { id: _, ...rest } = message;
  return createMessage({ ...rest, content: messageText(message).replaceAll(word, "").trim() });
}
