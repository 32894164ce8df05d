import type { ConversableAgentOptions } from "./agent-options.ts";
import { ConversableAgent } from "./conversable-agent.ts";

const defaultSystemMessage = `You are a helpful AI assistant.
Solve the task with what you know and the tools you have, step by step where that helps.
Say what you found, and check it where you can. When everything is done, answer with the single word TERMINATE.`;

/** An agent that works by its model and asks no human. */
export class AssistantAgent<Output = unknown> extends ConversableAgent<Output> {
  constructor(options: ConversableAgentOptions<Output>) {
    super({ systemMessage: defaultSystemMessage, humanInputMode: "NEVER", ...options });
  }
}
