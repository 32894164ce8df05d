import type { Target } from "./target.ts";

export interface ReplyResultOptions {
  /** What the model and the chat are told: a text, or anything JSON can say. */
  readonly message: unknown;
  /** Where the conversation goes; default: it stays with the agent. */
  readonly target?: Target;
  /** Laid over the chat's variables. */
  readonly contextVariables?: Readonly<Record<string, unknown>>;
}

/** A tool's result that also says where the conversation goes and what its variables become (SEMANTICS O3). */
export class ReplyResult {
  readonly message: unknown;
  readonly target: Target | undefined;
  readonly contextVariables: Readonly<Record<string, unknown>> | undefined;

  constructor(options: ReplyResultOptions) {
    this.message = options.message;
    this.target = options.target;
    this.contextVariables = options.contextVariables;
  }
}
