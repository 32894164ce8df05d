import type { ConversableAgentOptions } from "./agent-options.ts";
import { ConversableAgent } from "./conversable-agent.ts";

/** Stands for a human: asks them at every message unless told otherwise, runs tools, has no model by default. */
export class UserProxyAgent<Output = unknown> extends ConversableAgent<Output> {
  constructor(options: ConversableAgentOptions<Output>) {
    super({ systemMessage: "", humanInputMode: "ALWAYS", ...options });
  }
}
