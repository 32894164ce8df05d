import type { AgentSkill, MessageInput } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { ModelSettings } from "../model/chat-model.ts";
import type { ModelInput } from "../model/model-of.ts";
import type { CodeExecutionOptions } from "../code/code-executor.ts";
import type { Guardrail } from "../handoff/guardrail.ts";
import type { AfterWork, Handoff } from "../handoff/handoff.ts";
import { checkAfterWork, isHandoff } from "../handoff/handoff.ts";
import type { StandardSchema } from "../tool/schema.ts";
import type { ToolSet } from "../tool/tool-set.ts";
import type { Hooks } from "./hooks.ts";
import type { HumanInput, HumanInputMode } from "./human-answer.ts";
import type { IsTerminationMessage } from "./termination.ts";

export interface ConversableAgentOptions<Output = unknown> {
  /** Non-empty, unique in a chat. */
  readonly name: string;
  /** For speaker selection and the agent's card; public. */
  readonly description?: string;
  readonly skills?: readonly AgentSkill[];
  /** Default "You are a helpful AI assistant."; never leaves this process but to the model. */
  readonly systemMessage?: string;
  /** A `ChatModel` or an AI SDK model object. Without one the agent answers by its reply functions and tools only. */
  readonly model?: ModelInput;
  readonly modelSettings?: ModelSettings;
  /** Offered to the model and run here. */
  readonly tools?: ToolSet;
  /** How often a turn asks the model again after tool calls; default 20, then once without tools. */
  readonly maxToolRounds?: number;
  /** Default `TERMINATE`. */
  readonly humanInputMode?: HumanInputMode;
  readonly humanInput?: HumanInput;
  /** Automatic replies to one sender in a row; default 100, 0: none. */
  readonly maxConsecutiveAutoReply?: number;
  /** Default: the text is exactly `TERMINATE`. */
  readonly isTerminationMessage?: IsTerminationMessage;
  /** The reply when no step of the chain is final; default "". */
  readonly defaultAutoReply?: MessageInput;
  /** Laid under a run's own variables. */
  readonly contextVariables?: Readonly<Record<string, unknown>>;
  /** The form of its answers: types `chat.output`, which is checked by it. */
  readonly responseFormat?: StandardSchema<unknown, Output> | JsonSchemaOf<Output>;
  /** Runs the code in messages; default: none (SEMANTICS X1). */
  readonly codeExecution?: CodeExecutionOptions | false;
  /** Where the conversation may go from here, in a group. */
  readonly handoffs?: readonly Handoff[];
  /** Where it goes in a group after this agent's turn, when nothing else decided. */
  readonly afterWork?: AfterWork;
  readonly guardrails?: readonly Guardrail[];
  readonly hooks?: { readonly [Name in keyof Hooks]?: Hooks[Name] | readonly Hooks[Name][] };

  /** AG2's spelling of `isTerminationMessage`. */
  readonly isTerminationMsg?: IsTerminationMessage;
  /** AG2's spelling of "no model". */
  readonly llmConfig?: false;
}

/** A JSON Schema says nothing to the type checker; `unknown` is what it gives. */
type JsonSchemaOf<Output> = unknown extends Output ? { readonly [keyword: string]: unknown } : never;

const modes: ReadonlySet<unknown> = new Set<HumanInputMode>(["ALWAYS", "TERMINATE", "NEVER"]);

/** Raises `invalid_argument` with the option's name and the remedy. */
export function checkAgentOptions<Output>(options: ConversableAgentOptions<Output>): void {
  const { name, humanInputMode, maxConsecutiveAutoReply, maxToolRounds, llmConfig, model } = options;
  if (typeof name !== "string" || name.trim() === "") {
    throw new WeftError("invalid_argument", "An agent needs a name: a non-empty string.");
  }
  if (humanInputMode !== undefined && !modes.has(humanInputMode)) {
    throw invalid(name, `humanInputMode must be ALWAYS, TERMINATE or NEVER, not "${humanInputMode}".`);
  }
  checkCount(name, "maxConsecutiveAutoReply", maxConsecutiveAutoReply);
  checkCount(name, "maxToolRounds", maxToolRounds);
  checkAfterWork(options.afterWork, `Agent "${name}": afterWork`);
  for (const each of options.handoffs ?? []) {
    if (!isHandoff(each))
      throw invalid(name, "handoffs must be made with handoff(target, { prompt } | { when }).");
  }
  if (llmConfig !== undefined && (llmConfig as unknown) !== false) {
    throw invalid(name, "llmConfig may only be false; give a model as `model`.");
  }
  if (llmConfig === false && model !== undefined)
    throw invalid(name, "llmConfig: false and model contradict each other.");
}

function checkCount(name: string, option: string, value: number | undefined): void {
  if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= 0)) return;
  throw invalid(name, `${option} must be a whole number, 0 or more, not ${String(value)}.`);
}

function invalid(name: string, message: string): WeftError {
  return new WeftError("invalid_argument", `Agent "${name}": ${message}`);
}
