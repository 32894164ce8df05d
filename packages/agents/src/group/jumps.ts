import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { HandoffRules } from "../handoff/handoff-rules.ts";
import { takenByContext } from "../handoff/handoff-rules.ts";
import type { Target } from "../handoff/target.ts";

/** Handoffs by context between two turns. Nobody speaks in between, so an agent that comes up twice comes up for ever. */
export class Jumps {
  readonly #from: Agent[] = [];

  /** Raises `failed_precondition` for a circle, naming it. */
  async from(
    agent: Agent,
    variables: Record<string, unknown>,
    rules: HandoffRules,
  ): Promise<Target | undefined> {
    if (!rules.isUsed) return undefined;
    const target = await takenByContext(agent, variables);
    if (target === undefined) return undefined;
    if (this.#from.includes(agent)) {
      const names = [...this.#from, agent].map(({ name }) => name).join(" -> ");
      throw new WeftError(
        "failed_precondition",
        `Handoffs by context go round without anyone speaking: ${names}.`,
      );
    }
    this.#from.push(agent);
    return target;
  }
}
