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

/**
 * Whether JSON text has brackets enough to be nested deeper than `max`: to look through it costs less than to look
 * through what it says.
 */
export function canBeDeep(text: string, max: number): boolean {
  let left = max;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code === openBrace || code === openBracket) && left-- === 0) return true;
  }
  return false;
}

const openBrace = 0x7b;
const openBracket = 0x5b;

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
