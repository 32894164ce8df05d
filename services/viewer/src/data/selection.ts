/** One speaker selection: who could speak, who was left out and why, whom it fell on and how. */
import type { OtlpSpan } from "@weft/tracing/http";
import { Attr, EventNames } from "@weft/tracing/vocabulary";
import { showValue, textAt, textsAt, toAttributes } from "./otlp-value.ts";
import type { PlainValue } from "./otlp-value.ts";

export interface Selection {
  readonly method: string;
  readonly candidates: readonly string[];
  readonly excluded: readonly Excluded[];
  readonly attempts: readonly SelectionAttempt[];
  /** "" when nobody was chosen. */
  readonly chosen: string;
  /** What was done when the method came to nothing; "" when it did not. */
  readonly fallback: string;
  readonly reason: string;
}

export interface Excluded {
  readonly name: string;
  readonly reason: string;
}

export interface SelectionAttempt {
  /** From 1. */
  readonly number: number;
  /** Candidates that the answer named; the attempt comes to something when it is one. */
  readonly named: readonly string[];
}

export function parseSelection(span: OtlpSpan): Selection {
  const attributes = toAttributes(span.attributes);
  const attempts = (span.events ?? []).filter(({ name }) => name === EventNames.attempt);
  return {
    method: textAt(attributes, Attr.selectionMethod),
    candidates: textsAt(attributes, Attr.selectionCandidates),
    excluded: textsAt(attributes, Attr.selectionExcluded).map(parseExcluded),
    attempts: attempts.map((event, index) => ({
      number: index + 1,
      named: textsAt(toAttributes(event.attributes), Attr.selectionCandidates),
    })),
    chosen: textAt(attributes, Attr.selectionChosen),
    fallback: showFallback(attributes.get(Attr.selectionFallback)),
    reason: textAt(attributes, Attr.selectionReason),
  };
}

/** `name: why`, or `{ "name", "reason" }` in JSON. */
export function parseExcluded(text: string): Excluded {
  try {
    const value = JSON.parse(text) as {
      readonly name?: unknown;
      readonly agent?: unknown;
      readonly reason?: unknown;
    } | null;
    const name = value?.name ?? value?.agent;
    if (typeof name === "string")
      return { name, reason: typeof value?.reason === "string" ? value.reason : "" };
  } catch {
    // Not JSON: the plain form.
  }
  const colon = text.indexOf(": ");
  return colon < 0
    ? { name: text, reason: "" }
    : { name: text.slice(0, colon), reason: text.slice(colon + 2) };
}

function showFallback(value: PlainValue | undefined): string {
  if (value === undefined || value === false || value === null) return "";
  return value === true ? "the method came to nothing; the next in list order speaks" : showValue(value);
}
