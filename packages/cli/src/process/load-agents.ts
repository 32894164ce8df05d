/** The agents a module exports. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Agents } from "@weft/runtime";
import type { Agent } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";

/**
 * The module's default export: an agent, or a record of agents by key.
 * @throws WeftError `invalid_argument` when the module cannot be loaded or exports neither
 */
export async function loadAgents(file: string): Promise<Agents> {
  const exported = await load(file);
  if (isAgent(exported)) return exported;
  if (isRecordOfAgents(exported)) return exported;
  throw new WeftError(
    "invalid_argument",
    `the default export of ${file} is neither an agent nor a record of agents`,
  );
}

async function load(file: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
    return module.default;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WeftError("invalid_argument", `${file} cannot be loaded: ${reason}`, { cause: error });
  }
}

function isAgent(value: unknown): value is Agent {
  if (typeof value !== "object" || value === null) return false;
  const { name, respond } = value as Partial<Agent>;
  return typeof name === "string" && typeof respond === "function";
}

function isRecordOfAgents(value: unknown): value is Readonly<Record<string, Agent>> {
  if (typeof value !== "object" || value === null) return false;
  const agents = Object.values(value);
  return agents.length > 0 && agents.every(isAgent);
}
