import type { ServerCallContext } from "@a2a-js/sdk/server";
import type { HopMetadata } from "../a2a/hop.ts";
import type { AgentMessage } from "../agent/message.ts";
import type { LeaveSignal } from "./call-signal.ts";
import type { Binding } from "../a2a/uris.ts";

const key = "weftCall";

/** What the server knows of a call besides the SDK's context: set where the call arrives. */
export interface CallState {
  readonly binding: Binding;
  /** Lower-case names; on ws the parameters of the request frame. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whose limits count: a login's name, or `@` and an address. */
  readonly callerKey?: string;
  /** Fires when the caller is gone. The task goes on. */
  readonly signal?: LeaveSignal;
  /** An authenticated caller, or loopback without proxy headers: its context and conversation id are obeyed. */
  readonly isTrusted: boolean;
  /** The reply's trace id, set once it is known; the binding puts it into its response header. */
  traceId?: string | undefined;
  /** What the call's message says of its hop, and the agent messages in it, once somebody has read them. */
  hop?: HopMetadata;
  unpacked?: readonly AgentMessage[];
}

export function setCallState(context: ServerCallContext, state: CallState): void {
  context.state.set(key, state);
}

export function callStateOf(context: ServerCallContext): CallState {
  const state = context.state.get(key) as CallState | undefined;
  return state ?? { binding: "jsonrpc", headers: {}, isTrusted: false };
}

/** Tasks and contexts belong to who made them; "" is everyone who did not log in. */
export function ownerOf(context: ServerCallContext): string {
  return context.user?.isAuthenticated ? context.user.userName : "";
}
