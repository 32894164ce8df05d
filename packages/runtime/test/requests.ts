/** What tests ask of a service: as the SDK's objects, and as the JSON of the wire. */
import { randomUUID } from "node:crypto";
import { Role, TaskState } from "@a2a-js/sdk";
import type { ListTasksRequest, Message, SendMessageRequest } from "@a2a-js/sdk";

export interface SendOptions extends Partial<Message> {
  /** Default false: the answer is the task at rest. */
  readonly returnImmediately?: boolean;
}

/** A message with one text, of a new conversation if nothing else is said. */
export function sendRequest(
  text: string,
  { returnImmediately = false, ...more }: SendOptions = {},
): SendMessageRequest {
  return {
    tenant: "",
    message: {
      messageId: randomUUID(),
      contextId: "",
      taskId: "",
      role: Role.ROLE_USER,
      parts: [{ content: { $case: "text", value: text }, metadata: undefined, filename: "", mediaType: "" }],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
      ...more,
    },
    configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately },
    metadata: undefined,
  };
}

/** The same as JSON, for who writes to the wire itself. */
export function sendJson(text: string, more: object = {}): { readonly message: object } {
  return { message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more } };
}

/** All tasks of the caller, a page of them. */
export function listRequest(more: Partial<ListTasksRequest> = {}): ListTasksRequest {
  return {
    tenant: "",
    contextId: "",
    status: TaskState.TASK_STATE_UNSPECIFIED,
    pageToken: "",
    statusTimestampAfter: undefined,
    ...more,
  };
}
