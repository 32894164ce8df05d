/*
 * RemoteAgent: an agent behind an A2A service, as an agent like any other.
 *
 * Job: sends what the far side has not seen, and turns its reply back into events and one message.
 * Owns: the connection. What it must remember of a chat (the far context, a task that waits) stands in the chat's own
 *   session, so that a chat resumed elsewhere goes on.
 * Does not own: the turn's span (runTurn's), or the call's (the transport's).
 *
 * I1  One A2A context per context of the caller: chats through one remote never mix.
 * I2  A turn that is given up, by abort or by leaving, is cancelled there too.
 * I3  A break of the connection is an error within the deadline, never a silence.
 */
import { randomUUID } from "node:crypto";
import type { AgentCard, SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import {
  activeContext,
  injectCarrier,
  runInContext,
  SpanKind,
  suppressTracing,
} from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { abortError } from "../agent/abortable.ts";
import type { Agent, AgentContext, AgentRequest, AgentSkill, TurnDescription } from "../agent/agent.ts";
import type { AgentYield } from "../agent/event.ts";
import { isRecord } from "../agent/message.ts";
import type { AgentMessage } from "../agent/message.ts";
import { isEndedByLeaving, isWeftCard } from "../a2a/agent-card.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { createSendRequest } from "../a2a/send-request.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions } from "./connect.ts";
import type { RemoteClient } from "./remote-client.ts";
import { serverAttributes } from "./create-transport.ts";
import { ReplyReader } from "./reply-reader.ts";
import { selectInterface } from "./select-interface.ts";

/** Which messages of its view a remote is sent: what it has not seen, all, the last, or a choice. */
export type RemoteContext = "delta" | "full" | "last" | ((request: AgentRequest) => readonly AgentMessage[]);

export interface RemoteAgentOptions extends Omit<ConnectOptions, "signal"> {
  /** What it is called here. Default: its card's name. */
  readonly name?: string;
  /** Milliseconds a turn may take. Default: no limit besides the connection's own. */
  readonly timeoutMs?: number;
  /** Default `delta`, which needs a remote that keeps its context. */
  readonly context?: RemoteContext;
}

export type RemoteAgent = Agent & AsyncDisposable & { readonly card: AgentCard };

/** How long after it was sent an aborted turn waits for its task's name, and how long it tries to tell the far side. */
const cancelMs = 5_000;

/** What the chat's session keeps of a remote: JSON. */
interface RemoteSession {
  readonly contextId: string;
  readonly taskId?: string | undefined;
  /** How much of the caller's view it has answered to: what a failed turn sent is sent again (ids tell a Weft remote). */
  readonly seen?: number | undefined;
}

/**
 * An agent from an A2A service: by its URL, its card's URL, or its card. The card is read now.
 *
 * @throws WeftError as {@link connect}
 */
export async function createRemoteAgent(
  target: string | AgentCard,
  options: RemoteAgentOptions = {},
): Promise<RemoteAgent> {
  return new ConnectedAgent(await connect(target, options), options);
}

class ConnectedAgent implements Agent, AsyncDisposable {
  readonly name: string;
  readonly description?: string;
  readonly skills: readonly AgentSkill[];
  readonly turn: TurnDescription;
  readonly card: AgentCard;
  readonly #client: RemoteClient;
  readonly #options: RemoteAgentOptions;

  constructor(client: RemoteClient, options: RemoteAgentOptions) {
    const { card } = client;
    this.card = card;
    this.name = options.name ?? card.name;
    if (card.description) this.description = card.description;
    this.skills = card.skills;
    this.#client = client;
    this.#options = options;
    const { endpoint } = selectInterface(card, client.binding);
    const mode = options.context ?? "delta";
    this.turn = {
      operation: Operations.invokeAgent,
      type: SpanTypes.agent,
      kind: SpanKind.CLIENT,
      attributes: {
        [Attr.agentId]: endpoint.url,
        [Attr.agentVersion]: card.version,
        [Attr.remoteContext]: typeof mode === "string" ? mode : "function",
        ...serverAttributes(endpoint.url),
      },
    };
  }

  async *respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
    const session = readSession(context.session.state) ?? { contextId: await this.#newContext(context) };
    const sent = this.#createRequest(request, context, session);
    const reader = new ReplyReader(this.name);
    const call = new RemoteCall(this.#client, reader, context.signal, this.#options.timeoutMs);
    try {
      for await (const response of call.responses(sent)) {
        yield* reader.accept(response);
        // Given up before the task had a name here: now it can be cancelled.
        call.throwIfGivenUp();
      }
      yield* this.#conclude(reader, request, context, session);
      call.isOver = true;
    } catch (error) {
      call.isOver = reader.isComplete;
      throw notJson(request.contextVariables, this.name) ?? error;
    } finally {
      call.end();
    }
  }

  /** In a turn that is taken up again the one of before: there the far side knows what it was sent by its ids. */
  async #newContext({ journal }: AgentContext): Promise<string> {
    if (!isWeftCard(this.card)) return "";
    const create = async (): Promise<string> => randomUUID();
    return journal ? journal.step("remote-context", create) : create();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  *#conclude(
    reader: ReplyReader,
    request: AgentRequest,
    context: AgentContext,
    session: RemoteSession,
  ): Generator<AgentYield> {
    const question = reader.inputRequest;
    context.session.state = {
      contextId: reader.contextId ?? session.contextId,
      seen: request.messages.length,
      ...(question && reader.taskId !== undefined ? { taskId: reader.taskId } : {}),
    };
    const usage = reader.unreportedUsage;
    if (usage) yield { type: "usage", usage, ...(usage.cost === undefined ? {} : { cost: usage.cost }) };
    takeVariables(request.contextVariables, reader.variables ?? {});
    const message = reader.finish();
    if (question) yield { type: "input-required", ...question };
    else if (message) yield message;
  }

  #createRequest(request: AgentRequest, context: AgentContext, session: RemoteSession): SendMessageRequest {
    const isWeft = isWeftCard(this.card);
    const known = readSession(context.session.state);
    const mode = this.#options.context ?? "delta";
    const messages = chooseMessages(mode, request, known);
    const hop = hopOf(context, request.contextVariables, this.#options.timeoutMs);
    // A remote that is sent everything starts afresh each time.
    const contextId = mode === "full" ? "" : session.contextId;
    return createSendRequest(messages, { contextId, taskId: session.taskId ?? "", hop, isWeft });
  }
}

function chooseMessages(
  mode: RemoteContext,
  request: AgentRequest,
  known: RemoteSession | undefined,
): readonly AgentMessage[] {
  const { messages, newFrom } = request;
  if (typeof mode === "function") return mode(request);
  if (mode === "last") return messages.slice(-1);
  if (mode === "full" || !known) return messages;
  // Its own words are known to it already.
  return messages
    .slice(Math.min(known.seen ?? newFrom, newFrom))
    .filter((message) => message.role !== "assistant");
}

function hopOf(
  context: AgentContext,
  variables: Readonly<Record<string, unknown>>,
  timeoutMs: number | undefined,
): HopMetadata {
  const { hop, budget, conversationId } = context;
  const own = injectCarrier(activeContext());
  const deadlines = [hop.deadline, timeoutMs === undefined ? undefined : Date.now() + timeoutMs];
  const deadline = Math.min(...deadlines.filter((at) => at !== undefined));
  return {
    ...(own["traceparent"] === undefined ? hop.carrier : own),
    conversationId,
    hops: hop.hops + 1,
    ...(Number.isFinite(deadline) ? { deadline } : {}),
    ...(budget === undefined ? {} : { budget }),
    ...(Object.keys(variables).length === 0 ? {} : { variables }),
  };
}

/** The far side's variables become the chat's. `__proto__` would not be a variable but the object's prototype. */
function takeVariables(variables: Record<string, unknown>, changed: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changed)) if (name !== "__proto__") variables[name] = value;
}

/** What JSON cannot say does not cross a wire. Asked only after a failure: most calls have nothing to say here. */
function notJson(variables: Readonly<Record<string, unknown>>, name: string): WeftError | undefined {
  try {
    JSON.stringify(variables);
    return undefined;
  } catch (cause) {
    return new WeftError(
      "invalid_argument",
      `The context variables cannot be sent to agent "${name}": they hold what JSON cannot say. Keep that outside of them.`,
      { cause },
    );
  }
}

function readSession(state: unknown): RemoteSession | undefined {
  if (!isRecord(state) || typeof state["contextId"] !== "string") return undefined;
  const { contextId, taskId, seen } = state;
  return {
    contextId,
    ...(typeof taskId === "string" ? { taskId } : {}),
    ...(typeof seen === "number" ? { seen } : {}),
  };
}

/** One call to the far side, and how to give it up. */
class RemoteCall {
  isOver = false;
  readonly #client: RemoteClient;
  readonly #reader: ReplyReader;
  readonly #wire = new AbortController();
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #begunAt = performance.now();
  /** Leaving is enough: there is no task to be cancelled. */
  #isEndedByLeaving = false;
  #reason: WeftError | undefined;

  constructor(client: RemoteClient, reader: ReplyReader, signal: AbortSignal, timeoutMs: number | undefined) {
    this.#client = client;
    this.#reader = reader;
    this.#signal = signal;
    signal.addEventListener("abort", this.#giveUp, { once: true });
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      const late = new WeftError(
        "deadline_exceeded",
        `Agent "${client.card.name}" did not answer within ${timeoutMs} ms.`,
      );
      this.#cancel(late);
    }, timeoutMs);
  }

  responses(request: SendMessageRequest): AsyncIterable<StreamResponse> {
    if (this.#signal.aborted) throw abortError(this.#signal);
    this.#isEndedByLeaving = request.message?.taskId === "" && isEndedByLeaving(this.#client.card);
    return this.#client.sendMessageStream(request, { signal: this.#wire.signal });
  }

  throwIfGivenUp(): void {
    if (this.#reason) throw this.#reason;
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#giveUp);
    clearTimeout(this.#timer);
    if (this.isOver) return;
    this.#tellFarSide();
    this.#wire.abort();
  }

  readonly #giveUp = (): void => this.#cancel(abortError(this.#signal));

  #cancel(reason: WeftError): void {
    this.#reason ??= reason;
    const isWaiting = this.#reader.taskId === undefined && !this.#isEndedByLeaving;
    const ms = isWaiting ? this.#begunAt + cancelMs - performance.now() : 0;
    if (ms <= 0) this.#wire.abort(reason);
    else setTimeout(() => this.#wire.abort(reason), ms).unref();
  }

  /** Best effort, and not waited for: the caller has given up. */
  #tellFarSide(): void {
    const id = this.#reader.taskId;
    if (id === undefined) return;
    const options = { signal: AbortSignal.timeout(cancelMs) };
    const cancel = (): Promise<unknown> =>
      this.#client.cancelTask({ tenant: "", id, metadata: undefined }, options);
    void runInContext(suppressTracing(activeContext()), cancel).catch(() => undefined);
  }
}
