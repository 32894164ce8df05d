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
  Emit,
  MessageInput,
} from "@weft/runtime/agent";
import { PushingAgent, pushReply } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { ChatResult } from "../chat/chat-result.ts";
import { forgetChats, lastChat } from "../chat/last-chats.ts";
import type { Run } from "../chat/run.ts";
import type { RunOptions } from "../chat/run-driver.ts";
import { startLoneRun } from "../chat/lone-run.ts";
import type { NestedChat } from "../chat/nested-chat.ts";
import { nestedStep } from "../chat/nested-step.ts";
import type { AgentResumeOptions } from "../chat/resume-chat.ts";
import { resumeChat } from "../chat/resume-chat.ts";
import type { TwoAgentOptions } from "../chat/two-agent-chat.ts";
import { checkRecipient, startTwoAgentChat } from "../chat/two-agent-chat.ts";
import type { GraphChat, SequentialChat } from "../chat/initiate-chats.ts";
import { initiateChats } from "../chat/initiate-chats.ts";
import { codeStep } from "../code/code-step.ts";
import type { Guardrail } from "../handoff/guardrail.ts";
import type { AfterWork, Handoff } from "../handoff/handoff.ts";
import { TransferTools } from "../handoff/transfer-tools.ts";
import type { ChatModel } from "../model/chat-model.ts";
import { modelOf } from "../model/model-of.ts";
import type { Tool } from "../tool/tool.ts";
import { ToolBook } from "../tool/tool-book.ts";
import { readTools } from "../tool/tool-set.ts";
import type { ConversableAgentOptions } from "./agent-options.ts";
import { checkAgentOptions } from "./agent-options.ts";
import type { Replier } from "./answer-turn.ts";
import { answerTurn } from "./answer-turn.ts";
import type { GenerateReplyOptions } from "./direct-reply.ts";
import { generateReply, receiveMessage, sendMessage } from "./direct-reply.ts";
import type { HookName, Hooks } from "./hooks.ts";
import { HookBook } from "./hooks.ts";
import type { HumanInput, HumanInputMode } from "./human-answer.ts";
import { humanStep } from "./human-step.ts";
import { modelStep } from "./model-step.ts";
import { OutputForm } from "./output-form.ts";
import type { RegisterReplyOptions, ReplyFunction, ReplyStep, ReplyTrigger } from "./reply-chain.ts";
import { ReplyChain } from "./reply-chain.ts";
import { isDefaultTermination } from "./termination.ts";
import { toolStep } from "./tool-step.ts";

export type AgentRunOptions = RunOptions & Partial<TwoAgentOptions>;

export class ConversableAgent<Output = unknown> extends PushingAgent implements Agent {
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
  /** Where the conversation may go from here, in a group. */
  readonly handoffs: readonly Handoff[];
  readonly afterWork: AfterWork | undefined;
  readonly guardrails: readonly Guardrail[];
  readonly #form: OutputForm | undefined;
  readonly #chain: ReplyChain;
  readonly #hooks = new HookBook();
  readonly #replier: Replier;
  readonly #tools = new ToolBook();

  /** Raises `invalid_argument` for a wrong option, naming it. */
  constructor(options: ConversableAgentOptions<Output>) {
    super();
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
    this.handoffs = options.handoffs ?? [];
    this.afterWork = options.afterWork;
    this.guardrails = options.guardrails ?? [];
    if (options.responseFormat !== undefined)
      this.#form = new OutputForm(options.responseFormat, options.name);
    for (const tool of readTools(options.tools)) this.registerForLLM(tool).registerForExecution(tool);
    this.#chain = new ReplyChain(this.#defaultSteps(options));
    const { defaultAutoReply = "" } = options;
    this.#replier = { agent: this, chain: this.#chain, hooks: this.#hooks, defaultAutoReply };
    this.#addHooks(options.hooks ?? {});
  }

  #defaultSteps(options: ConversableAgentOptions<Output>): readonly ReplyStep[] {
    const { name, humanInput, humanInputMode: mode, maxConsecutiveAutoReply } = this;
    const isTerminationMessage =
      options.isTerminationMessage ?? options.isTerminationMsg ?? isDefaultTermination;
    const tools = this.#tools;
    const steps = [
      humanStep({ name, mode, humanInput, maxConsecutiveAutoReply, isTerminationMessage }),
      toolStep(name, tools, humanInput),
    ];
    if (options.codeExecution) steps.push(codeStep(name, options.codeExecution));
    if (!this.model) return steps;
    const { modelSettings: settings, maxToolRounds = 20 } = options;
    const transfers = new TransferTools(this.handoffs);
    const responseFormat = this.#form?.forModel;
    const { model } = this;
    return [
      ...steps,
      modelStep({ name, model, settings, responseFormat, tools, transfers, maxToolRounds, humanInput }),
    ];
  }

  /** One turn. Whoever asks: a chat, a group, or a service. */
  [pushReply](request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void> {
    return answerTurn(this.#replier, request, context, emit);
  }

  /** A reply outside any chat: undefined when the agent has none (a termination message, a human's `exit`). */
  generateReply(
    messages: readonly MessageInput[],
    options: GenerateReplyOptions = {},
  ): Promise<AgentMessage | undefined> {
    return generateReply(this, messages, options);
  }

  /** Says one message to `recipient`, in the chat the two keep; with `requestReply` it is answered. */
  send(
    message: MessageInput,
    recipient: Agent,
    options: { readonly requestReply?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<AgentMessage | undefined> {
    return sendMessage(this, message, recipient, options);
  }

  /** Takes one message from `sender`, and answers it unless `requestReply` is false. */
  receive(
    message: MessageInput,
    sender: Agent,
    options: { readonly requestReply?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<AgentMessage | undefined> {
    return receiveMessage(this, message, sender, options);
  }

  /** Forgets the chats that ended: `chatMessages` and `clearHistory: false` begin anew. */
  reset(): void {
    forgetChats(this);
  }

  /** How a message of this agent reads by its `responseFormat`. Raises `model_failed` when it does not fit. */
  async readOutput(message: AgentMessage): Promise<Output | undefined> {
    return (await this.#form?.read(message)) as Output | undefined;
  }

  /**
   * Starts a run: with `recipient` a chat with it, without one this agent's answer to `message`.
   * It is under way at once; read its events, or await its `result`.
   */
  run(message?: TwoAgentOptions["message"], options: AgentRunOptions = {}): Run<Output> {
    const contextVariables = { ...this.contextVariables, ...options.contextVariables };
    const { recipient } = options;
    if (recipient) {
      const chat = { ...options, message, recipient, contextVariables };
      return startTwoAgentChat(this, recipient, chat) as Run<Output>;
    }
    if (message === undefined || typeof message === "function") {
      throw new WeftError("invalid_argument", `Agent "${this.name}": run needs a message, or a recipient.`);
    }
    return startLoneRun(this, [message], { ...options, contextVariables }) as Run<Output>;
  }

  /**
   * Goes on with a chat from its `state`, in the same trace, or from its messages, in a new one: with `recipient` a
   * chat of two, without one this agent's answer. `answers` are to what the state has pending, by id.
   */
  resume(from: unknown, options: AgentResumeOptions = {}): Run<Output> {
    return resumeChat(this, from, options) as Run<Output>;
  }

  /** A chat with `recipient`, to its end. The same as `run(message, { recipient, … }).result`. */
  async initiateChat<Other = unknown>(
    recipient: Agent & { readonly readOutput?: (message: AgentMessage) => Promise<Other | undefined> },
    options: Omit<AgentRunOptions, "recipient"> = {},
  ): Promise<ChatResult<unknown extends Other ? Output : Other>> {
    checkRecipient(recipient);
    const run: Run = this.run(options.message, { ...options, recipient });
    return run.result as Promise<ChatResult<unknown extends Other ? Output : Other>>;
  }

  /** Chats one after another, or as a graph when they have ids (SEMANTICS C4, C5). */
  initiateChats(
    chats: readonly (Omit<GraphChat, "sender"> & { readonly id: string })[],
  ): Promise<Readonly<Record<string, ChatResult>>>;
  initiateChats(chats: readonly Omit<SequentialChat, "sender">[]): Promise<readonly ChatResult[]>;
  initiateChats(chats: readonly Omit<SequentialChat, "sender">[]): Promise<unknown> {
    return initiateChats(chats.map((chat) => ({ ...chat, sender: this })));
  }

  /**
   * Answers a sender that `trigger` fits by chats with others; the last summary is the reply (SEMANTICS C6).
   * `position` as with `registerReply`.
   */
  registerNestedChats(
    chats: readonly NestedChat[],
    trigger: ReplyTrigger,
    options: Pick<RegisterReplyOptions, "position"> = {},
  ): this {
    this.#chain.registerStep(trigger, nestedStep(this, chats), options);
    return this;
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

  #addHooks(hooks: NonNullable<ConversableAgentOptions["hooks"]>): void {
    for (const [name, given] of Object.entries(hooks) as [HookName, Hooks[HookName] | Hooks[HookName][]][]) {
      for (const hook of Array.isArray(given) ? given : [given]) this.registerHook(name, hook);
    }
  }
}
