/*
 * ChatRoom: the conversation that members share.
 *
 * Job: one log of what was said, and for each member its own view of it, brought up to date when it speaks.
 * Owns: the log, the members' histories and sessions. Does not own: who speaks next, when it ends.
 *
 * I1  The log holds every message once, in the order it was said; private tool rounds stand only in their member's history.
 * I2  A member's history is the log as it sees it (its own messages `assistant`, others' `user`), up to its last turn.
 * I3  A turn costs what is new to its speaker, whatever the team's size and the chat's length.
 */
import type {
  Agent,
  AgentContext,
  AgentEvent,
  AgentMessage,
  Emit,
  EndedBy,
  Hop,
  InputRequest,
  Journal,
} from "@weft/runtime/agent";
import { History, createAgentContext, createMessage, nestedJournal, pushTurn } from "@weft/runtime/agent";
import type { Span, WeftSpan } from "@weft/tracing/internal";
import { SpanKind, describeAppends, newShortId, recordInput } from "@weft/tracing/internal";
import { answerText } from "../agent/human-input.ts";
import type { MemberState, RoomState } from "./chat-state.ts";
import type { ChatScope } from "./scope.ts";
import { setScope } from "./scope.ts";

interface Member {
  readonly agent: Agent;
  readonly contextId: string;
  readonly history: History;
  readonly session: { state: unknown };
  /** Places of the log before this one are in the member's history. */
  seen: number;
  /** What it ended its last turn with, when that was a question: its next turn begins with the answer. */
  question?: InputRequest | undefined;
}

export interface TurnSetting {
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  /** Of the turn in which this chat is held, where that survives its process. */
  readonly journal?: Journal | undefined;
  readonly turn: number;
  readonly path: readonly string[];
  readonly scope: ChatScope;
  readonly emit: Emit<AgentEvent>;
}

export interface TurnOutcome {
  readonly message?: AgentMessage;
  /** Why a speaker that gave no message wants the chat to end. */
  readonly endedBy?: EndedBy;
}

interface Turned extends TurnOutcome {
  /** A question that the agent does not wait for itself: one from outside this library, or a remote one. */
  readonly question?: InputRequest | undefined;
}

export class ChatRoom {
  readonly log: History;
  readonly #members = new Map<Agent, Member>();
  /** Members that have not spoken since the chat was taken up. */
  readonly #restored: Map<string, MemberState> | undefined;

  constructor(state?: RoomState) {
    this.log = new History(state?.log);
    if (state) this.#restored = new Map(Object.entries(state.members));
  }

  /** Plain data, by the members' names. */
  toState(): RoomState {
    const members: Record<string, MemberState> = Object.create(null);
    for (const [name, member] of this.#restored ?? []) members[name] = member;
    for (const { agent, contextId, history, session, seen, question } of this.#members.values()) {
      const asked = question ? { question } : {};
      members[agent.name] = { contextId, history: history.toJSON(), session: session.state, seen, ...asked };
    }
    return { log: this.log.toJSON(), members: { ...members } };
  }

  /** Puts a message that nobody's turn made (an opening, an answer from outside) into the log and says so on `span`. */
  add(message: AgentMessage, span: Span): void {
    if (this.log.has(message.id)) return;
    const place = this.log.append(message);
    if (!span.isRecording()) return;
    recordInput(span, [message]);
    describeAppends(span, [`${this.log.id}:${place}=${message.id}`]);
  }

  /** Takes in what an earlier chat said, before anything else is. */
  restore(messages: readonly AgentMessage[], span: Span): void {
    for (const message of messages) this.add(message, span);
  }

  /** The log as `agent` sees it, all of it. */
  viewOf(agent: Agent): readonly AgentMessage[] {
    const member = this.#member(agent);
    this.#catchUp(member);
    return member.history.messages;
  }

  /** One turn of `agent`. Its own `end` event is taken as the outcome, not passed on: the chat says when it ends. */
  async turn(agent: Agent, setting: TurnSetting): Promise<TurnOutcome> {
    const member = this.#member(agent);
    const { meter } = setting.scope;
    if (!member.question) meter?.takeTurn();
    if (agent.turn?.kind === SpanKind.CLIENT) meter?.checkHop();
    let isPut = false;
    for (;;) {
      const newFrom = member.history.length;
      const appends = this.#catchUp(member);
      if (member.question && !(await this.#takeAnswer(member, setting, isPut)))
        return { endedBy: "suspended" };
      const ended = await this.#step(member, setting, newFrom, appends);
      member.question = ended.question;
      if (!ended.question) return ended;
      isPut = true;
    }
  }

  /** The answer to what the agent asked becomes its next message; false when there is none. */
  async #takeAnswer(member: Member, setting: TurnSetting, isPut: boolean): Promise<boolean> {
    const { question, agent } = member;
    const { asker, onHumanAnswer } = setting.scope;
    if (!question || !asker) return false;
    let answer = asker.known(question.id);
    if (answer === undefined) {
      const origin = { from: agent.name, turn: setting.turn, spanId: "", path: setting.path };
      if (!isPut) await setting.emit({ type: "input-required", ...question, ...origin });
      const answered = await asker.answerTo(question);
      if (typeof answered !== "object") return false;
      answer = answered.answer;
    }
    const text = answerText(answer);
    onHumanAnswer?.({ agent: agent.name, prompt: question.prompt, answer: text });
    member.history.append(createMessage({ role: "user", name: "user", content: text }));
    member.question = undefined;
    return true;
  }

  async #step(
    member: Member,
    setting: TurnSetting,
    newFrom: number,
    appends: readonly string[],
  ): Promise<Turned> {
    const { agent, history } = member;
    const request = { messages: history.messages, newFrom, contextVariables: setting.contextVariables };
    const { turn, path, emit } = setting;
    let endedBy: EndedBy | undefined;
    let question: InputRequest | undefined;
    const take = (event: AgentEvent): Promise<void> | void => {
      if (event.path.length === path.length) {
        if (event.type === "end") return void (endedBy = event.endedBy);
        if (event.type === "input-required") question = requestOf(event);
      }
      return emit(event);
    };
    const onMessage = (message: AgentMessage, span: WeftSpan): void => this.#reply(message, span);
    const options = { turn, path, appends, onMessage };
    const reply = await pushTurn(agent, request, this.#context(member, setting), options, take);
    return concluded(reply, endedBy, question);
  }

  #reply(message: AgentMessage, span: WeftSpan): void {
    if (this.log.has(message.id)) return;
    const place = this.log.append(message);
    if (span.isRecording()) describeAppends(span, [`${this.log.id}:${place}=${message.id}`]);
  }

  #context(member: Member, setting: TurnSetting): AgentContext {
    const { signal, conversationId, hop, journal } = setting;
    const { agent, contextId, history, session } = member;
    const budget = setting.scope.meter?.rest();
    const given = { signal, conversationId, hop, contextId, history, session };
    if (!budget && !journal) return setScope(createAgentContext(given), setting.scope);
    const kept = journal && nestedJournal(journal, `member/${agent.name}`);
    const extra = { ...(budget ? { budget } : {}), ...(kept ? { journal: kept } : {}) };
    return setScope(createAgentContext({ ...given, ...extra }), setting.scope);
  }

  #catchUp(member: Member): readonly string[] {
    const runs = member.history.mirror(this.log, member.seen, member.agent.name);
    member.seen = this.log.length;
    return runs;
  }

  #member(agent: Agent): Member {
    let member = this.#members.get(agent);
    if (!member) {
      const before = this.#restored?.get(agent.name);
      this.#restored?.delete(agent.name);
      member = {
        agent,
        contextId: before?.contextId ?? newShortId(),
        history: new History(before?.history),
        session: { state: before?.session },
        seen: before?.seen ?? 0,
        question: before?.question,
      };
      this.#members.set(agent, member);
    }
    return member;
  }
}

/** A question counts when the agent left it at that: no reply, and no word of why it ended. */
function concluded(
  message: AgentMessage | undefined,
  endedBy: EndedBy | undefined,
  question: InputRequest | undefined,
): Turned {
  if (message) return { message };
  return endedBy ? { endedBy } : { question };
}

function requestOf(event: Extract<AgentEvent, { readonly type: "input-required" }>): InputRequest {
  const { type: _type, from: _from, turn: _turn, spanId: _spanId, path: _path, ...request } = event;
  return request;
}
