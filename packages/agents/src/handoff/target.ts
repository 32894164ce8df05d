/*
 * Targets: where a conversation goes next (SEMANTICS H1).
 */
import type { Agent, AgentMessage, MessageInput } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { NestedChat } from "../chat/nested-chat.ts";

/** What a target function is told. */
export interface TargetView {
  /** Undefined when an outsider spoke last. */
  readonly lastSpeaker: Agent | undefined;
  readonly agents: readonly Agent[];
  readonly messages: readonly AgentMessage[];
  readonly contextVariables: Record<string, unknown>;
}

/** Gives the next target, or null to end the chat. */
export type TargetFunction = (view: TargetView) => Target | null | Promise<Target | null>;

const brand = Symbol("weft.target");

export type SpecialTarget =
  | {
      readonly [brand]: true;
      readonly kind: "terminate" | "stay" | "revertToUser" | "askUser" | "random" | "manager";
    }
  | {
      readonly [brand]: true;
      readonly kind: "nested";
      readonly chats: readonly NestedChat[];
      readonly message?: MessageInput;
    }
  | { readonly [brand]: true; readonly kind: "by"; readonly choose: TargetFunction };

/** An agent, an agent's name, or one of `target.…`. */
export type Target = Agent | string | SpecialTarget;

function special<Kind extends "terminate" | "stay" | "revertToUser" | "askUser" | "random" | "manager">(
  kind: Kind,
) {
  return Object.freeze({ [brand]: true as const, kind });
}

export const target = {
  /** Ends the chat. */
  terminate: special("terminate"),
  /** The same agent again. */
  stay: special("stay"),
  /** The group's `user`. */
  revertToUser: special("revertToUser"),
  /** A human says who. */
  askUser: special("askUser"),
  /** Any member but the one that spoke. */
  random: special("random"),
  /** The group's selector model says who. */
  manager: special("manager"),
  /** These chats, one after another; their last summary is said, and the agent that handed off goes on. */
  nested: (chats: readonly NestedChat[]): SpecialTarget => ({ [brand]: true, kind: "nested", chats }),
  /** A function says where. */
  by: (choose: TargetFunction): SpecialTarget => ({ [brand]: true, kind: "by", choose }),
} as const;

export function isSpecialTarget(value: unknown): value is SpecialTarget {
  return typeof value === "object" && value !== null && brand in value;
}

/** How a target is called in events, spans and transfer tools. */
export function nameOfTarget(given: Target): string {
  if (typeof given === "string") return given;
  return isSpecialTarget(given) ? given.kind : given.name;
}

/** Raises `invalid_argument` for what is no target. */
export function checkTarget(given: unknown, what: string): Target {
  const isName = typeof given === "string" && given !== "";
  const isAgent = typeof (given as Partial<Agent> | null)?.respond === "function";
  if (isName || isAgent || isSpecialTarget(given)) return given as Target;
  throw new WeftError("invalid_argument", `${what} must be an agent, an agent's name or one of target.…`);
}

/** The member a target names; undefined for a special one. Raises `invalid_argument` for a stranger. */
export function memberOf(given: Target, agents: readonly Agent[], what: string): Agent | undefined {
  if (isSpecialTarget(given)) return undefined;
  const found = agents.find((agent) => agent === given || agent.name === given);
  if (found) return found;
  throw new WeftError(
    "invalid_argument",
    `${what} names "${nameOfTarget(given)}", which is no member of the group.`,
  );
}
