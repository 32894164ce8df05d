import { randomUUID } from "node:crypto";
import type { AgentContext, InputRequest } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { instrument, recordText } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { scopeOf } from "../chat/scope.ts";

export type HumanInputMode = "ALWAYS" | "TERMINATE" | "NEVER";

/** What a human says: a text, or a decision on an approval. */
export type HumanInputAnswer = string | { readonly approved: boolean; readonly reason?: string };

/** Asks a human. Rejecting fails the chat; `signal` fires when nobody wants the answer any more. */
export type HumanInput = (
  request: InputRequest,
  options: { readonly signal: AbortSignal },
) => HumanInputAnswer | Promise<HumanInputAnswer>;

export function createInputRequest(request: Omit<InputRequest, "id">): InputRequest {
  return { id: randomUUID(), ...request };
}

/** Asks, and waits in a span of its own; an abort is answered at once. */
export async function askHuman(
  ask: HumanInput,
  request: InputRequest,
  context: AgentContext,
): Promise<string> {
  const { signal } = context;
  const definition = {
    name: `${Operations.awaitHumanInput} ${request.agent}`,
    type: SpanTypes.humanInput,
    attributes: {
      [Attr.operationName]: Operations.awaitHumanInput,
      [Attr.agentName]: request.agent,
      [Attr.humanKind]: request.kind,
    },
  };
  return instrument(definition, async (span) => {
    recordText(span, Attr.humanPrompt, request.prompt);
    const startedAt = performance.now();
    const answer = toText(await abortable(signal, async () => ask(request, { signal })));
    span.setAttribute(Attr.humanWaitMs, Math.round(performance.now() - startedAt));
    recordText(span, Attr.humanResponse, answer);
    scopeOf(context)?.onHumanAnswer?.({ agent: request.agent, prompt: request.prompt, answer });
    return answer;
  });
}

function toText(answer: HumanInputAnswer): string {
  if (typeof answer === "string") return answer;
  throw new WeftError("invalid_argument", "humanInput must answer this request with a string.");
}

async function abortable<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void =>
    reject(new WeftError("aborted", "Nobody waits for the human any more.", { cause: signal.reason }));
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await Promise.race([promise, ask()]);
  } finally {
    signal.removeEventListener("abort", abort);
    promise.catch(() => undefined);
  }
}
