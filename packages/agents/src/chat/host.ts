import type { AgentMessage, EndedBy } from "@weft/runtime/agent";
import type { Agent } from "@weft/runtime/agent";
import type { ChatRoom } from "./chat-room.ts";
import type { RunSetting } from "./run-driver.ts";

/**
 * A recipient that is a whole chat (a group): whoever starts a chat with it starts that chat, and its messages are
 * the result's. The last of `messages` opens it; whoever said it may be one of the members.
 */
export interface ChatHost extends Agent {
  /** `state`: what the hosted chat's `toState` gave, when it goes on. */
  [hostChat](messages: readonly AgentMessage[], setting: RunSetting, state?: unknown): HostedChat;
}

export interface HostedChat {
  /** Holds it, to its end. */
  steps(): Promise<EndedBy>;
  /** Where the chat is held. */
  readonly room: ChatRoom;
  toState(): unknown;
}

export const hostChat: unique symbol = Symbol("weft.hostChat");

export function isChatHost(agent: Agent): agent is ChatHost {
  return hostChat in agent;
}
