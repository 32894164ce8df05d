/*
 * GroupChat: several agents in one conversation; itself an agent.
 *
 * Job: holds a group's rules, starts its chats, and answers as one agent in an outer chat or a service.
 * Owns: the rules. Does not own: any running conversation; a session belongs to its run, or to the history of whoever
 *   asks the group as an agent.
 */
import { INVALID_SPAN_CONTEXT, trace } from "@opentelemetry/api";
import type {
  Agent,
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentSkill,
  AgentYield,
  History,
  MessageInput,
  TurnDescription,
} from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import type { Attributes } from "@weft/tracing/internal";
import { activeContext, describeAppends } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { ChatHost, HostedChat } from "../chat/host.ts";
import { hostChat } from "../chat/host.ts";
import type { RunOptions, RunSetting } from "../chat/run.ts";
import { Run } from "../chat/run.ts";
import { scopeOf } from "../chat/scope.ts";
import type { GroupChatOptions } from "./group-options.ts";
import { toRules } from "./group-options.ts";
import type { GroupRules, GroupSetting } from "./group-session.ts";
import { GroupSession } from "./group-session.ts";
import { hostedSteps } from "./hosted-steps.ts";
import type { ResumeOptions } from "./resume.ts";
import { readResumed } from "./resume.ts";

export class GroupChat implements ChatHost {
  readonly name: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  readonly agents: readonly Agent[];
  readonly options: GroupChatOptions;
  readonly turn: TurnDescription;
  readonly #rules: GroupRules;
  /** Sessions of a group that answers as an agent, by the history of the conversation it answers in. */
  readonly #sessions = new WeakMap<History, GroupSession>();

  /** Raises `invalid_argument` for rules that contradict each other, naming them. */
  constructor(options: GroupChatOptions) {
    this.options = options;
    this.#rules = toRules(options);
    this.name = this.#rules.name;
    this.agents = this.#rules.agents;
    if (options.description !== undefined) this.description = options.description;
    if (options.skills !== undefined) this.skills = options.skills;
    this.turn = {
      operation: Operations.invokeWorkflow,
      type: SpanTypes.workflow,
      attributes: this.#attributes(),
    };
  }

  /** Starts the chat with an outsider's message (its `name`, default `user`, may be a member's). */
  run(message: MessageInput, options: RunOptions = {}): Run {
    const given = typeof message === "string" ? { content: message } : message;
    const opening = createMessage({ name: "user", ...given, role: given.role ?? "user" });
    return this.#start([], opening, options);
  }

  /**
   * Goes on from the messages of an earlier chat, given as a list or its JSON; `message` is said first, if given.
   * Raises `invalid_argument` for an empty or unreadable list and for names that are no members.
   */
  resume(messages: string | readonly unknown[], options: ResumeOptions = {}): Run {
    const { earlier, opening } = readResumed(messages, this.agents, options);
    return this.#start(earlier, opening, options);
  }

  /** Answers as one agent: the members talk, and the last message is the reply. */
  async *respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
    const session = this.#sessionOf(context.history);
    const span = trace.getSpan(activeContext()) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const { log } = session.room;
    const isNew = log.length === 0;
    session.open([], span);
    describeAppends(span, log.mirror(context.history, isNew ? 0 : request.newFrom, ""));
    const before = log.length;
    const { signal, conversationId, hop } = context;
    const { contextVariables } = request;
    const onHumanAnswer = scopeOf(context)?.onHumanAnswer;
    const setting = { span, signal, conversationId, hop, contextVariables, onHumanAnswer };
    const endedBy = yield* session.rounds(setting);
    const last = log.length > before ? log.messages.at(-1) : undefined;
    // The same message under the group's name: to the outer chat it is the group that said it.
    if (last) yield { type: "message", text: messageText(last), message: asReply(last, this.name) };
    yield { type: "end", endedBy };
  }

  [hostChat](messages: readonly AgentMessage[], setting: RunSetting): HostedChat {
    const session = new GroupSession(this, this.#rules);
    const steps = hostedSteps(this, session, { messages, setting, attributes: this.#attributes() });
    return { steps, room: session.room };
  }

  #start(earlier: readonly AgentMessage[], opening: AgentMessage | undefined, options: RunOptions): Run {
    const session = new GroupSession(this, this.#rules);
    const driver = {
      from: this.name,
      span: {
        name: `${Operations.invokeWorkflow} ${this.name}`,
        type: SpanTypes.workflow,
        attributes: {
          [Attr.operationName]: Operations.invokeWorkflow,
          [Attr.workflowName]: this.name,
          ...this.#attributes(),
        },
      },
      steps: (setting: RunSetting) => {
        session.open(opening ? [...earlier, opening] : earlier, setting.span);
        return session.rounds(setting satisfies GroupSetting);
      },
      history: () => [...session.room.log.messages],
      async summarize() {
        const last = session.room.log.messages.at(-1);
        return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
      },
    };
    return new Run(driver, options);
  }

  #sessionOf(history: History): GroupSession {
    let session = this.#sessions.get(history);
    if (!session) this.#sessions.set(history, (session = new GroupSession(this, this.#rules)));
    return session;
  }

  #attributes(): Attributes {
    const { method, maxRound } = this.#rules;
    return {
      [Attr.chatParticipants]: this.agents.map(({ name }) => name),
      [Attr.chatMethod]: typeof method === "function" ? "function" : method,
      ...(Number.isFinite(maxRound) ? { [Attr.chatMaxRound]: maxRound } : {}),
    };
  }
}

function asReply(message: AgentMessage, name: string): AgentMessage {
  const { toolCalls: _calls, toolResponses: _responses, ...said } = message;
  return createMessage({ ...said, content: said.content ?? "", name, role: "assistant" });
}
