/*
 * The reply chain (SEMANTICS R1): a list of steps, newest first; the first final outcome is the reply.
 */
import type {
  Agent,
  AgentContext,
  AgentMessage,
  AgentRequest,
  AgentYield,
  Emit,
  EndedBy,
  MessageInput,
} from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Asker } from "../chat/scope.ts";

export interface ReplyOutcome {
  /** Whether the chain stops here. */
  readonly final: boolean;
  /** The reply; null ends the chat. */
  readonly reply: MessageInput | null;
  /** Why a null reply ends it; default `noReply`. */
  readonly endedBy?: EndedBy;
  /** A human said it: it is no automatic reply, and not counted as one (SEMANTICS T3). */
  readonly isHuman?: boolean;
}

/** A turn as the chain's steps see it. */
export interface ReplyTurn {
  readonly request: AgentRequest;
  readonly context: AgentContext;
  /** What is answered, after the hooks; the history itself where no hook changed anything. */
  readonly messages: readonly AgentMessage[];
  /** This turn's system text. */
  readonly systemMessage: string | undefined;
  /** Who is answered: an agent of this process, or only a name, or nobody known. */
  readonly sender: Agent | string | undefined;
  /** Whom to ask when the agent has no `humanInput`. */
  readonly asker: Asker | undefined;
  /** Takes what happens on the way to the reply. */
  readonly emit: Emit<AgentYield>;
}

/** A built-in step. Undefined or not final: the next one is asked. */
export type ReplyStep = (turn: ReplyTurn) => Promise<ReplyOutcome | undefined> | ReplyOutcome | undefined;

/** Who must be answered for a step to run: a class, an agent, a name, a predicate, any of a list; null: no sender. */
export type ReplyTrigger =
  | (abstract new (...given: never[]) => Agent)
  | Agent
  | string
  | ((sender: Agent | string | undefined) => boolean)
  | null
  | readonly ReplyTrigger[];

export interface ReplyContext<Config = unknown> {
  readonly sender: Agent | string | undefined;
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly contextVariables: Record<string, unknown>;
}

export type ReplyFunction<Config = unknown> = (
  messages: readonly AgentMessage[],
  context: ReplyContext<Config>,
) => ReplyAnswer | Promise<ReplyAnswer>;

type ReplyAnswer = { readonly final: boolean; readonly reply?: MessageInput | null } | undefined | void;

export interface RegisterReplyOptions<Config = unknown> {
  /** Default 0: before all others. */
  readonly position?: number;
  readonly config?: Config;
  /** Takes all other steps out, the built-in ones too. */
  readonly removeOthers?: boolean;
}

interface Entry {
  readonly trigger: ReplyTrigger;
  readonly step: ReplyStep;
}

const everyone: ReplyTrigger = () => true;

export class ReplyChain {
  #entries: Entry[];

  constructor(builtIn: readonly ReplyStep[]) {
    this.#entries = builtIn.map((step) => ({ trigger: everyone, step }));
  }

  register<Config>(
    trigger: ReplyTrigger,
    reply: ReplyFunction<Config>,
    options: RegisterReplyOptions<Config>,
  ): void {
    if (typeof reply !== "function")
      throw new WeftError("invalid_argument", "registerReply needs a function.");
    this.registerStep(trigger, toStep(reply, options.config as Config), options);
  }

  registerStep(
    trigger: ReplyTrigger,
    step: ReplyStep,
    options: Pick<RegisterReplyOptions, "position" | "removeOthers">,
  ): void {
    checkTrigger(trigger);
    const entry = { trigger, step };
    if (options.removeOthers) this.#entries = [entry];
    else this.#entries = this.#entries.toSpliced(options.position ?? 0, 0, entry);
  }

  /** The first final outcome, or undefined when no step was final. */
  async reply(turn: ReplyTurn): Promise<ReplyOutcome | undefined> {
    for (const { trigger, step } of this.#entries) {
      if (!matches(trigger, turn.sender)) continue;
      const given = step(turn);
      const outcome = given instanceof Promise ? await given : given;
      if (outcome?.final) return outcome;
    }
    return undefined;
  }
}

function toStep<Config>(reply: ReplyFunction<Config>, config: Config): ReplyStep {
  return async ({ messages, sender, context, request }) => {
    const { signal } = context;
    const answer = await reply(messages, {
      sender,
      config,
      signal,
      contextVariables: request.contextVariables,
    });
    if (!answer) return undefined;
    if (typeof answer.final === "boolean") return { final: answer.final, reply: answer.reply ?? null };
    throw new WeftError("invalid_argument", "A reply function gives { final, reply }, or nothing to pass.");
  };
}

function checkTrigger(trigger: unknown): void {
  if (Array.isArray(trigger)) return trigger.forEach(checkTrigger);
  const isAgent = typeof (trigger as Partial<Agent> | null)?.respond === "function";
  if (trigger === null || isAgent || typeof trigger === "string" || typeof trigger === "function") return;
  throw new WeftError(
    "invalid_argument",
    "A reply's trigger is a class, an agent, a name, a predicate, a list of these, or null.",
  );
}

function matches(trigger: ReplyTrigger, sender: Agent | string | undefined): boolean {
  if (isList(trigger)) return trigger.some((each) => matches(each, sender));
  if (trigger === null) return sender === undefined;
  if (typeof trigger === "string") return trigger === (typeof sender === "string" ? sender : sender?.name);
  if (typeof trigger !== "function") return trigger === sender;
  if (isClass(trigger)) return typeof sender === "object" && sender instanceof trigger;
  return trigger(sender);
}

function isList(trigger: ReplyTrigger): trigger is readonly ReplyTrigger[] {
  return Array.isArray(trigger);
}

/** A class made with `class`: its `prototype` cannot be written. Arrow functions have none, plain ones a writable one. */
function isClass(value: object): value is abstract new (...given: never[]) => Agent {
  return Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false;
}
