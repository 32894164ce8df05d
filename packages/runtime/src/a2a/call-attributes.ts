import { TaskState } from "@a2a-js/sdk";
import type { Message, StreamResponse, Task } from "@a2a-js/sdk";
import { Attr } from "@weft/tracing/vocabulary";
import type { Attributes, WeftSpan } from "@weft/tracing/internal";
import type { Binding } from "./uris.ts";

/** Operations of A2A 1.0, spelled as the specification's methods. */
export type A2AMethod =
  | "SendMessage"
  | "SendStreamingMessage"
  | "GetTask"
  | "ListTasks"
  | "CancelTask"
  | "SubscribeToTask"
  | "CreateTaskPushNotificationConfig"
  | "GetTaskPushNotificationConfig"
  | "ListTaskPushNotificationConfigs"
  | "DeleteTaskPushNotificationConfig"
  | "GetExtendedAgentCard";

/** What a call's span, CLIENT or SERVER, says from the start. */
export function callAttributes(
  method: A2AMethod,
  spoken: { readonly binding: Binding; readonly version: string },
  subject: { message?: Message | undefined; taskId?: string | undefined },
): Attributes {
  const { message } = subject;
  const attributes: Attributes = {
    [Attr.operationName]: method,
    [Attr.a2aMethodName]: method,
    [Attr.a2aProtocolVersion]: spoken.version,
    [Attr.a2aBinding]: spoken.binding,
  };
  if (message) attributes[Attr.a2aMessageId] = message.messageId;
  if (message?.contextId) attributes[Attr.a2aContextId] = message.contextId;
  const taskId = subject.taskId || message?.taskId;
  if (taskId) attributes[Attr.a2aTaskId] = taskId;
  return attributes;
}

/** Notes the message or task of an answer on its call's span. Of other answers there is nothing to note. */
export function noteAnswer(span: WeftSpan, answer: object): void {
  if ("artifacts" in answer) noteTask(span, answer as Task);
  else if ("parts" in answer) noteContext(span, answer as Message);
}

export function noteResponse(span: WeftSpan, { payload }: StreamResponse): void {
  if (payload?.$case === "task") noteTask(span, payload.value);
  else if (payload?.$case === "message") noteContext(span, payload.value);
  else if (payload?.$case === "statusUpdate" && payload.value.status) {
    span.setAttribute(Attr.a2aTaskState, TaskState[payload.value.status.state]);
  }
}

function noteTask(span: WeftSpan, task: Task): void {
  span.setAttribute(Attr.a2aTaskId, task.id);
  noteContext(span, task);
  if (task.status) span.setAttribute(Attr.a2aTaskState, TaskState[task.status.state]);
}

function noteContext(span: WeftSpan, { contextId }: { readonly contextId: string }): void {
  if (contextId !== "") span.setAttribute(Attr.a2aContextId, contextId);
}
