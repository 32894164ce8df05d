import { WeftError } from "@weft/tracing";
import type { TaskHost } from "./task-actor.ts";

/**
 * Aborts a turn that takes longer than its service or its caller allows. `callerDeadline`: milliseconds since the epoch.
 * To be cleared when the turn is over.
 */
export function startDeadline(
  controller: AbortController,
  { turnMs, agent }: Pick<TaskHost, "turnMs" | "agent">,
  callerDeadline: number | undefined,
): NodeJS.Timeout {
  const ms = Math.min(turnMs, callerDeadline === undefined ? turnMs : callerDeadline - Date.now());
  const late = (): void => {
    const message = `Agent "${agent.name}" did not answer within ${Math.max(0, Math.round(ms))} ms.`;
    controller.abort(new WeftError("deadline_exceeded", message));
  };
  return setTimeout(late, Math.max(0, ms));
}
