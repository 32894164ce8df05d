import { WeftError } from "@weft/tracing";
import { randomUUID } from "node:crypto";
import type { ToolDefinition } from "../model/chat-model.ts";
import type { Tool } from "./tool.ts";
import { isTool } from "./tool.ts";
import { normaliseToolName } from "./tool-name.ts";

/*
 * An agent's tools: those its model is offered, and those it can run. `tools: [...]` is both halves.
 */

/** The definitions a model is offered, under one id so that a trace says them once. */
export interface ToolOffer {
  readonly id: string;
  readonly definitions: readonly ToolDefinition[];
}

export class ToolBook {
  readonly #offered = new Map<string, Tool>();
  readonly #runnable = new Map<string, Tool>();
  /** By the names of what is offered besides. */
  readonly #offers = new Map<string, ToolOffer>();

  /** Raises `invalid_argument` for what is not a tool, `already_exists` for another tool of the same name. */
  offer(tool: Tool): void {
    put(this.#offered, tool);
    this.#offers.clear();
  }

  enable(tool: Tool): void {
    put(this.#runnable, tool);
  }

  get runnable(): ReadonlyMap<string, Tool> {
    return this.#runnable;
  }

  /** Undefined when the model is offered nothing; `more` stands for this turn only. */
  offered(more: readonly Tool[] = []): ToolOffer | undefined {
    if (this.#offered.size + more.length === 0) return undefined;
    const key = more.map(({ name }) => name).join(" ");
    let offer = this.#offers.get(key);
    if (!offer) {
      const definitions = [...this.#offered.values(), ...more].map(({ name, description, schema }) => ({
        name,
        description,
        parameters: schema.json,
      }));
      offer = { id: `tools-${randomUUID().slice(0, 8)}`, definitions };
      this.#offers.set(key, offer);
    }
    return offer;
  }

  canRun(name: string): boolean {
    return this.#runnable.has(normaliseToolName(name));
  }

  /** Offered to the model, but for someone else to run. A name that nobody offered is the model's own mistake. */
  isForOthers(name: string): boolean {
    return !this.canRun(name) && this.#offered.has(normaliseToolName(name));
  }
}

function put(tools: Map<string, Tool>, tool: Tool): void {
  if (!isTool(tool)) throw new WeftError("invalid_argument", "Not a tool: make one with tool({ name, … }).");
  const present = tools.get(tool.name);
  if (present && present !== tool) {
    throw new WeftError("already_exists", `The agent has another tool named "${tool.name}".`);
  }
  tools.set(tool.name, tool);
}
