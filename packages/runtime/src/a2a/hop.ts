import type { Message } from "@a2a-js/sdk";
import { parseUsage } from "./usage-metadata.ts";
import { isRecord } from "../agent/message.ts";
import type { Budget } from "../agent/agent.ts";
import type { Usage } from "../agent/usage.ts";
import type { Carrier } from "@weft/tracing/internal";
import { WeftError } from "@weft/tracing";
import { isErrorCode } from "@weft/tracing/internal";
import type { WeftErrorCode } from "@weft/tracing";
import { hopExtensionUri } from "./uris.ts";

/** What stands under {@link hopExtensionUri} in the metadata of a message (going) or of a task (coming back). */
export interface HopMetadata {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;
  readonly conversationId?: string;
  readonly budget?: Budget;
  /** Milliseconds since the epoch. */
  readonly deadline?: number;
  readonly hops?: number;
  /** The chat's shared variables: JSON only (SEMANTICS H4). */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Coming back: what the turn used. */
  readonly usage?: Usage & { readonly cost?: number };
  /** Coming back: the trace the turn is in. */
  readonly traceId?: string;
  /** Coming back: the event's number, `epoch.seq`; SubscribeToTask takes it in `last-event-id`. */
  readonly eventNumber?: string;
  /** Coming back: why the turn failed. */
  readonly error?: { readonly code: WeftErrorCode; readonly message: string };
}

const hopTexts = [
  "traceparent",
  "tracestate",
  "baggage",
  "conversationId",
  "traceId",
  "eventNumber",
] as const;
const hopNumbers = ["deadline", "hops"] as const;

const noHop: HopMetadata = Object.freeze({});

type Metadata = Readonly<Record<string, unknown>> | undefined;

/** Reads the hop metadata of a foreign message: what has the wrong type is left out, nothing throws. */
export function readHop(metadata: Metadata): HopMetadata {
  const value = metadata?.[hopExtensionUri];
  if (!isRecord(value)) return noHop;
  const hop: Record<string, unknown> = {};
  for (const key of hopTexts) {
    if (typeof value[key] === "string" && value[key] !== "") hop[key] = value[key];
  }
  for (const key of hopNumbers) {
    if (typeof value[key] === "number" && Number.isFinite(value[key])) hop[key] = value[key];
  }
  if (isRecord(value["variables"])) hop["variables"] = value["variables"];
  const budget = readBudget(value["budget"]);
  if (budget) hop["budget"] = budget;
  const usage = parseUsage(value["usage"]);
  if (usage) hop["usage"] = usage;
  const error = value["error"];
  if (isRecord(error) && isErrorCode(error["code"]) && typeof error["message"] === "string") {
    hop["error"] = { code: error["code"], message: error["message"] };
  }
  return hop;
}

/** Metadata with the hop's added; `undefined` members are left out. */
export function withHop(metadata: Metadata, hop: HopMetadata): Record<string, unknown> {
  const before = isRecord(metadata?.[hopExtensionUri]) ? metadata[hopExtensionUri] : {};
  return { ...metadata, [hopExtensionUri]: { ...(before as object), ...hop } };
}

const carrierKeys: ReadonlySet<string> = new Set(["traceparent", "tracestate", "baggage"]);

/** A message without the trace context it came with: that was the call's, and is nobody's who reads the message later. */
export function withoutCarrier(message: Message): Message {
  const hop = message.metadata?.[hopExtensionUri];
  if (!isRecord(hop) || !("traceparent" in hop || "baggage" in hop)) return message;
  const kept = Object.entries(hop).filter(([key]) => !carrierKeys.has(key));
  const { [hopExtensionUri]: _, ...others } = message.metadata!;
  const metadata = kept.length > 0 ? { ...others, [hopExtensionUri]: Object.fromEntries(kept) } : others;
  return { ...message, metadata: Object.keys(metadata).length > 0 ? metadata : undefined };
}

/** The trace context of a hop, as a carrier. */
export function carrierOf(hop: HopMetadata): Carrier {
  const carrier: Carrier = {};
  if (hop.traceparent !== undefined) carrier["traceparent"] = hop.traceparent;
  if (hop.tracestate !== undefined) carrier["tracestate"] = hop.tracestate;
  if (hop.baggage !== undefined) carrier["baggage"] = hop.baggage;
  return carrier;
}

/**
 * Refuses a call whose budget is spent, naming what is.
 *
 * @throws WeftError `budget_exceeded`, or `deadline_exceeded` when the caller's deadline has passed
 */
export function checkHop(hop: HopMetadata, maxHops: number, now = Date.now()): void {
  const spent = Object.entries(hop.budget ?? {}).find(([, rest]) => rest <= 0);
  if (spent) throw new WeftError("budget_exceeded", `The conversation's budget of ${spent[0]} is spent.`);
  if ((hop.hops ?? 0) > maxHops) {
    throw new WeftError(
      "budget_exceeded",
      `The request came over ${hop.hops} hops; at most ${maxHops} are allowed.`,
    );
  }
  if (hop.deadline !== undefined && hop.deadline <= now) {
    throw new WeftError("deadline_exceeded", "The caller's deadline has passed.");
  }
}

const budgetKeys = ["tokens", "cost", "turns", "hops", "deadlineMs"] as const;

function readBudget(value: unknown): Budget | undefined {
  if (!isRecord(value)) return undefined;
  const entries = budgetKeys.filter((key) => typeof value[key] === "number").map((key) => [key, value[key]]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
