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
import type { AgentEvent, EndedBy } from "@weft/runtime/agent";
import { ambientTurn, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { OpenSpan, WeftSpan } from "@weft/tracing/internal";
import { conversationOf, injectCarrier, newShortId, traceIdOf } from "@weft/tracing/internal";
import { Attr, Outcomes } from "@weft/tracing/vocabulary";
import { BudgetMeter, checkBudget } from "./budget-meter.ts";
import type { ChatResult } from "./chat-result.ts";
import { RunError } from "./chat-result.ts";
import type { ChatState } from "./chat-state.ts";
import { stateVersion, toPlainState } from "./chat-state.ts";
import { EventBuffer } from "./event-buffer.ts";
import { meterOf } from "./meter-of.ts";
import { RunAbort } from "./run-abort.ts";
import { openRunSpan } from "./open-run-span.ts";
import type { RunEvent } from "./questions.ts";
import { Questions } from "./questions.ts";
import type { ResumedRun, RunDriver, RunOptions, RunSetting } from "./run-driver.ts";
import type { HumanAnswer } from "./scope.ts";
import { UsageLedger } from "./usage-ledger.ts";

export class Run<Output = unknown> implements AsyncIterable<RunEvent>, AsyncDisposable {
  readonly conversationId: string;
  readonly result: Promise<ChatResult<Output>>;
  readonly #driver: RunDriver;
  readonly #options: RunOptions;
  readonly #state: ChatState | undefined;
  readonly #runId: string;
  readonly #abort: RunAbort;
  readonly #buffer = new EventBuffer();
  readonly #usage: UsageLedger;
  readonly #questions: Questions;
  readonly #meter: BudgetMeter | undefined;
  readonly #humanInput: HumanAnswer[];
  readonly #contextVariables: Record<string, unknown>;
  #home: ChatState["home"] = {};
  #isRead = false;
  #hasReader = false;
  #turn = 0;

  /** Made by `run` and `resume`. */
  constructor(driver: RunDriver, options: RunOptions = {}, { state, answers }: ResumedRun = {}) {
    checkBudget(options.budget);
    checkAnswers(state, answers);
    this.#driver = driver;
    this.#options = options;
    this.#state = state;
    this.#runId = state?.runId ?? newShortId();
    this.#usage = new UsageLedger(state?.usage);
    this.#humanInput = [...(state?.humanInput ?? [])];
    this.#contextVariables = { ...state?.contextVariables, ...options.contextVariables };
    this.#questions = new Questions(() => this.#hasReader, answers);
    const ambient = ambientTurn();
    const outer = ambient && meterOf(ambient);
    const budget = options.budget ?? state?.budget;
    this.#meter = budget || outer ? new BudgetMeter(budget, outer) : undefined;
    this.conversationId =
      options.conversationId ??
      state?.conversationId ??
      ambient?.conversationId ??
      conversationOf() ??
      newShortId();
    this.#abort = new RunAbort({
      follows: [options.signal, options.detached ? undefined : ambient?.signal],
      deadline: this.#meter?.deadline,
    });
    this.result = this.#drive() as Promise<ChatResult<Output>>;
    this.result.catch(() => undefined);
  }

  /** Text deltas that were dropped because nobody read. */
  get droppedDeltas(): number {
    return this.#buffer.dropped;
  }

  /** Cancels all that the run started; `result` then rejects with an AbortError whose cause is `reason`. */
  cancel(reason?: unknown): void {
    this.#abort.cancel(reason);
  }

  /**
   * The events, for one reader. A question that the reader neither answers nor suspends counts as unanswered when it
   * goes on to the next event. Raises `failed_precondition` for a second reader.
   */
  [Symbol.asyncIterator](): AsyncGenerator<RunEvent> {
    // Noted here and not at the first event: a question may come before it is asked for.
    this.#hasReader = !this.#isRead;
    return this.#read();
  }

  async *#read(): AsyncGenerator<RunEvent> {
    if (this.#isRead) throw new WeftError("failed_precondition", "A run's events can be read once.");
    this.#isRead = true;
    let isAtEnd = false;
    try {
      for (;;) {
        const event = await this.#buffer.next();
        if (!event) break;
        yield event;
        this.#questions.passed(event);
      }
      isAtEnd = true;
    } catch (error) {
      isAtEnd = true;
      throw error;
    } finally {
      this.#hasReader = false;
      if (!isAtEnd) this.#leave();
    }
  }

  /** Leaves the run: what is under way is cancelled, unless the run is detached. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    if (!this.#options.detached) await this.result.catch(() => undefined);
  }

  #leave(): void {
    this.#questions.close();
    if (!this.#options.detached) this.cancel(new WeftError("aborted", "The run's reader left."));
  }

  async #drive(): Promise<ChatResult> {
    using abort = this.#abort;
    const { opened, home } = openRunSpan(this.#driver.span, {
      conversationId: this.conversationId,
      runId: this.#runId,
      state: this.#state,
    });
    this.#home = home;
    const traceId = opened.span.isRecording() ? traceIdOf(opened.span.context) : undefined;
    try {
      abort.signal.throwIfAborted();
      // A chat that ended plainly in the moment of its abort ended plainly.
      const { endedBy, summary } = await abort.wait(opened.run(() => this.#hold(opened.span)));
      const result = this.#toResult(endedBy, summary, traceId);
      const output = endedBy === "suspended" ? undefined : await this.#driver.output?.();
      return this.#finish(opened, endedBy, output === undefined ? result : { ...result, output });
    } catch (thrown) {
      const error = this.#errorOf(thrown);
      if (error.code === "budget_exceeded") return this.#endOfBudget(opened, error, traceId);
      throw this.#fail(opened, error, traceId);
    }
  }

  async #hold(span: WeftSpan): Promise<{ readonly endedBy: EndedBy; readonly summary: string }> {
    const setting = this.#setting(span);
    const endedBy = await this.#driver.steps(setting);
    const isOver = endedBy !== "suspended";
    return { endedBy, summary: isOver ? await this.#driver.summarize(setting, this.#usage) : "" };
  }

  #setting(span: WeftSpan): RunSetting {
    const ambient = ambientTurn();
    const own = injectCarrier();
    const deadline = earlier(ambient?.hop.deadline, this.#meter?.deadline);
    return {
      span,
      signal: this.#abort.signal,
      conversationId: this.conversationId,
      contextVariables: this.#contextVariables,
      hop: {
        carrier: own["traceparent"] === undefined ? { ...ambient?.hop.carrier, ...own } : own,
        hops: ambient?.hop.hops ?? 0,
        ...(deadline === undefined ? {} : { deadline }),
      },
      asker: this.#questions,
      meter: this.#meter,
      onHumanAnswer: (answer) => this.#humanInput.push(answer),
      emit: (event) => this.#see(event),
    };
  }

  #see(event: AgentEvent): void {
    this.#usage.see(event);
    if (event.type === "usage") this.#meter?.spend(event);
    this.#turn = Math.max(this.#turn, event.path.length === 0 ? event.turn : 0);
    const seen = event.type === "input-required" ? this.#questions.put(event) : event;
    if (seen) this.#buffer.push(seen);
  }

  #finish(opened: OpenSpan, endedBy: EndedBy, result: ChatResult): ChatResult {
    opened.span.setAttribute(Attr.chatEndedBy, endedBy);
    this.#pushEnd(opened.span, endedBy);
    this.#buffer.end();
    opened.end(endedBy === "suspended" ? Outcomes.suspended : undefined);
    return result;
  }

  /** A spent budget is an end like any other; the call that was refused says so in the trace. */
  #endOfBudget(opened: OpenSpan, { details }: WeftError, traceId: string | undefined): ChatResult {
    const budget = details?.["budget"];
    const spentBudget = typeof budget === "string" ? { spentBudget: budget } : {};
    return this.#finish(opened, "budget", { ...this.#toResult("budget", "", traceId), ...spentBudget });
  }

  #errorOf(thrown: unknown): WeftError {
    const { signal } = this.#abort;
    if (!signal.aborted) return WeftError.from(thrown);
    const { reason } = signal as { readonly reason: unknown };
    if (reason instanceof WeftError && reason.code === "budget_exceeded") return reason;
    return new WeftError("aborted", "The run was aborted.", { cause: reason });
  }

  #fail(opened: OpenSpan, error: WeftError, traceId: string | undefined): RunError {
    const endedBy = error.code === "aborted" ? "aborted" : "error";
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
      pending: endedBy === "suspended" ? this.#questions.pending : [],
      ...(endedBy === "suspended" ? { state: this.#toState() } : {}),
    };
  }

  #toState(): ChatState {
    const { deadlineMs: _, ...rest } = this.#meter?.rest() ?? {};
    return toPlainState({
      version: stateVersion,
      kind: this.#driver.kind,
      name: this.#driver.from,
      conversationId: this.conversationId,
      runId: this.#runId,
      stretch: (this.#state?.stretch ?? 0) + 1,
      home: this.#home,
      contextVariables: this.#contextVariables,
      humanInput: this.#humanInput,
      pending: this.#questions.pending,
      usage: this.#usage.toState(),
      ...(Object.keys(rest).length > 0 ? { budget: rest } : {}),
      ...this.#driver.toState(),
    });
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function checkAnswers(state: ChatState | undefined, answers: ResumedRun["answers"]): void {
  if (!answers) return;
  for (const id of Object.keys(answers)) {
    if (state?.pending.some((request) => request.id === id)) continue;
    throw new WeftError("invalid_argument", `There is an answer to "${id}", which the state does not ask.`);
  }
}
