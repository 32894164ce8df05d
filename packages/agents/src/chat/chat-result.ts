import type { AgentMessage, EndedBy, InputRequest } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { ChatState } from "./chat-state.ts";
import type { HumanAnswer } from "./scope.ts";
import type { ChatUsage } from "./usage-ledger.ts";

/** What a chat came to. */
export interface ChatResult<Output = unknown> {
  /** Every message, in order; in a two-agent chat as the one who started it sees them. */
  readonly history: readonly AgentMessage[];
  /** The last message's text; "" when there is none. */
  readonly text: string;
  readonly summary: string;
  readonly usage: ChatUsage;
  /** USD; undefined when the price of any call is unknown. */
  readonly cost: number | undefined;
  readonly endedBy: EndedBy;
  /** Undefined when nothing traces. */
  readonly traceId: string | undefined;
  readonly conversationId: string;
  readonly contextVariables: Readonly<Record<string, unknown>>;
  /** What humans answered, in order. */
  readonly humanInput: readonly HumanAnswer[];
  /** What a human was asked and has not answered; not empty only when `endedBy` is `suspended`. */
  readonly pending: readonly InputRequest[];
  /** What `resume` goes on from, in any process: plain JSON. Only when `endedBy` is `suspended`. */
  readonly state?: ChatState;
  /** Which budget was spent, when `endedBy` is `budget`. */
  readonly spentBudget?: string;
  /** The last message read by the `responseFormat` of the agent that said it. */
  readonly output?: Output;
}

/** A run that failed or was aborted: the error, and the chat so far. */
export class RunError extends WeftError {
  readonly result: ChatResult;

  constructor(error: WeftError, result: ChatResult) {
    const { code, message, retryable, details, cause } = error;
    super(code, message, { cause, retryable, ...(details ? { details } : {}) });
    this.result = result;
  }

  /** By its own brand alone: `WeftError` answers for every Weft error. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof WeftError && "result" in value;
  }
}
