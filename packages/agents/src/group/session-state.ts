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
  /** The choice of a speaker that waits for a human. */
  readonly question?: InputRequest;
  readonly next?: string;
}

export function isSessionState(value: unknown): value is SessionState {
  const state = value as Partial<SessionState> | null | undefined;
  return (
    typeof state === "object" &&
    state !== null &&
    typeof state.room === "object" &&
    Array.isArray(state.speakers)
  );
}
