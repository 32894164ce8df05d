import type { Tool } from "./tool.ts";

interface Caller {
  registerForLLM(tool: Tool): unknown;
}

interface Executor {
  registerForExecution(tool: Tool): unknown;
}

/** Both halves of a tool at once: `caller`'s model is offered it, `executor` runs it. */
export function registerFunction(
  tool: Tool,
  parties: { readonly caller: Caller; readonly executor: Executor },
): void {
  parties.caller.registerForLLM(tool);
  parties.executor.registerForExecution(tool);
}
