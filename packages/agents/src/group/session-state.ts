import type { InputRequest } from "@weft/runtime/agent";
import type { RoomState } from "../chat/chat-state.ts";

/** A group's conversation as plain JSON. Agents stand by their names. */
export interface SessionState {
  readonly room: RoomState;
  readonly turn: number;
  readonly round: number;
  readonly chatId: string;
  readonly speakers: readonly string[];
  /** Whose turn was suspended. */
  readonly waiting?: string;
  /** That turn was one of nested chats: whose, and the place of the `target.nested` that names them, if it is known. */
  readonly nested?: {
    readonly parent: string;
    readonly place?: string;
    readonly recipients: readonly string[];
  };
  /** The choice of a speaker that waits for a human. */
  readonly question?: InputRequest;
  /** Where the conversation was sent: a member's name. */
  readonly next?: string;
  /** It was sent to a human, who says where: the open `question`. */
  readonly asksUser?: boolean;
}

export function isSessionState(value: unknown): value is SessionState {
  const state = value as Partial<SessionState> | null | undefined;
  if (typeof state !== "object" || state === null) return false;
  const { room, speakers, turn, round, nested } = state;
  return (
    typeof room === "object" &&
    Array.isArray(speakers) &&
    Number.isInteger(turn) &&
    Number.isInteger(round) &&
    (nested === undefined || (typeof nested.parent === "string" && Array.isArray(nested.recipients)))
  );
}
