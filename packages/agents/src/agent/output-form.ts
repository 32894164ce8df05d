import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { ResponseFormat } from "../model/chat-model.ts";
import type { CompiledSchema, Schema } from "../tool/schema.ts";
import { compileSchema, describeIssues } from "../tool/schema.ts";
import { normaliseToolName } from "../tool/tool-name.ts";

/** An agent's `responseFormat`: what its model is told, and how its answers are read. */
export class OutputForm {
  readonly forModel: ResponseFormat;
  readonly #schema: CompiledSchema;
  readonly #name: string;

  /** Raises `invalid_argument` for a schema that has no JSON form. */
  constructor(schema: unknown, name: string) {
    this.#schema = compileSchema(schema as Schema, `Agent "${name}": responseFormat`);
    this.forModel = { name: `${normaliseToolName(name)}_answer`, schema: this.#schema.json };
    this.#name = name;
  }

  /** Raises `model_failed` for an answer that is no JSON or does not fit. */
  async read(message: AgentMessage): Promise<unknown> {
    const text = messageText(message).trim();
    let value: unknown;
    try {
      // Some models put a fence around it.
      value = JSON.parse(/^```(?:json)?\s*(.*?)\s*```$/su.exec(text)?.[1] ?? text);
    } catch (cause) {
      throw new WeftError("model_failed", `The answer of "${this.#name}" is not JSON.`, { cause });
    }
    const parsed = await this.#schema.parse(value);
    if (parsed.ok) return parsed.value;
    const issues = describeIssues(parsed.issues);
    throw new WeftError(
      "model_failed",
      `The answer of "${this.#name}" does not fit its responseFormat: ${issues}.`,
    );
  }
}
