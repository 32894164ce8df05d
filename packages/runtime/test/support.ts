import { createAgentContext, createMessage, defineAgent, runTurn } from "../src/agent/index.ts";
import type { Agent, AgentContext, AgentEvent } from "../src/agent/index.ts";
import { messageText } from "../src/agent/index.ts";
import { bindings, serve } from "../src/index.ts";
import type { Agents } from "../src/server/agent-service.ts";
import type { ServeOptions, Service } from "../src/index.ts";
import { WeftError } from "@weft/tracing";

export { bindings };

/** A service on a free port with all four bindings, on one port. */
export function startService(agents: Agents, options: ServeOptions = {}): Promise<Service> {
  return serve(agents, { bindings, signals: false, ...options });
}

/** A promise to be kept by hand. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

export const echo = defineAgent({
  name: "echo",
  description: "Says back what it hears.",
  async *respond({ messages }) {
    for (const word of messageText(messages.at(-1)!).split(" ")) yield `${word} `;
  },
});

/** An agent that says what comes `before`, has then `started`, waits for `release`, and says what comes after. */
export function heldAgent(after: readonly string[], before: readonly string[] = []) {
  const started = gate();
  const held = gate();
  const agent = defineAgent({
    name: "held",
    async *respond() {
      yield* before;
      started.resolve();
      await held.promise;
      yield* after;
    },
  });
  return { agent, started: started.promise, release: held.resolve };
}

/** Says what it has seen in its context so far: its own words in brackets. */
export const recall = defineAgent({
  name: "recall",
  async *respond({ messages }) {
    yield messages.map((m) => (m.role === "assistant" ? `[${messageText(m)}]` : messageText(m))).join("|");
  },
});

export async function say(
  agent: Agent,
  text: string,
  context: AgentContext,
  turn = 1,
): Promise<AgentEvent[]> {
  const newFrom = context.history.length;
  context.history.append(createMessage({ content: text, name: "user" }));
  const request = { messages: context.history.messages, newFrom, contextVariables: {} };
  return Array.fromAsync(runTurn(agent, request, context, { turn }));
}

export function textOfTurn(events: readonly AgentEvent[]): string | undefined {
  const last = events.findLast((event) => event.type === "message" && event.path.length === 0);
  return last?.type === "message" ? last.text : undefined;
}

export function newContext(given: Partial<AgentContext> = {}): AgentContext {
  return createAgentContext(given);
}

export const hasCode =
  (...codes: string[]) =>
  (error: unknown): boolean =>
    error instanceof WeftError && codes.includes(error.code);
