/*
 * Guardrails (SEMANTICS H5): a look at what comes in and at what goes out; what is caught is replaced, and may send
 * the conversation elsewhere.
 */
import type { AgentMessage, AgentYield, Emit } from "@weft/runtime/agent";
import { createMessage, messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import { instrument } from "@weft/tracing/internal";
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { BudgetMeter } from "../chat/budget-meter.ts";
import { generateWithModel } from "../model/call-model.ts";
import type { ModelInput } from "../model/model-of.ts";
import { modelOf } from "../model/model-of.ts";
import type { Target } from "./target.ts";
import { checkTarget, nameOfTarget } from "./target.ts";

export interface GuardrailOptions {
  readonly name: string;
  /** Which messages it looks at: those the agent answers, or its own. */
  readonly on: "input" | "output";
  /** The reply in place of what was caught; default: a sentence that says so. */
  readonly message?: string;
  /** Where the conversation goes then; default: on as usual. */
  readonly target?: Target;
}

/** Where a guardrail is asked. */
interface GuardrailCall {
  readonly signal: AbortSignal;
  readonly meter: BudgetMeter | undefined;
  /** Takes what a model's verdict used. */
  readonly emit: Emit<AgentYield>;
}

/** Made by `regexGuardrail` and `modelGuardrail`. */
export interface Guardrail {
  readonly name: string;
  readonly on: "input" | "output";
  readonly message: string;
  readonly target: Target | undefined;
  /** Why it is caught; undefined: it is not. */
  check(message: AgentMessage, call: GuardrailCall): Promise<string | undefined>;
}

/** Catches a message whose text the pattern finds something in. */
export function regexGuardrail(options: GuardrailOptions & { readonly pattern: RegExp | string }): Guardrail {
  const { pattern } = options;
  if (typeof pattern !== "string" && !(pattern instanceof RegExp)) {
    throw new WeftError("invalid_argument", "A regexGuardrail needs a pattern.");
  }
  // Without state: a sticky or global pattern would remember where it was.
  const flags = typeof pattern === "string" ? "u" : pattern.flags.replaceAll(/[gy]/gu, "");
  const finder = new RegExp(pattern, flags);
  return guardrail(options, async (message) => {
    const found = finder.exec(messageText(message));
    return found ? "the pattern matched" : undefined;
  });
}

const verdictFormat = {
  name: "verdict",
  schema: {
    type: "object",
    properties: { caught: { type: "boolean" }, reason: { type: "string" } },
    required: ["caught", "reason"],
    additionalProperties: false,
  },
} as const;

/** Catches a message that a model says `condition` of. */
export function modelGuardrail(
  options: GuardrailOptions & { readonly model: ModelInput; readonly condition: string },
): Guardrail {
  const { name, condition } = options;
  const model = modelOf(options.model, `Guardrail "${name}": model`);
  if (typeof condition !== "string" || condition.trim() === "") {
    throw new WeftError("invalid_argument", `Guardrail "${name}" needs a condition, in words.`);
  }
  const system =
    `Say whether this holds for the message you are given: ${condition}\n` +
    'Answer with JSON only: {"caught": true or false, "reason": "in a few words"}.';
  return guardrail(options, async (message, { signal, meter, emit }) => {
    const asked = createMessage({ id: message.id, role: "user", content: messageText(message) });
    const answer = await generateWithModel({
      model,
      request: {
        system,
        messages: [asked],
        ...(model.supportsStructuredOutput ? { responseFormat: verdictFormat } : {}),
      },
      signal,
      meter,
      name,
      context: [`id:${message.id}`],
    });
    if (answer.usage) await emit({ type: "usage", ...answer.usage });
    return readVerdict(answer.response.text);
  });
}

function guardrail(options: GuardrailOptions, check: Guardrail["check"]): Guardrail {
  const { name, on, message, target } = options;
  if (typeof name !== "string" || name === "")
    throw new WeftError("invalid_argument", "A guardrail needs a name.");
  if (on !== "input" && on !== "output") {
    throw new WeftError("invalid_argument", `Guardrail "${name}": on must be "input" or "output".`);
  }
  if (target !== undefined) checkTarget(target, `Guardrail "${name}": target`);
  return { name, on, message: message ?? `Guardrail ${name} stopped this message.`, target, check };
}

/** A model that does not answer with JSON catches when it begins with yes or true. */
function readVerdict(text: string): string | undefined {
  const json = /\{.*\}/su.exec(text)?.[0];
  try {
    const { caught, reason } = JSON.parse(json ?? "") as {
      readonly caught?: unknown;
      readonly reason?: unknown;
    };
    return caught === true ? (typeof reason === "string" && reason) || "the model said so" : undefined;
  } catch {
    return /^\W*(yes|true)\b/iu.test(text) ? "the model said so" : undefined;
  }
}

/** The first guardrail of this side that catches `message`, asked in order, each in a span of its own. */
export async function runGuardrails(
  guardrails: readonly Guardrail[],
  side: Guardrail["on"],
  message: AgentMessage | undefined,
  call: GuardrailCall,
): Promise<Guardrail | undefined> {
  if (!message) return undefined;
  for (const guardrail of guardrails) {
    if (guardrail.on !== side) continue;
    if (await isCaught(guardrail, message, call)) return guardrail;
  }
  return undefined;
}

function isCaught(guardrail: Guardrail, message: AgentMessage, call: GuardrailCall): Promise<boolean> {
  const definition = {
    name: `${Operations.guardrail} ${guardrail.name}`,
    type: SpanTypes.guardrail,
    attributes: {
      [Attr.operationName]: Operations.guardrail,
      [Attr.guardrailName]: guardrail.name,
      [Attr.guardrailSide]: guardrail.on,
    },
  };
  return instrument(definition, async (span) => {
    const matched = (await guardrail.check(message, call)) !== undefined;
    const { target } = guardrail;
    const action = !matched ? "pass" : target ? `to ${nameOfTarget(target)}` : "replace";
    span.setAttributes({ [Attr.guardrailMatched]: matched, [Attr.guardrailAction]: action });
    return matched;
  });
}
