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
import { randomUUID } from "node:crypto";
import type { Agent, AgentContext, AgentEvent, AgentMessage, EndedBy, Hop } from "@weft/runtime/agent";
import { History, createAgentContext, runTurn } from "@weft/runtime/agent";
import type { Span, WeftSpan } from "@weft/tracing/internal";
import { describeAppends, recordInput } from "@weft/tracing/internal";
import type { ChatScope } from "./scope.ts";
import { setScope } from "./scope.ts";

interface Member {
  readonly agent: Agent;
  readonly contextId: string;
  readonly history: History;
  readonly session: { state: unknown };
  /** Places of the log before this one are in the member's history. */
  seen: number;
}

export interface TurnSetting {
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  readonly turn: number;
  readonly path: readonly string[];
  readonly scope: ChatScope;
}

export interface TurnOutcome {
  readonly message?: AgentMessage;
  /** Why a speaker that gave no message wants the chat to end. */
  readonly endedBy?: EndedBy;
}

export class ChatRoom {
  readonly log = new History();
  readonly #members = new Map<Agent, Member>();

  /** Puts a message that nobody's turn made (an opening, an answer from outside) into the log and says so on `span`. */
  add(message: AgentMessage, span: Span): void {
    if (this.log.has(message.id)) return;
    const place = this.log.append(message);
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
  async *turn(agent: Agent, setting: TurnSetting): AsyncGenerator<AgentEvent, TurnOutcome> {
    const member = this.#member(agent);
    const newFrom = member.history.length;
    const appends = this.#catchUp(member);
    const { messages } = member.history;
    const request = { messages, newFrom, contextVariables: setting.contextVariables };
    const steps = runTurn(agent, request, this.#context(member, setting), {
      turn: setting.turn,
      path: setting.path,
      appends,
      onMessage: (message, span) => this.#reply(message, span),
    });
    let endedBy: EndedBy | undefined;
    const depth = setting.path.length;
    try {
      for (;;) {
        const step = await steps.next();
        if (step.done)
          return { ...(step.value ? { message: step.value } : {}), ...(endedBy ? { endedBy } : {}) };
        if (step.value.type === "end" && step.value.path.length === depth) endedBy = step.value.endedBy;
        else yield step.value;
      }
    } finally {
      await steps.return(undefined);
    }
  }

  #reply(message: AgentMessage, span: WeftSpan): void {
    if (this.log.has(message.id)) return;
    const place = this.log.append(message);
    describeAppends(span, [`${this.log.id}:${place}=${message.id}`]);
  }

  #context(member: Member, setting: TurnSetting): AgentContext {
    const { signal, conversationId, hop } = setting;
    const { contextId, history, session } = member;
    return setScope(
      createAgentContext({ signal, conversationId, hop, contextId, history, session }),
      setting.scope,
    );
  }

  #catchUp(member: Member): readonly string[] {
    const runs = member.history.mirror(this.log, member.seen, member.agent.name);
    member.seen = this.log.length;
    return runs;
  }

  #member(agent: Agent): Member {
    let member = this.#members.get(agent);
    if (!member) {
      member = {
        agent,
        contextId: randomUUID(),
        history: new History(),
        session: { state: undefined },
        seen: 0,
      };
      this.#members.set(agent, member);
    }
    return member;
  }
}
