/*
 * Run: a chat that is under way.
 *
 * Job: drives the chat from the moment it is made to its end, and gives its events to a reader and its result to
 *   whoever awaits it.
 * Owns: the run's span, the signal of all it started, the buffer, the result.
 * Does not own: what the chat does (its driver does).
 *
 * I1  It starts at once, needs no reader and never waits for one.
 * I2  It ends exactly once: `result` resolves, or rejects with a `RunError` that holds the chat so far.
 * I3  Leaving the loop, `cancel` and the caller's signal each cancel all that the run started (`detached`: leaving does not).
 * I4  A rejection that nobody reads never ends the process.
 */
import { randomUUID } from "node:crypto";
import type { AgentEvent, AgentMessage, EndedBy, Hop, InputRequest } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Attributes, OpenSpan, WeftSpan } from "@weft/tracing/internal";
import {
  activeContext,
  bindGenerator,
  conversationOf,
  injectCarrier,
  openSpan,
  setConversation,
  traceIdOf,
} from "@weft/tracing/internal";
import { Attr, Outcomes } from "@weft/tracing/vocabulary";
import { AbortGuard } from "./abort-guard.ts";
import type { ChatResult } from "./chat-result.ts";
import { RunError } from "./chat-result.ts";
import { EventBuffer } from "./event-buffer.ts";
import type { HumanAnswer } from "./scope.ts";
import { UsageLedger } from "./usage-ledger.ts";

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Default: the conversation this code runs in, else a new one. */
  readonly conversationId?: string;
  /** Shared by the chat's members; copied, never changed in place. Default: none. */
  readonly contextVariables?: Readonly<Record<string, unknown>>;
  /** `true`: leaving the loop cancels nothing. */
  readonly detached?: boolean;
}

/** What a driver is given. */
export interface RunSetting {
  readonly span: WeftSpan;
  readonly signal: AbortSignal;
  readonly conversationId: string;
  readonly contextVariables: Record<string, unknown>;
  readonly hop: Hop;
  readonly onHumanAnswer: (answer: HumanAnswer) => void;
}

/** What runs: its span, its steps, and how to tell what was said so far. */
export interface RunDriver {
  /** The name on the run's own events. */
  readonly from: string;
  readonly span: { readonly name: string; readonly type: string; readonly attributes: Attributes };
  steps(setting: RunSetting): AsyncGenerator<AgentEvent, EndedBy>;
  history(): readonly AgentMessage[];
  /** Asked once, after a plain end, while the run's span is still open. */
  summarize(setting: RunSetting, usage: UsageLedger): Promise<string>;
}

export class Run implements AsyncIterable<AgentEvent>, AsyncDisposable {
  readonly conversationId: string;
  readonly result: Promise<ChatResult>;
  readonly #driver: RunDriver;
  readonly #options: RunOptions;
  readonly #abort = new AbortController();
  readonly #buffer = new EventBuffer();
  readonly #usage = new UsageLedger();
  readonly #humanInput: HumanAnswer[] = [];
  readonly #contextVariables: Record<string, unknown>;
  #pending: readonly InputRequest[] = [];
  #isRead = false;
  #turn = 0;

  /** Made by `run` and `resume`. */
  constructor(driver: RunDriver, options: RunOptions = {}) {
    this.#driver = driver;
    this.#options = options;
    this.#contextVariables = { ...options.contextVariables };
    this.conversationId = options.conversationId ?? conversationOf() ?? randomUUID();
    this.result = this.#drive();
    this.result.catch(() => undefined);
  }

  /** Text deltas that were dropped because nobody read. */
  get droppedDeltas(): number {
    return this.#buffer.dropped;
  }

  /** Cancels all that the run started; `result` then rejects with an AbortError whose cause is `reason`. */
  cancel(reason?: unknown): void {
    this.#abort.abort(reason);
  }

  /** The events, for one reader. Raises `failed_precondition` for a second one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<AgentEvent> {
    if (this.#isRead) throw new WeftError("failed_precondition", "A run's events can be read once.");
    this.#isRead = true;
    let isAtEnd = false;
    try {
      for (;;) {
        const event = await this.#buffer.next();
        if (!event) break;
        yield event;
      }
      isAtEnd = true;
    } catch (error) {
      isAtEnd = true;
      throw error;
    } finally {
      if (!isAtEnd) this.#leave();
    }
  }

  /** Leaves the run: what is under way is cancelled, unless the run is detached. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    if (!this.#options.detached) await this.result.catch(() => undefined);
  }

  #leave(): void {
    if (!this.#options.detached) this.cancel(new WeftError("aborted", "The run's reader left."));
  }

  async #drive(): Promise<ChatResult> {
    const release = this.#follow(this.#options.signal);
    using guard = new AbortGuard(this.#abort.signal);
    const opened = openSpan({
      ...this.#driver.span,
      parent: setConversation(activeContext(), this.conversationId),
    });
    const traceId = opened.span.isRecording() ? traceIdOf(opened.span.context) : undefined;
    const setting = opened.run(() => this.#setting(opened.span));
    try {
      const endedBy = await this.#pump(opened, setting, guard);
      const summary = await guard.wait(opened.run(() => this.#driver.summarize(setting, this.#usage)));
      return this.#finish(opened, endedBy, this.#toResult(endedBy, summary, traceId));
    } catch (thrown) {
      throw this.#fail(opened, thrown, traceId);
    } finally {
      release();
    }
  }

  #setting(span: WeftSpan): RunSetting {
    return {
      span,
      signal: this.#abort.signal,
      conversationId: this.conversationId,
      contextVariables: this.#contextVariables,
      hop: { carrier: injectCarrier(), hops: 0 },
      onHumanAnswer: (answer) => this.#humanInput.push(answer),
    };
  }

  async #pump(opened: OpenSpan, setting: RunSetting, guard: AbortGuard): Promise<EndedBy> {
    setting.signal.throwIfAborted();
    const steps = bindGenerator(
      opened.span.context,
      opened.run(() => this.#driver.steps(setting)),
    );
    let step = await guard.wait(steps.next());
    for (; !step.done; step = await guard.wait(steps.next())) this.#see(step.value);
    // A chat that ended plainly in the moment of its abort ended plainly.
    return step.value as EndedBy;
  }

  #see(event: AgentEvent): void {
    this.#usage.see(event);
    this.#turn = Math.max(this.#turn, event.path.length === 0 ? event.turn : 0);
    if (event.type === "input-required") {
      const { type: _type, from: _from, turn: _turn, spanId: _spanId, path: _path, ...request } = event;
      this.#pending = [...this.#pending, request];
    }
    this.#buffer.push(event);
  }

  #finish(opened: OpenSpan, endedBy: EndedBy, result: ChatResult): ChatResult {
    opened.span.setAttribute(Attr.chatEndedBy, endedBy);
    this.#pushEnd(opened.span, endedBy);
    this.#buffer.end();
    opened.end(endedBy === "suspended" ? Outcomes.suspended : undefined);
    return result;
  }

  #fail(opened: OpenSpan, thrown: unknown, traceId: string | undefined): RunError {
    const { signal } = this.#abort;
    const error = signal.aborted
      ? new WeftError("aborted", "The run was aborted.", { cause: signal.reason })
      : WeftError.from(thrown);
    const endedBy =
      error.code === "aborted" ? "aborted" : error.code === "budget_exceeded" ? "budget" : "error";
    const failure = new RunError(error, this.#toResult(endedBy, "", traceId));
    opened.span.setAttribute(Attr.chatEndedBy, endedBy);
    this.#pushEnd(opened.span, endedBy);
    this.#buffer.end(failure);
    opened.fail(failure);
    return failure;
  }

  #pushEnd(span: WeftSpan, endedBy: EndedBy): void {
    const { from } = this.#driver;
    this.#buffer.push({ type: "end", endedBy, from, turn: this.#turn, spanId: span.spanId, path: [] });
  }

  #toResult(endedBy: EndedBy, summary: string, traceId: string | undefined): ChatResult {
    const history = this.#driver.history();
    const last = history.at(-1);
    return {
      history,
      text: last ? messageText(last) : "",
      summary,
      usage: this.#usage.usage(),
      cost: this.#usage.cost(),
      endedBy,
      traceId,
      conversationId: this.conversationId,
      contextVariables: this.#contextVariables,
      humanInput: this.#humanInput,
      pending: endedBy === "suspended" ? this.#pending : [],
    };
  }

  #follow(signal: AbortSignal | undefined): () => void {
    if (!signal) return () => undefined;
    const abort = (): void => this.cancel(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }
}
