import type { WeftError } from "@weft/tracing";
import { limitError } from "./wire-errors.ts";

/**
 * Refuses what is nested deeper than `max` objects and arrays: what comes after would recurse into it.
 *
 * @throws WeftError `limit_exceeded` naming `depth`
 */
export function checkDepth(value: unknown, max: number): void {
  if (typeof value === "object" && value !== null) descend(value, max, max);
}

const openBrace = 0x7b;
const openBracket = 0x5b;

/** How deep JSON text is nested at most, by its brackets: to look through it costs less than through what it says. */
export function depthAtMost(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === openBrace || code === openBracket) count++;
  }
  return count;
}

function tooDeep(max: number): WeftError {
  return limitError("depth", `The request is nested deeper than the limit depth of ${max}.`);
}

function descend(value: object, left: number, max: number): void {
  if (left === 0) throw tooDeep(max);
  if (ArrayBuffer.isView(value)) return;
  // for-in is the fastest way over a JSON value, and allocates nothing.
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === "object" && member !== null) descend(member, left - 1, max);
  }
}
