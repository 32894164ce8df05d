/*
 * The state of a suspended chat: plain JSON, versioned, checked when it is read (SEMANTICS N2).
 */
import type { AgentMessage, Budget, InputRequest } from "@weft/runtime/agent";
import { parseMessage } from "@weft/runtime/agent";
import { WeftError } from "@weft/tracing";
import type { Carrier } from "@weft/tracing/internal";
import type { HumanAnswer } from "./scope.ts";
import type { LedgerState } from "./usage-ledger.ts";

export const stateVersion = 1;

export interface HistoryState {
  readonly id: string;
  readonly messages: readonly AgentMessage[];
}

export interface MemberState {
  readonly contextId: string;
  readonly history: HistoryState;
  readonly session: unknown;
  readonly seen: number;
  /** What a member that ended its turn with a question waits for. */
  readonly question?: InputRequest;
}

export interface RoomState {
  readonly log: HistoryState;
  /** By the member's name. */
  readonly members: Readonly<Record<string, MemberState>>;
}

export interface ChatState {
  readonly version: typeof stateVersion;
  readonly kind: "group" | "twoAgent" | "lone";
  /** The group's name, or the starter's. */
  readonly name: string;
  readonly conversationId: string;
  readonly runId: string;
  /** How often the run was taken up; the first stretch is 1. */
  readonly stretch: number;
  /** Where every stretch hangs in the trace. */
  readonly home: Carrier;
  readonly contextVariables: Readonly<Record<string, unknown>>;
  readonly humanInput: readonly HumanAnswer[];
  readonly pending: readonly InputRequest[];
  readonly usage: LedgerState;
  readonly budget?: Budget;
  readonly room: RoomState;
  /** What only this kind of chat knows: whose turn it is, and the like. */
  readonly chat: Readonly<Record<string, unknown>>;
}

/** Plain JSON, files as base64. Raises `failed_precondition` for what JSON cannot say. */
export function toPlainState(state: ChatState): ChatState {
  try {
    return JSON.parse(JSON.stringify(state, bytesAsText)) as ChatState;
  } catch (cause) {
    throw new WeftError(
      "failed_precondition",
      "The chat cannot be suspended: a message or a context variable holds what JSON cannot say.",
      { cause },
    );
  }
}

function bytesAsText(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  return raw instanceof Uint8Array ? Buffer.from(raw).toString("base64") : value;
}

export function isChatState(value: unknown): value is ChatState {
  return isRecord(value) && "version" in value && "room" in value;
}

/** Raises `invalid_argument` naming what is wrong: another version, another kind, a field of the wrong shape. */
export function readChatState(value: unknown, kind: ChatState["kind"], name: string): ChatState {
  const given = typeof value === "string" ? parse(value) : value;
  if (!isRecord(given)) throw invalid("it is not an object");
  if (given["version"] !== stateVersion) {
    throw invalid(`its version is ${String(given["version"])}, this library reads ${stateVersion}`);
  }
  if (given["kind"] !== kind) throw invalid(`it is of a ${String(given["kind"])} chat, not ${kind}`);
  if (given["name"] !== name) throw invalid(`it is of "${String(given["name"])}", not of "${name}"`);
  for (const key of ["conversationId", "runId"]) {
    if (typeof given[key] !== "string") throw invalid(`${key} is missing`);
  }
  for (const key of ["home", "contextVariables", "usage", "room", "chat"]) {
    if (!isRecord(given[key])) throw invalid(`${key} is missing`);
  }
  if (!Number.isInteger(given["stretch"])) throw invalid("stretch is missing");
  if (!Array.isArray(given["pending"]) || !given["pending"].every(isRequest))
    throw invalid("pending is wrong");
  if (!Array.isArray(given["humanInput"])) throw invalid("humanInput is missing");
  return { ...(given as unknown as ChatState), room: readRoom(given["room"] as Record<string, unknown>) };
}

function readRoom({ log, members }: Record<string, unknown>): RoomState {
  if (!isRecord(members)) throw invalid("room.members is missing");
  const entries = Object.entries(members).map(([name, member]): [string, MemberState] => {
    if (!isRecord(member) || typeof member["contextId"] !== "string" || !Number.isInteger(member["seen"])) {
      throw invalid(`room.members.${name} is wrong`);
    }
    const history = readHistory(member["history"], `room.members.${name}.history`);
    return [name, { ...(member as unknown as MemberState), history }];
  });
  return { log: readHistory(log, "room.log"), members: Object.fromEntries(entries) };
}

function readHistory(value: unknown, what: string): HistoryState {
  if (!isRecord(value) || typeof value["id"] !== "string" || !/^[a-z0-9]+$/u.test(value["id"])) {
    throw invalid(`${what} has no id`);
  }
  if (!Array.isArray(value["messages"])) throw invalid(`${what} has no messages`);
  return { id: value["id"], messages: value["messages"].map(parseMessage) };
}

function isRequest(value: unknown): boolean {
  return isRecord(value) && typeof value["id"] === "string" && typeof value["kind"] === "string";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WeftError("invalid_argument", "What to resume from is not JSON.", { cause });
  }
}

function invalid(why: string): WeftError {
  return new WeftError("invalid_argument", `The chat's state cannot be read: ${why}.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
