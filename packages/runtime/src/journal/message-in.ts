import { Message } from "@a2a-js/sdk";
import {
  conversationOf,
  injectCarrier,
  readRemote,
  ROOT_CONTEXT,
  setConversation,
  traceIdOf,
} from "@weft/tracing/internal";
import { contextFrom } from "@weft/tracing/internal";
import type { Carrier, Context } from "@weft/tracing/internal";
import type { AgentMessage } from "../agent/message.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { readHop } from "../a2a/hop.ts";
import { hopExtensionUri } from "../a2a/uris.ts";
import type { StepRow } from "../store/task-store.ts";

/** A message that waits for its turn, with the context it arrived in. */
export interface PendingTurn {
  readonly message: Message;
  /** The agent messages in it, if they are known. */
  readonly unpacked?: readonly AgentMessage[] | undefined;
  readonly hop: HopMetadata;
  /** Parent of the turn's span: where the request arrived, or after a takeover the run's home. */
  readonly parent: Context;
  /** What the run came from: what continues it in another process hangs there. Undefined where none can. */
  readonly home: Carrier | undefined;
  /** Its place in the task's journal. */
  readonly place: number;
}

const prefix = "in/";

export function messageInKey(messageId: string): string {
  return prefix + messageId;
}

/** The strings under which a run goes on: the caller's context when its trace is ours, else our own first span. */
export function homeOf(received: Carrier, context: Context): Carrier {
  const remote = readRemote(received);
  return remote && remote.traceId === traceIdOf(context) ? received : injectCarrier(context);
}

/** A message-in as a row of the journal; with a result once its turn is over. */
export function writeMessageIn(turn: PendingTurn, isDone: boolean): StepRow {
  const intent = {
    message: Message.toJSON(turn.message),
    hop: turn.hop,
    home: turn.home ?? {},
    conversationId: conversationOf(turn.parent),
  };
  return {
    key: messageInKey(turn.message.messageId),
    place: turn.place,
    intent: JSON.stringify(intent),
    result: isDone ? "{}" : undefined,
  };
}

/** The messages whose turns are not over, in the order they came. */
export function readPending(steps: readonly StepRow[]): PendingTurn[] {
  return steps
    .filter(({ key, result }) => key.startsWith(prefix) && result === undefined)
    .map(({ intent, place }) => {
      const stored = JSON.parse(intent) as {
        readonly message: unknown;
        readonly hop: HopMetadata;
        readonly home: Carrier;
        readonly conversationId?: string;
      };
      const home = contextFrom(stored.home, ROOT_CONTEXT);
      const parent =
        stored.conversationId === undefined ? home : setConversation(home, stored.conversationId);
      const hop = readHop({ [hopExtensionUri]: stored.hop });
      return { message: Message.fromJSON(stored.message), hop, parent, home: stored.home, place };
    });
}
