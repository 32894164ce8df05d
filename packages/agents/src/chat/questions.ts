/*
 * Questions: what a run asks its reader.
 *
 * Job: holds each question until the reader answers, suspends, or goes on without either.
 * Owns: the questions that are open, the answers that came before they were put again.
 *
 * I1  A question never hangs: without a reader, and when the reader goes on without an answer, nobody answered.
 * I2  A question that was answered is not put again.
 */
import type { AgentEvent, InputRequest } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HumanInputAnswer } from "../agent/human-answer.ts";
import type { Answered, Asker } from "./scope.ts";

type InputRequired = Extract<AgentEvent, { readonly type: "input-required" }>;

/** A run's event: a question can be answered where it is read. */
export type RunEvent =
  | Exclude<AgentEvent, { readonly type: "input-required" }>
  | (InputRequired & {
      /** Answers; a promise may be given, and the run waits for it. Raises `failed_precondition` when it is too late. */
      readonly respond: (answer: HumanInputAnswer | Promise<HumanInputAnswer>) => void;
      /** Ends the run as `suspended`: `result.state` goes on with it, in any process. */
      readonly suspend: () => void;
    });

interface Question {
  readonly request: InputRequest;
  readonly settled: Promise<Answered>;
  readonly settle: (answered: Answered | Promise<Answered>) => void;
  isSettled: boolean;
}

export class Questions implements Asker {
  readonly #open = new Map<string, Question>();
  readonly #answers: Readonly<Record<string, HumanInputAnswer>>;
  readonly #hasReader: () => boolean;

  constructor(hasReader: () => boolean, answers: Readonly<Record<string, HumanInputAnswer>> = {}) {
    this.#hasReader = hasReader;
    this.#answers = answers;
  }

  /** Questions without an answer. */
  get pending(): readonly InputRequest[] {
    return [...this.#open.values()].map(({ request }) => request);
  }

  known(requestId: string): HumanInputAnswer | undefined {
    return Object.hasOwn(this.#answers, requestId) ? this.#answers[requestId] : undefined;
  }

  async answerTo(request: InputRequest): Promise<Answered> {
    const question = this.#open.get(request.id);
    if (!question) return "nobody";
    const answered = await question.settled;
    if (typeof answered === "object") this.#open.delete(request.id);
    return answered;
  }

  /** The event as the reader gets it; undefined when the question was put already. */
  put(event: InputRequired): RunEvent | undefined {
    if (this.#open.has(event.id)) return undefined;
    const question = createQuestion(requestOf(event));
    this.#open.set(event.id, question);
    if (!this.#hasReader()) this.#settle(question, "nobody");
    return {
      ...event,
      respond: (answer) => this.#respond(question, answer),
      suspend: () => this.#settle(question, "suspend"),
    };
  }

  /** The reader went on: what it did not answer, nobody does. */
  passed(event: RunEvent): void {
    const question = event.type === "input-required" ? this.#open.get(event.id) : undefined;
    if (question) this.#settle(question, "nobody");
  }

  /** No reader any more. */
  close(): void {
    for (const question of this.#open.values()) this.#settle(question, "nobody");
  }

  #respond(question: Question, answer: HumanInputAnswer | Promise<HumanInputAnswer>): void {
    if (question.isSettled) {
      throw new WeftError(
        "failed_precondition",
        "The run waits for this answer no longer: go on from `result.state`, with `answers`.",
      );
    }
    this.#settle(question, answer instanceof Promise ? answer.then(toAnswered) : { answer });
  }

  #settle(question: Question, answered: Answered | Promise<Answered>): void {
    if (question.isSettled) return;
    question.isSettled = true;
    question.settle(answered);
  }
}

function toAnswered(answer: HumanInputAnswer): Answered {
  return { answer };
}

function createQuestion(request: InputRequest): Question {
  const { promise: settled, resolve: settle } = Promise.withResolvers<Answered>();
  settled.catch(() => undefined);
  return { request, settled, settle, isSettled: false };
}

function requestOf(event: InputRequired): InputRequest {
  const { type: _type, from: _from, turn: _turn, spanId: _spanId, path: _path, ...request } = event;
  return request;
}
