/**
 * Whether spans go anywhere. OpenTelemetry's api keeps one global for all its copies in a process, registers only under the very
 * version that made it, and reads it only from the same version or an older one; else it hands out spans that nobody records.
 */
import { trace } from "@opentelemetry/api";

interface ApiGlobal {
  readonly version?: string;
  readonly trace?: unknown;
}

const key = Symbol.for("opentelemetry.js.api.1");

function apiGlobal(): ApiGlobal | undefined {
  return (globalThis as Record<symbol, ApiGlobal | undefined>)[key];
}

/** Whether a provider is registered that this copy of the api can reach. */
export function isGlobalUsable(): boolean {
  const registered = apiGlobal()?.trace;
  return registered !== undefined && trace.getTracerProvider() === registered;
}

/** `exports`: whether Weft has a destination of its own. */
export function apiSkew(exports: boolean): string {
  const version = apiGlobal()?.version ?? "unknown";
  const what = exports
    ? "Weft's spans go where startTracing says, but no other library's spans join them"
    : "Spans go nowhere";
  return `${what}: @opentelemetry/api is loaded twice, and the copy that was used first has version ${version}, which Weft's copy cannot work with. Install one version (npm ls @opentelemetry/api; npm dedupe).`;
}
