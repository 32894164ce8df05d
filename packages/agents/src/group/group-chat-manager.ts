import type {
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentYield,
  Emit,
  TurnDescription,
} from "@weft/runtime/agent";
import { PushingAgent, pushReply } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { IsTerminationMessage } from "../agent/termination.ts";
import type { ChatHost, HostedChat } from "../chat/host.ts";
import { hostChat } from "../chat/host.ts";
import type { RunSetting } from "../chat/run-driver.ts";
import type { ModelInput } from "../model/model-of.ts";
import { GroupChat } from "./group-chat.ts";

export interface GroupChatManagerOptions {
  readonly groupChat: GroupChat;
  /** Default `chat_manager`. */
  readonly name?: string;
  readonly description?: string;
  /** Whom `auto` asks, unless the group has a `selectorModel`. */
  readonly model?: ModelInput;
  /** Default: the group's. */
  readonly isTerminationMessage?: IsTerminationMessage;
}

/** A group chat under AG2's name for it: who is told to start a chat with it starts the group's chat. */
export class GroupChatManager extends PushingAgent implements ChatHost {
  readonly name: string;
  readonly description?: string;
  readonly groupChat: GroupChat;
  readonly turn: TurnDescription;
  readonly #group: GroupChat;

  constructor(options: GroupChatManagerOptions) {
    super();
    const { groupChat, name = "chat_manager", model, isTerminationMessage, description } = options;
    if (!(groupChat instanceof GroupChat)) {
      throw new WeftError("invalid_argument", "A GroupChatManager needs a groupChat.");
    }
    const own = groupChat.options;
    this.#group = new GroupChat({
      ...own,
      name,
      ...(model !== undefined && own.selectorModel === undefined ? { selectorModel: model } : {}),
      ...(isTerminationMessage ? { isTerminationMessage } : {}),
      ...(description === undefined ? {} : { description }),
    });
    this.groupChat = groupChat;
    this.name = name;
    this.turn = this.#group.turn;
    const told = this.#group.description;
    if (told !== undefined) this.description = told;
  }

  [pushReply](request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void> {
    return this.#group[pushReply](request, context, emit);
  }

  [hostChat](messages: readonly AgentMessage[], setting: RunSetting, state?: unknown): HostedChat {
    return this.#group[hostChat](messages, setting, state);
  }
}
