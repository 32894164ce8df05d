import type { CallClockOptions } from "../agent/call-clock.ts";
import { CallClock } from "../agent/call-clock.ts";
import type { ChatModel, ModelPart, ModelRequest } from "./chat-model.ts";

/*
 * A model that never answers must not hold a turn. The clock runs until the first part of an answer; from then on
 * the stream's own pace counts, and the turn's signal.
 */

const defaultTimeoutMs = 60_000;

/** The clock of one model; one that asks others keeps their time itself, and is left as long as it needs. */
export function startFirstPartClock(
  { modelId, isComposite = false }: ChatModel,
  { settings }: ModelRequest,
  caller: AbortSignal,
  onFailure?: NonNullable<CallClockOptions["onFailure"]>,
): CallClock {
  return new CallClock({
    caller,
    timeoutMs: isComposite ? undefined : (settings?.timeoutMs ?? defaultTimeoutMs),
    what: `Model "${modelId}"`,
    late: "gave no answer",
    ...(onFailure ? { onFailure } : {}),
  });
}

/** A model that was given up is told so, but not waited for. */
export async function leaveParts(parts: AsyncIterator<ModelPart>, { aborted }: AbortSignal): Promise<void> {
  const closing = Promise.resolve(parts.return?.()).catch(() => undefined);
  if (!aborted) await Promise.race([closing, new Promise((resolve) => setImmediate(resolve))]);
}
