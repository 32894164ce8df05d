import { randomUUID } from "node:crypto";
import { Role } from "@a2a-js/sdk";
import type { SendMessageRequest } from "@a2a-js/sdk";
import type { AgentMessage } from "../agent/message.ts";
import { withHop } from "./hop.ts";
import type { HopMetadata } from "./hop.ts";
import { goOnPart, packForStranger, packMessages, textPart } from "./message-mapping.ts";
import { eventsExtensionUri, hopExtensionUri } from "./uris.ts";

export interface SendTarget {
  /** "" lets the far side choose. */
  readonly contextId?: string;
  /** Set to answer a task that waits for input. */
  readonly taskId?: string;
  readonly hop?: HopMetadata;
  /** A Weft service is told whose each message is. */
  readonly isWeft: boolean;
}

/**
 * A SendMessage request with agent messages. Its message id is the last message's, so that a Weft service answers a
 * request that comes twice once.
 */
export function createSendRequest(messages: readonly AgentMessage[], target: SendTarget): SendMessageRequest {
  const { contextId = "", taskId = "", hop, isWeft } = target;
  const parts = isWeft ? packMessages(messages) : packForStranger(messages);
  if (parts.length === 0) parts.push(isWeft ? goOnPart() : textPart(""));
  return {
    tenant: "",
    message: {
      messageId: messages.at(-1)?.id ?? randomUUID(),
      contextId,
      taskId,
      role: Role.ROLE_USER,
      parts,
      metadata: hop ? withHop(undefined, hop) : undefined,
      extensions: isWeft ? [hopExtensionUri, eventsExtensionUri] : [],
      referenceTaskIds: [],
    },
    configuration: undefined,
    metadata: undefined,
  };
}
