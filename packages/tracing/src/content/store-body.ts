import type { Span } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { contentSettings } from "./content-settings.ts";
import { appendStrings } from "./span-content.ts";

/**
 * Gives a body that its span has no room for to the body store, if there is one, and says on the span where it is:
 * `"<attribute>=<reference>"`. A store that throws keeps nothing; the traced call goes on.
 */
export function storeBody(span: Span, key: string, toText: () => string): void {
  const { bodyStore } = contentSettings();
  if (bodyStore === undefined) return;
  const { traceId, spanId } = span.spanContext();
  try {
    const reference = bodyStore({ traceId, spanId, key, text: toText() });
    if (reference !== undefined) appendStrings(span, Attr.contentBodies, [`${key}=${reference}`]);
  } catch {
    // The beginning stays on the span, and the cut is counted.
  }
}
