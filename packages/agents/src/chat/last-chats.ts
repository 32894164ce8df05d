import type { Agent, AgentMessage } from "@weft/runtime/agent";
import { ChatRoom } from "./chat-room.ts";

/*
 * The last ended chat of each pair of agents in this process (SEMANTICS M2). It goes when either agent does.
 */

const lastChats = new WeakMap<Agent, WeakMap<Agent, ChatRoom>>();

/** What `agent` saw in its last ended chat with `peer`; [] when there was none. */
export function lastChat(agent: Agent, peer: Agent): readonly AgentMessage[] {
  return lastChats.get(agent)?.get(peer)?.viewOf(agent) ?? [];
}

/** What both said in their last ended chat. */
export function lastLog(agent: Agent, peer: Agent): readonly AgentMessage[] {
  return lastChats.get(agent)?.get(peer)?.log.messages ?? [];
}

/** Where messages that are sent one by one stand: the last ended chat of the two goes on, or a new one begins. */
export function openRoomBetween(agent: Agent, peer: Agent): ChatRoom {
  const before = lastChats.get(agent)?.get(peer);
  if (before) return before;
  const room = new ChatRoom();
  rememberChat(agent, peer, room);
  return room;
}

export function forgetChats(agent: Agent): void {
  lastChats.delete(agent);
}

export function rememberChat(agent: Agent, peer: Agent, room: ChatRoom): void {
  put(agent, peer, room);
  put(peer, agent, room);
}

function put(agent: Agent, peer: Agent, room: ChatRoom): void {
  let peers = lastChats.get(agent);
  if (!peers) lastChats.set(agent, (peers = new WeakMap()));
  peers.set(peer, room);
}
