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
  AgentEvent,
  AgentMessage,
  AgentRequest,
  AgentSkill,
  AgentYield,
  Emit,
  EndedBy,
  History,
  MessageInput,
  TurnDescription,
} from "@weft/runtime/agent";
import { PushingAgent, createMessage, messageText, pushReply } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Attributes } from "@weft/tracing/internal";
import { activeContext, describeAppends } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { ChatHost, HostedChat } from "../chat/host.ts";
import { hostChat } from "../chat/host.ts";
import { answeringMessage, callerAsker, readCallerAnswer } from "../agent/caller-asker.ts";
import { isChatState, readChatState } from "../chat/chat-state.ts";
import { meterOf } from "../chat/meter-of.ts";
import { readOutput } from "../chat/read-output.ts";
import type { ResumedRun, RunDriver, RunOptions, RunSetting } from "../chat/run-driver.ts";
import { Run } from "../chat/run.ts";
import { scopeOf } from "../chat/scope.ts";
import type { GroupChatOptions } from "./group-options.ts";
import { toRules } from "./group-options.ts";
import type { GroupRules, GroupSetting } from "./group-session.ts";
import { GroupSession } from "./group-session.ts";
import type { SessionState } from "./session-state.ts";
import { isSessionState } from "./session-state.ts";
import { hostedSteps } from "./hosted-steps.ts";
import type { ResumeOptions } from "./resume.ts";
import { parseGiven, readResumed } from "./resume.ts";

export class GroupChat extends PushingAgent implements ChatHost {
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
    super();
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
   * Goes on from a suspended chat's `state`, in the same trace, with `answers` to what it has pending; or from the
   * messages of an earlier chat, in a new trace, after `message` if given. Either may be given as its JSON. Raises
   * `invalid_argument` for an empty or unreadable list or state and for names that are no members.
   */
  resume(from: unknown, options: ResumeOptions = {}): Run {
    const given = parseGiven(from);
    if (!isChatState(given)) {
      const { earlier, opening } = readResumed(given, this.agents, options);
      return this.#start(earlier, opening, options);
    }
    const { answers, message, removeTermination: _, ...rest } = options;
    if (message !== undefined) {
      throw new WeftError("invalid_argument", "A state goes on by its answers; leave message out.");
    }
    return this.#start([], undefined, rest, { state: readChatState(given, "group", this.name), answers });
  }

  /** Answers as one agent: the members talk, and the last message is the reply. */
  async [pushReply](request: AgentRequest, context: AgentContext, emit: Emit<AgentYield>): Promise<void> {
    const { session, asker, isAnswer } = this.#takeUp(request, context);
    const span = trace.getSpan(activeContext()) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const { log } = session.room;
    const isNew = log.length === 0;
    session.open([], span);
    if (!isAnswer) describeAppends(span, log.mirror(context.history, isNew ? 0 : request.newFrom, ""));
    const before = log.length;
    const { signal, conversationId, hop, journal } = context;
    const contextVariables = withDefaults(request.contextVariables, this.options.contextVariables);
    const onHumanAnswer = scopeOf(context)?.onHumanAnswer;
    const meter = meterOf(context);
    let pendingId: string | undefined;
    const take = (event: AgentEvent): Promise<void> | void => {
      if (event.type === "input-required") pendingId = event.id;
      return emit(event);
    };
    const given = {
      span,
      signal,
      conversationId,
      hop,
      journal,
      contextVariables,
      onHumanAnswer,
      asker,
      meter,
    };
    const endedBy = await session.rounds({ ...given, emit: take });
    if (endedBy === "suspended") {
      context.session.state = { group: session.toState(), ...(pendingId ? { pendingId } : {}) };
    } else {
      context.session.state = undefined;
      const last = log.length > before ? log.messages.at(-1) : undefined;
      // The same message under the group's name: to the outer chat it is the group that said it.
      if (last) await emit({ type: "message", text: messageText(last), message: asReply(last, this.name) });
    }
    await emit({ type: "end", endedBy });
  }

  [hostChat](messages: readonly AgentMessage[], setting: RunSetting, state?: unknown): HostedChat {
    const session = new GroupSession(this, this.#rules, isSessionState(state) ? state : undefined);
    const { contextVariables } = setting;
    withDefaults(contextVariables, this.options.contextVariables);
    const steps = (): Promise<EndedBy> =>
      hostedSteps(this, session, { messages, setting, attributes: this.#attributes() });
    return { steps, room: session.room, toState: () => session.toState() };
  }

  #start(
    earlier: readonly AgentMessage[],
    opening: AgentMessage | undefined,
    options: RunOptions,
    resumed: ResumedRun = {},
  ): Run {
    const { room, chat } = resumed.state ?? {};
    const kept = { ...(chat?.["session"] as object | undefined), room };
    const state = isSessionState(kept) ? kept : undefined;
    if (resumed.state && !state) {
      throw new WeftError("invalid_argument", "The chat's state cannot be read: chat.session is wrong.");
    }
    const session = new GroupSession(this, this.#rules, state);
    const driver: RunDriver = {
      kind: "group",
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
      steps: async (setting: RunSetting) => {
        session.open(opening ? [...earlier, opening] : earlier, setting.span);
        return session.rounds(setting satisfies GroupSetting);
      },
      history: () => [...session.room.log.messages],
      async summarize() {
        const last = session.room.log.messages.at(-1);
        return last ? messageText(last).replaceAll("TERMINATE", "").trim() : "";
      },
      output: () => readOutput(session.room.log.messages, this.agents),
      toState() {
        const { room, ...rest } = session.toState();
        return { room, chat: { session: rest } };
      },
    };
    const contextVariables = { ...this.options.contextVariables, ...options.contextVariables };
    const before = resumed.state ? options.contextVariables : contextVariables;
    const budget = options.budget ?? (resumed.state ? undefined : this.options.budget);
    const given = {
      ...options,
      ...(before ? { contextVariables: before } : {}),
      ...(budget ? { budget } : {}),
    };
    return new Run(driver, given, resumed);
  }

  /** The conversation this turn belongs to; of one that was suspended, with the answer that the request brings. */
  #takeUp(request: AgentRequest, context: AgentContext) {
    const { group, pendingId } = (context.session.state ?? {}) as {
      readonly group?: unknown;
      readonly pendingId?: string;
    };
    const session = this.#sessionOf(context.history, isSessionState(group) ? group : undefined);
    const scope = scopeOf(context);
    const answering = !scope && session.isSuspended ? answeringMessage(request) : undefined;
    const asker = scope ? scope.asker : callerAsker(pendingId, answering && readCallerAnswer(answering));
    return { session, asker, isAnswer: session.isSuspended };
  }

  #sessionOf(history: History, state: SessionState | undefined): GroupSession {
    let session = this.#sessions.get(history);
    if (!session) this.#sessions.set(history, (session = new GroupSession(this, this.#rules, state)));
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

/** The group's variables under the chat's; the object stays the chat's. */
function withDefaults(
  variables: Record<string, unknown>,
  defaults: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  for (const [name, value] of Object.entries(defaults)) {
    if (name !== "__proto__" && !Object.hasOwn(variables, name)) variables[name] = value;
  }
  return variables;
}

function asReply(message: AgentMessage, name: string): AgentMessage {
  const { toolCalls: _calls, toolResponses: _responses, ...said } = message;
  return createMessage({ ...said, content: said.content ?? "", name, role: "assistant" });
}
