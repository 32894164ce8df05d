import type { InputRequest } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HumanInput, HumanInputAnswer } from "../agent/human-answer.ts";

export interface HumanScript extends HumanInput, Disposable {
  /** What was asked, in order. */
  readonly requests: readonly InputRequest[];
  /** Raises `failed_precondition` when answers are left. */
  done(): void;
}

/** A `humanInput` that answers as a test wrote; a question beyond the script is an error. */
export function humanScript(
  answers: readonly (HumanInputAnswer | ((request: InputRequest) => HumanInputAnswer))[],
): HumanScript {
  const requests: InputRequest[] = [];
  const ask: HumanInput = (request) => {
    const answer = answers[requests.push(request) - 1];
    if (answer === undefined) {
      throw new WeftError(
        "failed_precondition",
        `humanScript: question ${requests.length} was not expected.`,
      );
    }
    return typeof answer === "function" ? answer(request) : answer;
  };
  const done = (): void => {
    if (requests.length >= answers.length) return;
    const left = answers.length - requests.length;
    throw new WeftError(
      "failed_precondition",
      `humanScript: ${left} of ${answers.length} answers were never asked for.`,
    );
  };
  return Object.assign(ask, { requests, done, [Symbol.dispose]: done });
}
