import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import type { HumanInput } from "./human-answer.ts";

export interface TerminalOptions {
  /** Default: this process's own. */
  readonly input?: Readable;
  readonly output?: Writable;
}

/** A `humanInput` that asks at a terminal: `humanInput: terminal()`. One question at a time, in the order they come. */
export function terminal({
  input = process.stdin,
  output = process.stdout,
}: TerminalOptions = {}): HumanInput {
  let last: Promise<unknown> = Promise.resolve();
  return (request, { signal }) => {
    const ask = async (): Promise<string> => {
      const lines = createInterface({ input, output });
      try {
        const hint = request.kind === "approval" ? " [yes/no] " : " ";
        // At the end of the input nobody is there any more.
        const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("exit")));
        return await Promise.race([lines.question(`${request.prompt}${hint}`, { signal }), closed]);
      } finally {
        lines.close();
      }
    };
    const answer = last.then(ask, ask);
    last = answer.catch(() => undefined);
    return answer;
  };
}
