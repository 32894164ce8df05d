/**
 * Job: what of people's words may enter a span.
 * Owns: the process's content policy and budgets.
 * I1. Until startTracing decides, the policy is what the environment says, else `none`.
 */

import type { Redactor } from "./redactors.ts";

/** `none`: no content anywhere. `delta`: each text once per trace and process. `full`: every call's messages in full. */
export type ContentPolicy = "none" | "delta" | "full";

/** A text that was too long for its span, whole, after redaction. */
export interface LargeBody {
  readonly traceId: string;
  readonly spanId: string;
  /** The attribute that holds its beginning. */
  readonly key: string;
  readonly text: string;
}

/** Takes a body and says at once where it will be found: a URL, a key. Undefined when it is not kept. */
export type BodyStore = (body: LargeBody) => string | undefined;

export interface ContentSettings {
  readonly policy: ContentPolicy;
  /** Bytes of content in one attribute. */
  readonly attributeBytes: number;
  /** Bytes of content on one span. */
  readonly spanBytes: number;
  /** What every text goes through before it enters a span. */
  readonly redact: readonly Redactor[];
  readonly bodyStore: BodyStore | undefined;
}

const defaults = {
  attributeBytes: 128 * 1024,
  spanBytes: 256 * 1024,
  redact: [],
  bodyStore: undefined,
} as const;
let settings: ContentSettings | undefined;

export function contentSettings(): ContentSettings {
  return (settings ??= { policy: policyFromEnvironment(process.env) ?? "none", ...defaults });
}

/** Undefined goes back to the environment's. */
export function configureContent(change: Partial<ContentSettings> | undefined): void {
  settings = change === undefined ? undefined : { ...contentSettings(), ...change };
}

/** What startTracing's options say about content, beside the policy. */
export function contentOptions(options: {
  readonly redact?: readonly Redactor[];
  readonly contentBudget?: { readonly attributeBytes?: number; readonly spanBytes?: number };
  readonly bodyStore?: BodyStore;
}): Partial<ContentSettings> {
  const { redact = [], contentBudget = {}, bodyStore } = options;
  return { ...defaults, ...contentBudget, redact, bodyStore };
}

export function policyFromEnvironment(environment: NodeJS.ProcessEnv): ContentPolicy | undefined {
  const own = environment["WEFT_CONTENT"]?.trim().toLowerCase();
  if (own === "none" || own === "delta" || own === "full") return own;
  const convention = environment["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]?.trim().toUpperCase();
  if (convention === "NO_CONTENT" || convention === "FALSE") return "none";
  if (convention === "SPAN_ONLY" || convention === "SPAN_AND_EVENT" || convention === "TRUE") return "full";
  return undefined;
}
