import { TraceFlags } from "@opentelemetry/api";
import type { SpanContext } from "@opentelemetry/api";

/** Decides at a span's start whether it is recorded. `parent` is undefined for a root. */
export interface Sampler {
  shouldSample(traceId: string, parent: SpanContext | undefined): boolean;
  toString(): string;
}

export const alwaysOn: Sampler = { shouldSample: () => true, toString: () => "always_on" };
export const alwaysOff: Sampler = { shouldSample: () => false, toString: () => "always_off" };

/** Keeps `ratio` (0 to 1) of all traces, the same ones in every service: by the last 14 digits of the trace id. */
export function traceIdRatio(ratio: number): Sampler {
  const share = Number.isNaN(ratio) ? 1 : Math.min(1, Math.max(0, ratio));
  const threshold = (1 - share) * 2 ** 56;
  return {
    shouldSample: (traceId) => share > 0 && Number.parseInt(traceId.slice(18), 16) >= threshold,
    toString: () => `traceidratio{${share}}`,
  };
}

/** Follows the parent, local or remote; asks `root` where there is none. */
export function parentBased(root: Sampler): Sampler {
  return {
    shouldSample: (traceId, parent) =>
      parent === undefined
        ? root.shouldSample(traceId, parent)
        : (parent.traceFlags & TraceFlags.SAMPLED) !== 0,
    toString: () => `parentbased_${root.toString()}`,
  };
}

/** By the names of OTEL_TRACES_SAMPLER; undefined for a name that is none of them. */
export function samplerByName(name: string, argument?: string): Sampler | undefined {
  const base = name.replace(/^parentbased_/, "");
  const root = baseSampler(base, argument);
  return root !== undefined && base !== name ? parentBased(root) : root;
}

function baseSampler(name: string, argument: string | undefined): Sampler | undefined {
  if (name === "always_on") return alwaysOn;
  if (name === "always_off") return alwaysOff;
  if (name === "traceidratio") return traceIdRatio(argument ? Number(argument) : 1);
  return undefined;
}
