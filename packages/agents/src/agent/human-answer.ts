import type { InputRequest } from "@weft/runtime/agent";

export type HumanInputMode = "ALWAYS" | "TERMINATE" | "NEVER";

/** What a human says: a text, or a decision on an approval. */
export type HumanInputAnswer = string | { readonly approved: boolean; readonly reason?: string };

/** Asks a human. Rejecting fails the chat; `signal` fires when nobody wants the answer any more. */
export type HumanInput = (
  request: InputRequest,
  options: { readonly signal: AbortSignal },
) => HumanInputAnswer | Promise<HumanInputAnswer>;
