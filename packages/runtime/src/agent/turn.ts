/*
 * Turn: one agent's turn while it lasts.
 *
 * Job: makes events of what the agent gives, keeps its reply, and says on the span what became of the turn.
 * Owns: the span's end, the draft that text deltas make, the reply.
 * Does not own: asking the agent (`run-turn.ts`).
 *
 * I1  One reply at most; if the agent only gave text, that is the reply.
 * I2  What comes after the end is refused: work that ignored its abort goes nowhere.
 */
import { WeftError } from "@weft/tracing";
import { describeAppends, newMessageId, recordOutput } from "@weft/tracing/internal";
import type { OpenSpan } from "@weft/tracing/internal";
import { Outcomes } from "@weft/tracing/vocabulary";
import { abortError } from "./abortable.ts";
import type { Agent, AgentContext } from "./agent.ts";
import type { AgentEvent, AgentEventBody, AgentYield } from "./event.ts";
import { isNestedEvent } from "./event.ts";
import { isFenced } from "./fenced.ts";
import type { AgentMessage, MessageInput } from "./message.ts";
import { createMessage, messageText } from "./message.ts";
import type { Emit } from "./pushing-agent.ts";
import type { RunTurnOptions } from "./run-turn.ts";

type GivenMessage = Exclude<MessageInput, string>;

const atTop: readonly string[] = Object.freeze([]);

export class Turn {
  readonly opened: OpenSpan;
  reply: AgentMessage | undefined;
  readonly #agent: Agent;
  readonly #context: AgentContext;
  readonly #options: RunTurnOptions;
  readonly #emit: Emit<AgentEvent>;
  readonly #spanId: string;
  readonly #firstPlace: number;
  #draftId: string | undefined;
  #draft = "";
  #hasDraft = false;
  #suspended = false;
  #ended = false;

  constructor(
    agent: Agent,
    context: AgentContext,
    options: RunTurnOptions,
    opened: OpenSpan,
    emit: Emit<AgentEvent>,
  ) {
    this.opened = opened;
    this.#agent = agent;
    this.#context = context;
    this.#options = options;
    this.#emit = emit;
    this.#spanId = opened.span.spanId;
    this.#firstPlace = context.history.length;
  }

  /** Takes what the agent gives. Raises `failed_precondition` for a second message. */
  readonly take = (step: AgentYield): Promise<void> | void => {
    if (this.#ended) throw abortError(this.#context.signal);
    if (typeof step === "string") return step === "" ? undefined : this.#delta(step, undefined);
    if (!("type" in step)) return this.#message(step);
    if (!isNestedEvent(step)) return this.#own(step);
    return this.#emit({ ...step, path: [...this.#path, this.#agent.name, ...step.path] });
  };

  /** The deltas joined, when the agent gave no message of its own. */
  closeDraft(): Promise<void> | void {
    if (this.reply || !this.#hasDraft) return undefined;
    return this.#message({ id: this.#draftId ?? newMessageId(), role: "assistant", content: this.#draft });
  }

  /** The agent gave all it had. */
  finish(): AgentMessage | undefined {
    this.#ended = true;
    this.#sayAppends();
    this.opened.end(this.#suspended && !this.reply ? Outcomes.suspended : undefined);
    return this.reply;
  }

  fail(error: unknown): WeftError {
    const failure = this.#context.signal.aborted ? abortError(this.#context.signal) : WeftError.from(error);
    this.#ended = true;
    if (isFenced(failure)) {
      // What a former owner appended stands in no history.
      this.opened.end(Outcomes.fenced);
      return failure;
    }
    this.#sayAppends();
    this.opened.fail(failure);
    return failure;
  }

  get #path(): readonly string[] {
    return this.#options.path ?? atTop;
  }

  #own(event: AgentEventBody): Promise<void> | void {
    switch (event.type) {
      case "text-delta":
        return this.#delta(event.text, event.messageId);
      case "message":
        return this.#message(event.message);
      case "reset":
        if (event.messageId === this.#draftId) this.#setDraft("", false);
        break;
      case "input-required":
        this.#suspended = true;
        break;
      case "end":
        // A question that was answered within the turn suspends nothing.
        this.#suspended = event.endedBy === "suspended";
        break;
      case "reasoning-delta":
      case "tool-call":
      case "tool-result":
      case "speaker-selected":
      case "handoff":
      case "usage":
    }
    return this.#tell(event);
  }

  #delta(text: string, messageId: string | undefined): Promise<void> | void {
    if (this.reply) throw this.#secondMessage();
    this.#draftId = messageId ?? this.#draftId ?? newMessageId();
    this.#setDraft(this.#draft + text, true);
    return this.#tell({ type: "text-delta", text, messageId: this.#draftId });
  }

  #message(given: GivenMessage): Promise<void> | void {
    if (this.reply) throw this.#secondMessage();
    const message = this.#complete(given);
    this.#options.checkMessage?.(message);
    this.reply = message;
    this.#setDraft("", false);
    if (!this.#context.history.has(message.id)) this.#context.history.append(message);
    recordOutput(this.opened.span, [message]);
    this.#options.onMessage?.(message, this.opened.span);
    return this.#tell({ type: "message", text: messageText(message), message });
  }

  #tell(event: AgentEventBody): Promise<void> | void {
    return this.#emit({
      ...event,
      from: this.#agent.name,
      turn: this.#options.turn,
      spanId: this.#spanId,
      path: this.#path,
    });
  }

  #setDraft(text: string, hasDraft: boolean): void {
    this.#draft = text;
    this.#hasDraft = hasDraft;
  }

  #complete(given: GivenMessage): AgentMessage {
    const { id = newMessageId(), name = this.#agent.name, role } = given;
    if (given.id === id && given.name === name && role === "assistant" && Object.isFrozen(given)) {
      return given as AgentMessage;
    }
    return createMessage({ ...given, id, name, role: role === "tool" ? role : "assistant" });
  }

  #secondMessage(): WeftError {
    return new WeftError(
      "failed_precondition",
      `Agent "${this.#agent.name}" gave more than one message in a turn: yield its text as strings, or one message.`,
    );
  }

  #sayAppends(): void {
    const { span } = this.opened;
    if (!span.isRecording()) return;
    const { history } = this.#context;
    const appends = [...(this.#options.appends ?? [])];
    for (let place = this.#firstPlace; place < history.length; place++) {
      appends.push(`${history.id}:${place}=${history.messages[place]!.id}`);
    }
    if (appends.length > 0) describeAppends(span, appends);
  }
}
