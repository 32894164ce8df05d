import { WeftError } from "@weft/tracing";
import type { Target } from "./target.ts";
import { checkTarget, nameOfTarget } from "./target.ts";

type Variables = Readonly<Record<string, unknown>>;

/** When a handoff is taken: the model decides by `prompt`, or `when` decides by the chat's variables. */
export type HandoffCondition =
  | { readonly prompt: string; readonly when?: undefined }
  | { readonly when: (variables: Variables) => boolean | Promise<boolean>; readonly prompt?: undefined };

export interface HandoffOptions {
  /** Asked anew every turn; default: always. */
  readonly available?: boolean | ((variables: Variables) => boolean | Promise<boolean>);
}

export interface Handoff {
  readonly target: Target;
  readonly condition: HandoffCondition;
  readonly available: (variables: Variables) => boolean | Promise<boolean>;
}

/** A way from one agent to a target. Raises `invalid_argument` unless it has exactly one of `prompt` and `when`. */
export function handoff(target: Target, condition: HandoffCondition, options: HandoffOptions = {}): Handoff {
  checkTarget(target, "A handoff's target");
  const { prompt, when } = (condition ?? {}) as { readonly prompt?: unknown; readonly when?: unknown };
  const isPrompt = typeof prompt === "string" && prompt.trim() !== "";
  if (isPrompt === (typeof when === "function")) {
    throw new WeftError(
      "invalid_argument",
      `The handoff to "${nameOfTarget(target)}" needs either a prompt for the model or a function \`when\`.`,
    );
  }
  const { available = true } = options;
  return { target, condition, available: typeof available === "function" ? available : () => available };
}

export function isHandoff(value: unknown): value is Handoff {
  return typeof value === "object" && value !== null && "target" in value && "condition" in value;
}

/** What follows an agent's turn when nothing else decided: a target, or conditions in order. */
export type AfterWork = Target | Handoff | readonly (Target | Handoff)[];

/** The first target of after-work conditions that holds; undefined when none does. */
export async function resolveAfterWork(
  given: AfterWork | undefined,
  variables: Variables,
): Promise<Target | undefined> {
  const list = Array.isArray(given)
    ? (given as readonly (Target | Handoff)[])
    : [given as Target | Handoff | undefined];
  for (const each of list) {
    if (each === undefined) continue;
    if (!isHandoff(each)) return each;
    const { when } = each.condition;
    if ((await each.available(variables)) && (!when || (await when(variables)))) return each.target;
  }
  return undefined;
}

/** Every target that is named. */
export function targetsOf(given: AfterWork | undefined): readonly Target[] {
  const list = Array.isArray(given)
    ? (given as readonly (Target | Handoff)[])
    : given === undefined
      ? []
      : [given as Target | Handoff];
  return list.map((each) => (isHandoff(each) ? each.target : each));
}

/** Raises `invalid_argument` for after-work that is none, and for a `prompt`, which no model would read. */
export function checkAfterWork(given: AfterWork | undefined, what: string): void {
  if (given === undefined) return;
  for (const each of Array.isArray(given)
    ? (given as readonly (Target | Handoff)[])
    : [given as Target | Handoff]) {
    if (!isHandoff(each)) checkTarget(each, what);
    else if (!each.condition.when) {
      throw new WeftError("invalid_argument", `${what} takes handoffs with \`when\`, not with a prompt.`);
    }
  }
}
