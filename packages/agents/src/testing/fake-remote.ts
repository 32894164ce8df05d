import type { ConnectOptions, RemoteAgentOptions } from "@weft/runtime";
import type {
  Agent,
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentYield,
  Budget,
} from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { remoteAgent } from "../agent/remote-agent.ts";
import { FakeService } from "./fake-service.ts";
import { delay, words } from "./scripted-model.ts";

export interface FakeRemoteAnswer {
  /** Streamed word by word. */
  readonly text?: string;
  /** Answers instead of `text`: for tool events, questions, files, or an agent of yours. */
  readonly respond?: Agent["respond"];
  /** Milliseconds before the first piece. Default 0. */
  readonly delayMs?: number;
  /** The connection drops once the caller has read so many pieces: words of `text`, or what `respond` yields; 0: before any. */
  readonly dropAfter?: number;
}

/**
 * `error`: the agent throws it, and its task fails. `refuse`: the service's door answers with this HTTP status, and the
 * agent is not asked.
 */
export type FakeRemoteReply =
  | string
  | FakeRemoteAnswer
  | { readonly error: unknown }
  | { readonly refuse: number };

export type FakeRemoteStep =
  | FakeRemoteReply
  | ((
      request: FakeRemoteRequest,
    ) => Exclude<FakeRemoteReply, { readonly refuse: number }> | Promise<string | FakeRemoteAnswer>);

/** One call as it came over the wire. */
export interface FakeRemoteRequest {
  /** The last message's text. */
  readonly text: string;
  /** Its whole view of the conversation. */
  readonly messages: readonly AgentMessage[];
  readonly contextVariables: Readonly<Record<string, unknown>>;
  /** A2A's context: one per chat and member. */
  readonly contextId: string;
  /** The outermost conversation's, from the hop. */
  readonly conversationId: string;
  readonly traceparent: string | undefined;
  readonly hops: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly budget: Budget | undefined;
  /** Fires when the caller cancels. */
  readonly signal: AbortSignal;
}

export interface FakeRemoteOptions extends Omit<RemoteAgentOptions, "binding" | "auth"> {
  /** Default `jsonrpc`. A `refuse` needs one of HTTP's. */
  readonly binding?: "jsonrpc" | "rest" | "ws";
  /** Both sides': the service asks for it, the client sends it. */
  readonly auth?: ConnectOptions["auth"];
  readonly description?: string;
}

export interface FakeRemote extends Agent, AsyncDisposable {
  /** Where the service listens, for clients of your own. */
  readonly url: string;
  /** The calls that reached the agent, in order. */
  readonly requests: readonly FakeRemoteRequest[];
  /** Raises `failed_precondition` when steps are left. */
  done(): void;
}

/**
 * A remote agent for tests, without a service of yours: a script (or an agent) behind the real A2A server on loopback,
 * reached by the real client, so that context, errors, streams, cancellation and breaks cross the wire as they would.
 * Calls take the steps in order; one beyond the script fails. Disposing closes it and raises as `done` does.
 *
 * Raises `invalid_argument` for a refusal on the WebSocket binding.
 */
export async function fakeRemote(
  script: readonly FakeRemoteStep[] | Agent,
  options: FakeRemoteOptions = {},
): Promise<FakeRemote> {
  const { binding = "jsonrpc", auth, description, ...connection } = options;
  const fake = new FakeAgent(script, options.name, description);
  if (binding === "ws" && fake.steps.some((step) => typeof step === "object" && "refuse" in step)) {
    throw new WeftError(
      "invalid_argument",
      "fakeRemote: a refusal is an HTTP answer; the binding ws has none.",
    );
  }
  const login = auth ? { auth } : {};
  const service = await FakeService.start(fake, { bindings: [binding], ...login }, () => fake.takeRefusal());
  fake.service = service;
  const remote = await remoteAgent(service.url, { ...connection, ...login, binding });
  return {
    name: remote.name,
    ...(remote.description === undefined ? {} : { description: remote.description }),
    ...(remote.skills ? { skills: remote.skills } : {}),
    ...(remote.turn ? { turn: remote.turn } : {}),
    respond: (request, context) => noting(remote.respond(request, context), service),
    url: service.url,
    requests: fake.requests,
    done: () => fake.done(),
    async [Symbol.asyncDispose]() {
      await remote[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      fake.done();
    },
  };
}

/** Tells the service what of an answer has arrived. */
async function* noting(yields: AsyncIterable<AgentYield>, service: FakeService): AsyncGenerator<AgentYield> {
  let read = "";
  for await (const each of yields) {
    read += textOf(each);
    service.noteRead(read);
    yield each;
  }
}

/** The agent behind the wire. */
class FakeAgent implements Agent {
  readonly name: string;
  readonly description?: string;
  readonly steps: FakeRemoteStep[];
  readonly requests: FakeRemoteRequest[] = [];
  service: FakeService | undefined;
  readonly #agent: Agent | undefined;
  readonly #length: number;

  constructor(
    script: readonly FakeRemoteStep[] | Agent,
    name: string | undefined,
    description: string | undefined,
  ) {
    this.#agent = "respond" in script ? script : undefined;
    this.steps = "respond" in script ? [] : [...script];
    this.#length = this.steps.length;
    this.name = name ?? this.#agent?.name ?? "remote";
    const about = description ?? this.#agent?.description;
    if (about !== undefined) this.description = about;
  }

  /** The status, when the next step is a refusal. */
  takeRefusal(): number | undefined {
    const [step] = this.steps;
    if (typeof step !== "object" || !("refuse" in step)) return undefined;
    this.steps.shift();
    return step.refuse;
  }

  async *respond(request: AgentRequest, context: AgentContext): AsyncGenerator<AgentYield> {
    const asked = toRequest(request, context);
    this.requests.push(asked);
    if (this.#agent) return yield* this.#agent.respond(request, context);
    const step = this.steps.shift();
    if (step === undefined) {
      throw new WeftError("failed_precondition", `fakeRemote: call ${this.#length + 1} was not expected.`);
    }
    const reply = typeof step === "function" ? await step(asked) : step;
    const answer = typeof reply === "string" ? { text: reply } : reply;
    if ("error" in answer) throw answer.error;
    if ("refuse" in answer) throw new WeftError("invalid_argument", "fakeRemote: a function cannot refuse.");
    if (answer.delayMs) await delay(answer.delayMs, context.signal);
    yield* this.#pieces(answer, request, context);
  }

  done(): void {
    if (this.steps.length === 0) return;
    throw new WeftError(
      "failed_precondition",
      `fakeRemote: ${this.steps.length} of ${this.#length} steps were never asked for.`,
    );
  }

  async *#pieces(
    { text = "", respond, dropAfter }: FakeRemoteAnswer,
    request: AgentRequest,
    context: AgentContext,
  ): AsyncGenerator<AgentYield> {
    let sent = "";
    let count = 0;
    const drop = async (): Promise<void> => {
      if (count === dropAfter) await this.service?.dropAfter(sent, context.signal);
    };
    await drop();
    for await (const piece of respond ? respond(request, context) : words(text)) {
      yield piece;
      sent += textOf(piece);
      count++;
      await drop();
    }
  }
}

function textOf(piece: AgentYield): string {
  if (typeof piece === "string") return piece;
  return "type" in piece && piece.type === "text-delta" ? piece.text : "";
}

function toRequest(
  { messages, contextVariables }: AgentRequest,
  { contextId, conversationId, hop, budget, signal }: AgentContext,
): FakeRemoteRequest {
  const last = messages.at(-1);
  return {
    text: last ? messageText(last) : "",
    messages: [...messages],
    contextVariables: { ...contextVariables },
    contextId,
    conversationId,
    traceparent: hop.carrier["traceparent"],
    hops: hop.hops,
    deadline: hop.deadline,
    budget,
    signal,
  };
}
