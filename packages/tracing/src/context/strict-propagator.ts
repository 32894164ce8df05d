import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { isTracingSuppressed } from "./active-context.ts";
import { injectCarrier, withCarrier } from "./carrier.ts";

/** W3C Trace Context Level 2 and baggage by allow-list, for the api's global propagator. */
export class StrictPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (isTracingSuppressed(context)) return;
    for (const [key, value] of Object.entries(injectCarrier(context))) setter.set(carrier, key, value);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return withCarrier(context, (name) => getter.get(carrier, name) ?? getter.get(carrier, titleCase(name)));
  }

  fields(): string[] {
    return ["traceparent", "tracestate", "baggage"];
  }
}

function titleCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
