/** `tracestate` of W3C Trace Context Level 2, https://www.w3.org/TR/trace-context-2/#tracestate-header */
import type { TraceState } from "@opentelemetry/api";
import { trimBlanks } from "./trace-parent.ts";

const maxMembers = 32;
/** Level 2 made one grammar of plain keys and of tenant@system: at signs may stand anywhere but in front. */
const keyPattern = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const valuePattern = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

type Member = readonly [key: string, value: string];

/** An immutable list of members, newest first. */
export class MemberList implements TraceState {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  get(key: string): string | undefined {
    return this.#members.find((member) => member[0] === key)?.[1];
  }

  /** The member goes to the front; past 32 the last ones leave. An invalid key or value changes nothing. */
  set(key: string, value: string): MemberList {
    if (!keyPattern.test(key) || !valuePattern.test(value)) return this;
    const others = this.#members.filter((member) => member[0] !== key);
    const front: Member = [key, value];
    return new MemberList([front, ...others].slice(0, maxMembers));
  }

  unset(key: string): MemberList {
    return new MemberList(this.#members.filter((member) => member[0] !== key));
  }

  serialize(): string {
    return this.#members.map(([key, value]) => `${key}=${value}`).join(",");
  }
}

/**
 * Reads one header, or several joined in order. The whole list is dropped (undefined) at the first member that
 * is malformed, and when more than 32 are left. Empty members are skipped; of members with one key the first, which
 * is the newest, is kept.
 */
export function parseTraceState(headers: string | readonly string[]): MemberList | undefined {
  const joined = typeof headers === "string" ? headers : headers.join(",");
  const members: Member[] = [];
  const seen = new Set<string>();
  for (const part of joined.split(",")) {
    const text = trimBlanks(part);
    if (text === "") continue;
    const member = parseMember(text);
    if (member === undefined) return undefined;
    if (seen.has(member[0])) continue;
    seen.add(member[0]);
    members.push(member);
    if (members.length > maxMembers) return undefined;
  }
  return members.length === 0 ? undefined : new MemberList(members);
}

function parseMember(text: string): Member | undefined {
  const split = text.indexOf("=");
  if (split < 1) return undefined;
  const key = text.slice(0, split);
  const value = text.slice(split + 1);
  return keyPattern.test(key) && valuePattern.test(value) ? [key, value] : undefined;
}
