import type { AgentMessage, MessageInput } from "@weft/runtime/agent";

type Awaitable<T> = T | Promise<T>;

interface HookContext {
  /** The agent's name. */
  readonly agent: string;
  readonly contextVariables: Record<string, unknown>;
  readonly signal: AbortSignal;
}

/** What may be put between a message and its reply. None of them changes stored history (SEMANTICS R2). */
export interface Hooks {
  /** Before anything else; may give this turn another system message. */
  readonly updateAgentState: (
    messages: readonly AgentMessage[],
    context: HookContext,
  ) => Awaitable<{ readonly systemMessage?: string } | void>;
  /** May replace the last message for this turn. */
  readonly lastReceivedMessage: (
    message: AgentMessage,
    context: HookContext,
  ) => Awaitable<MessageInput | void>;
  /** May replace the messages that are answered. */
  readonly allMessagesBeforeReply: (
    messages: readonly AgentMessage[],
    context: HookContext,
  ) => Awaitable<readonly AgentMessage[] | void>;
  /** May replace the reply before anyone sees it. */
  readonly messageBeforeSend: (message: AgentMessage, context: HookContext) => Awaitable<MessageInput | void>;
}

export type HookName = keyof Hooks;

/** Hooks by name, each kind in the order of registration. */
export class HookBook {
  readonly #hooks: { readonly [Name in HookName]: Hooks[Name][] } = {
    updateAgentState: [],
    lastReceivedMessage: [],
    allMessagesBeforeReply: [],
    messageBeforeSend: [],
  };

  /** Without hooks a turn is not held up by them. */
  isEmpty = true;

  /** Whether there is a hook of this name. */
  knows(name: string): name is HookName {
    return Object.hasOwn(this.#hooks, name);
  }

  add<Name extends HookName>(name: Name, hook: Hooks[Name]): void {
    this.#hooks[name].push(hook);
    this.isEmpty = false;
  }

  of<Name extends HookName>(name: Name): readonly Hooks[Name][] {
    return this.#hooks[name];
  }
}
