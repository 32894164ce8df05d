/*
 * QuestionRelay: questions that are put while a speaker is chosen.
 *
 * A selection is one promise in one span; its questions must leave as events before they are waited for.
 */
import type { AgentContext, AgentEvent, AgentYield, InputRequest } from "@weft/runtime/agent";
import type { HumanInput } from "../agent/human-answer.ts";
import { askHuman, createInputRequest } from "../agent/human-input.ts";
import type { Answered, Asker } from "../chat/scope.ts";

type Ask = (wanted: Omit<InputRequest, "id">) => Promise<Answered>;

export class QuestionRelay {
  readonly #from: string;
  readonly #events: AgentYield[] = [];
  #wake: (() => void) | undefined;
  /** What was asked and not answered. */
  open: InputRequest | undefined;

  constructor(from: string, open?: InputRequest) {
    this.#from = from;
    this.open = open;
  }

  asker(humanInput: HumanInput | undefined, context: AgentContext, asker: Asker | undefined): Ask {
    return async (wanted) => {
      const request = this.open ?? createInputRequest(wanted);
      this.open = request;
      const asking = askHuman({ request, humanInput, context, asker });
      for (;;) {
        const step = await asking.next();
        if (step.done) {
          if (typeof step.value === "object") this.open = undefined;
          return step.value;
        }
        await this.#send(step.value);
      }
    };
  }

  /** Runs `select` and yields, on the way, what it asks. */
  async *during<T>(select: () => Promise<T>, turn: number): AsyncGenerator<AgentEvent, T> {
    const selecting = select();
    let isDone = false;
    const done = selecting.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    for (;;) {
      await Promise.race([done, new Promise<void>((resolve) => (this.#wake = resolve))]);
      for (const event of this.#events.splice(0)) {
        yield { ...(event as AgentEvent), from: this.#from, turn, spanId: "", path: [] };
        this.#taken?.();
      }
      if (isDone) return selecting;
    }
  }

  #taken: (() => void) | undefined;

  #send(event: AgentYield): Promise<void> {
    this.#events.push(event);
    return new Promise((resolve) => {
      this.#taken = resolve;
      this.#wake?.();
    });
  }
}
