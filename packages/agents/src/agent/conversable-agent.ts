/*
 * ConversableAgent: an agent that talks, by a chain of reply steps.
 *
 * Job: says how it replies; starts chats.
 * Owns: its configuration: chain, hooks, tools. Does not own: any running conversation (SEMANTICS M2).
 *
 * I1  What it needs of a conversation is in the request and the context of a turn, so it may be in many chats at once.
 */
import type {
  Agent,
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentSkill,
  AgentYield,
  MessageInput,
} from "@weft/runtime/agent";
import { createAgentContext, createMessage, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { ChatResult } from "../chat/chat-result.ts";
import { lastChat } from "../chat/last-chats.ts";
import type { Run, RunOptions } from "../chat/run.ts";
import { scopeOf, setScope } from "../chat/scope.ts";
import { startLoneRun } from "../chat/lone-run.ts";
import type { TwoAgentOptions } from "../chat/two-agent-chat.ts";
import { startTwoAgentChat } from "../chat/two-agent-chat.ts";
import type { SequentialChat } from "../chat/initiate-chats.ts";
import { initiateChats } from "../chat/initiate-chats.ts";
import type { ChatModel } from "../model/chat-model.ts";
import { modelOf } from "../model/model-of.ts";
import type { Tool } from "../tool/tool.ts";
import { ToolBook } from "../tool/tool-book.ts";
import type { ConversableAgentOptions } from "./agent-options.ts";
import { checkAgentOptions } from "./agent-options.ts";
import { AutoReplyCounter } from "./auto-reply-counter.ts";
import type { HookName, Hooks } from "./hooks.ts";
import { HookBook } from "./hooks.ts";
import type { HumanInput, HumanInputMode } from "./human-input.ts";
import { humanStep, senderName } from "./human-step.ts";
import { modelStep } from "./model-step.ts";
import type {
  RegisterReplyOptions,
  ReplyFunction,
  ReplyOutcome,
  ReplyStep,
  ReplyTrigger,
  ReplyTurn,
} from "./reply-chain.ts";
import { ReplyChain } from "./reply-chain.ts";
import { isDefaultTermination } from "./termination.ts";
import { toolStep } from "./tool-step.ts";

export type AgentRunOptions = RunOptions & Partial<TwoAgentOptions>;

export interface GenerateReplyOptions {
  readonly sender?: Agent | string;
  readonly signal?: AbortSignal;
  readonly contextVariables?: Record<string, unknown>;
}

export class ConversableAgent implements Agent {
  readonly name: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  readonly systemMessage: string;
  readonly model: ChatModel | undefined;
  readonly humanInputMode: HumanInputMode;
  /** Who is asked when a human is; a chat that starts without a message asks here too. */
  readonly humanInput: HumanInput | undefined;
  readonly maxConsecutiveAutoReply: number;
  readonly contextVariables: Readonly<Record<string, unknown>>;
  readonly #defaultAutoReply: MessageInput;
  readonly #chain: ReplyChain;
  readonly #hooks = new HookBook();
  readonly #tools = new ToolBook();

  /** Raises `invalid_argument` for a wrong option, naming it. */
  constructor(options: ConversableAgentOptions) {
    checkAgentOptions(options);
    this.name = options.name;
    if (options.description !== undefined) this.description = options.description;
    if (options.skills !== undefined) this.skills = options.skills;
    this.systemMessage = options.systemMessage ?? "You are a helpful AI assistant.";
    this.model =
      options.model === undefined ? undefined : modelOf(options.model, `Agent "${options.name}": model`);
    this.humanInputMode = options.humanInputMode ?? "TERMINATE";
    this.humanInput = options.humanInput;
    this.maxConsecutiveAutoReply = options.maxConsecutiveAutoReply ?? 100;
    this.contextVariables = options.contextVariables ?? {};
    this.#defaultAutoReply = options.defaultAutoReply ?? "";
    for (const tool of options.tools ?? []) this.registerForLLM(tool).registerForExecution(tool);
    this.#chain = new ReplyChain(this.#defaultSteps(options));
    this.#addHooks(options.hooks ?? {});
  }

  #defaultSteps(options: ConversableAgentOptions): readonly ReplyStep[] {
    const { name, humanInput, humanInputMode: mode, maxConsecutiveAutoReply } = this;
    const isTerminationMessage =
      options.isTerminationMessage ?? options.isTerminationMsg ?? isDefaultTermination;
    const steps = [
      humanStep({ name, mode, humanInput, maxConsecutiveAutoReply, isTerminationMessage }),
      toolStep(name, this.#tools),
    ];
    if (!this.model) return steps;
    const { modelSettings: settings, maxToolRounds = 20 } = options;
    const tools = this.#tools;
    return [
      ...steps,
      modelStep({ name, model: this.model, settings, responseFormat: undefined, tools, maxToolRounds }),
    ];
  }

  /** One turn. Whoever asks: a chat, a group, or a service. */
  async *respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
    const turn = await this.#openTurn(request, context);
    const outcome = yield* this.#chain.reply(turn);
    const reply = outcome ?? ({ final: true, reply: this.#defaultAutoReply } satisfies ReplyOutcome);
    if (reply.reply === null) {
      yield { type: "end", endedBy: reply.endedBy ?? "noReply" };
      return;
    }
    new AutoReplyCounter(context, senderName(turn, request.messages.at(-1))).increment();
    const message = await this.#beforeSend(this.#toMessage(reply.reply), turn);
    yield { type: "message", text: messageText(message), message };
  }

  /** A reply outside any chat: undefined when the agent has none (a termination message, a human's `exit`). */
  async generateReply(
    messages: readonly MessageInput[],
    options: GenerateReplyOptions = {},
  ): Promise<AgentMessage | undefined> {
    const context = createAgentContext(options.signal ? { signal: options.signal } : {});
    if (typeof options.sender === "object") setScope(context, { sender: options.sender });
    for (const message of messages) context.history.append(createMessage(message));
    const request = {
      messages: context.history.messages,
      newFrom: Math.max(0, context.history.length - 1),
      contextVariables: options.contextVariables ?? { ...this.contextVariables },
    };
    for await (const step of this.respond(request, context)) {
      if (typeof step === "object" && "type" in step && step.type === "message")
        return createMessage(step.message);
    }
    return undefined;
  }

  /**
   * Starts a run: with `recipient` a chat with it, without one this agent's answer to `message`.
   * It is under way at once; read its events, or await its `result`.
   */
  run(message?: TwoAgentOptions["message"], options: AgentRunOptions = {}): Run {
    const contextVariables = { ...this.contextVariables, ...options.contextVariables };
    const { recipient } = options;
    if (recipient)
      return startTwoAgentChat(this, recipient, { ...options, message, recipient, contextVariables });
    if (message === undefined || typeof message === "function") {
      throw new WeftError("invalid_argument", `Agent "${this.name}": run needs a message, or a recipient.`);
    }
    return startLoneRun(this, message, { ...options, contextVariables });
  }

  /** A chat with `recipient`, to its end. The same as `run(message, { recipient, … }).result`. */
  async initiateChat(
    recipient: Agent,
    options: Omit<AgentRunOptions, "recipient"> = {},
  ): Promise<ChatResult> {
    return this.run(options.message, { ...options, recipient }).result;
  }

  /** Chats one after another, each with the summaries of those before (SEMANTICS C4). */
  initiateChats(chats: readonly Omit<SequentialChat, "sender">[]): Promise<readonly ChatResult[]> {
    return initiateChats(chats.map((chat) => ({ ...chat, sender: this })));
  }

  /** Offers a tool to this agent's model; another agent may be the one to run it. */
  registerForLLM(tool: Tool): this {
    this.#tools.offer(tool);
    return this;
  }

  /** Lets this agent run a tool, whoever's model calls it. */
  registerForExecution(tool: Tool): this {
    this.#tools.enable(tool);
    return this;
  }

  /** Puts a reply function into the chain, before all others unless `position` says otherwise. */
  registerReply<Config = undefined>(
    trigger: ReplyTrigger,
    reply: ReplyFunction<Config>,
    options: RegisterReplyOptions<Config> = {},
  ): this {
    this.#chain.register(trigger, reply, options);
    return this;
  }

  /** Raises `invalid_argument` for a hook of an unknown name. */
  registerHook<Name extends HookName>(name: Name, hook: Hooks[Name]): this {
    if (!this.#hooks.knows(name))
      throw new WeftError("invalid_argument", `There is no hook "${String(name)}".`);
    this.#hooks.add(name, hook);
    return this;
  }

  /** Whether this agent can run a tool of this name. */
  canRunTool(name: string): boolean {
    return this.#tools.canRun(name);
  }

  /** Whether this agent can run any tool. */
  get hasTools(): boolean {
    return this.#tools.runnable.size > 0;
  }

  /** The messages of the last chat with `peer` that ended, as this agent saw them; [] when there was none. */
  chatMessages(peer: Agent): readonly AgentMessage[] {
    return lastChat(this, peer);
  }

  lastMessage(peer: Agent): AgentMessage | undefined {
    return this.chatMessages(peer).at(-1);
  }

  async #openTurn(request: AgentRequest, context: AgentContext): Promise<ReplyTurn> {
    const hook = this.#hookContext(request, context);
    let { systemMessage } = this;
    for (const update of this.#hooks.of("updateAgentState")) {
      systemMessage = (await update(request.messages, hook))?.systemMessage ?? systemMessage;
    }
    const messages = await this.#rewrite(request.messages, hook);
    const sender = scopeOf(context)?.sender ?? request.messages.at(-1)?.name;
    return { request, context, messages, systemMessage, sender };
  }

  async #rewrite(given: readonly AgentMessage[], hook: HookContext): Promise<readonly AgentMessage[]> {
    let messages = given;
    for (const rewrite of this.#hooks.of("allMessagesBeforeReply"))
      messages = (await rewrite(messages, hook)) ?? messages;
    for (const rewrite of this.#hooks.of("lastReceivedMessage")) {
      const last = messages.at(-1);
      const rewritten = last && (await rewrite(last, hook));
      if (last && rewritten !== undefined) messages = [...messages.slice(0, -1), renewed(last, rewritten)];
    }
    return messages;
  }

  async #beforeSend(message: AgentMessage, { request, context }: ReplyTurn): Promise<AgentMessage> {
    let sent = message;
    for (const rewrite of this.#hooks.of("messageBeforeSend")) {
      const rewritten = await rewrite(sent, this.#hookContext(request, context));
      if (rewritten !== undefined && rewritten !== sent) sent = renewed(sent, rewritten);
    }
    return sent;
  }

  #hookContext({ contextVariables }: AgentRequest, { signal }: AgentContext): HookContext {
    return { agent: this.name, contextVariables, signal };
  }

  #toMessage(reply: MessageInput): AgentMessage {
    const given = typeof reply === "string" ? { content: reply } : reply;
    const role = given.toolResponses?.length ? "tool" : "assistant";
    if (given.name === this.name && given.id && given.role === role && Object.isFrozen(given))
      return given as AgentMessage;
    return createMessage({ ...given, name: this.name, role });
  }

  #addHooks(hooks: NonNullable<ConversableAgentOptions["hooks"]>): void {
    for (const [name, given] of Object.entries(hooks) as [HookName, Hooks[HookName] | Hooks[HookName][]][]) {
      for (const hook of Array.isArray(given) ? given : [given]) this.registerHook(name, hook);
    }
  }
}

type HookContext = Parameters<Hooks["messageBeforeSend"]>[1];

/** A rewritten message is another message: it gets an id of its own. */
function renewed(original: AgentMessage, rewritten: MessageInput): AgentMessage {
  const { id: _, ...rest } = original;
  const { id: __, ...given } = typeof rewritten === "string" ? { content: rewritten } : rewritten;
  return createMessage({ ...rest, ...given });
}
