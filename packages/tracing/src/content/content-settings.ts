/**
 * Job: what of people's words may enter a span.
 * Owns: the process's content policy and budgets.
 * I1. Until startTracing decides, the policy is what the environment says, else `none`.
 */

/** `none`: no content anywhere. `delta`: each text once per trace and process. `full`: every call's messages in full. */
export type ContentPolicy = "none" | "delta" | "full";

export interface ContentSettings {
  readonly policy: ContentPolicy;
  /** Bytes of content in one attribute. */
  readonly attributeBytes: number;
  /** Bytes of content on one span. */
  readonly spanBytes: number;
}

const budgets = { attributeBytes: 128 * 1024, spanBytes: 256 * 1024 };
let settings: ContentSettings | undefined;

export function contentSettings(): ContentSettings {
  return (settings ??= { policy: policyFromEnvironment(process.env) ?? "none", ...budgets });
}

/** Undefined goes back to the environment's. */
export function configureContent(change: Partial<ContentSettings> | undefined): void {
  settings = change === undefined ? undefined : { ...contentSettings(), ...change };
}

export function policyFromEnvironment(environment: NodeJS.ProcessEnv): ContentPolicy | undefined {
  const own = environment["WEFT_CONTENT"]?.trim().toLowerCase();
  if (own === "none" || own === "delta" || own === "full") return own;
  const convention = environment["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]?.trim().toUpperCase();
  if (convention === "NO_CONTENT" || convention === "FALSE") return "none";
  if (convention === "SPAN_ONLY" || convention === "SPAN_AND_EVENT" || convention === "TRUE") return "full";
  return undefined;
}
