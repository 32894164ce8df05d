/**
 * Job: which tracer Weft's own spans come from.
 * Owns: Weft's provider while it is the registered one and whether it records.
 * I1. With a provider of somebody else registered, that one is used, through the api.
 */
import { trace } from "@opentelemetry/api";
import type { Tracer } from "@opentelemetry/api";
import { libraryName, version } from "../version.ts";
import { tracerOptions } from "./weft-tracer-provider.ts";
import type { WeftTracerProvider } from "./weft-tracer-provider.ts";

let provider: WeftTracerProvider | undefined;
/** Whether the api's global is `provider`, so that taking it away is ours to do. */
let isGlobal = false;
let ownTracer: Tracer | undefined;
let enabled = true;

export function ownProvider(): WeftTracerProvider | undefined {
  return provider;
}

/** False when another SDK registered its provider first. */
export function registerProvider(candidate: WeftTracerProvider): boolean {
  if (!trace.setGlobalTracerProvider(candidate)) return false;
  useProvider(candidate);
  isGlobal = true;
  return true;
}

/** For Weft's own spans only: where the api's global cannot be set, and what stands there cannot be used. */
export function useProvider(candidate: WeftTracerProvider): void {
  provider = candidate;
  candidate.enabled = enabled;
  ownTracer = candidate.getTracer(libraryName, version, tracerOptions);
}

export function unregisterProvider(candidate: WeftTracerProvider): void {
  if (provider !== candidate) return;
  if (isGlobal) trace.disable();
  isGlobal = false;
  provider = undefined;
  ownTracer = undefined;
}

export function currentTracer(): Tracer {
  return ownTracer ?? trace.getTracerProvider().getTracer(libraryName, version, tracerOptions);
}

/** Spans that start while tracing is disabled are not recorded; the context they were given is passed on. */
export function setTracingEnabled(value: boolean): void {
  enabled = value;
  if (provider !== undefined) provider.enabled = value;
}
