import type { Attributes, Carrier, SpanKind } from "@weft/tracing/internal";
import type { AgentYield } from "./event.ts";
import type { History } from "./history.ts";
import type { Journal } from "./journal.ts";
import type { AgentMessage } from "./message.ts";

/** What an agent says it can do; it goes on its card. */
export interface AgentSkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags?: readonly string[];
  readonly examples?: readonly string[];
}

/** What a conversation may still spend. Each is a rest, and crosses hops. */
export interface Budget {
  readonly tokens?: number;
  /** USD. */
  readonly cost?: number;
  readonly turns?: number;
  readonly hops?: number;
  /** Milliseconds from when the run began; on the wire it becomes {@link Hop.deadline}. */
  readonly deadlineMs?: number;
}

/** What came with the request and goes on with the next one: strings, so that it survives tracing being off. */
export interface Hop {
  readonly carrier: Carrier;
  /** How many A2A hops lie behind. */
  readonly hops: number;
  /** Milliseconds since the epoch by which an answer is of use. */
  readonly deadline?: number;
}

/** How a turn's span looks. Default: `invoke_agent {name}`, INTERNAL. */
export interface TurnDescription {
  /** Default `invoke_agent`. A group says `invoke_workflow`. */
  readonly operation?: string;
  /** A `weft.span.type`. Default `agent`; for `invoke_workflow` `workflow`. */
  readonly type?: string;
  /** Default INTERNAL. A remote agent says CLIENT. */
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
}

/** What an agent is asked. */
export interface AgentRequest {
  /** The agent's whole view, its own messages as `assistant`. A live list: read it, never change it. */
  readonly messages: readonly AgentMessage[];
  /** Index of the first message it has not seen. */
  readonly newFrom: number;
  /** Shared by a chat's members; the agent may change it. Invisible to models. */
  readonly contextVariables: Record<string, unknown>;
}

/** Where an agent is asked. One per turn. */
export interface AgentContext {
  /** Fires when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** This agent's conversation: one per chat and member; under `serve` the A2A context. */
  readonly contextId: string;
  /** The A2A task, under `serve`. */
  readonly taskId?: string;
  /** The outermost conversation; on every span of every service. */
  readonly conversationId: string;
  /** The agent's own view, the one `request.messages` shows. Private tool rounds are appended here. */
  readonly history: History;
  /** Kept with the context, from turn to turn. JSON only. */
  readonly session: { state: unknown };
  readonly budget?: Budget;
  readonly hop: Hop;
  /** Where the turn survives its process. Absent: nothing is kept, every step is done. */
  readonly journal?: Journal;
}

/** Who answers. Local, remote and grouped agents are the same to whoever asks them. */
export interface Agent {
  /** Non-empty, unique in a chat. */
  readonly name: string;
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  readonly turn?: TurnDescription;
  respond(request: AgentRequest, context: AgentContext): AsyncIterable<AgentYield>;
}
