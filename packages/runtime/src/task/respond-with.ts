import type { Message, SendMessageRequest } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import { checkMessage } from "./message-intake.ts";

/**
 * What an agent answers a message with (A2A 1.0, 3.1.1): `task` is the way for work that lasts, `message` that of an answer which
 * is there at once. A function chooses for each message.
 */
export type RespondWith = "task" | "message" | ((message: Message) => "task" | "message");

/** @throws WeftError `invalid_argument` for what is no choice */
export function checkRespondWith(given: RespondWith): RespondWith {
  if (isChoice(given) || typeof given === "function") return given;
  const text = `respondWith is "task", "message" or a function of the message, not ${JSON.stringify(given)}.`;
  throw new WeftError("invalid_argument", text);
}

/**
 * Whether a request is answered with a message. Who does not wait for the answer needs a task to ask for it.
 *
 * @throws RequestMalformedError for what is no message; WeftError `internal` when the function chooses neither
 */
export function choosesMessage(
  respondWith: RespondWith,
  { message, configuration }: SendMessageRequest,
): boolean {
  if (respondWith === "task") return false;
  const checked = checkMessage(message);
  if (checked.taskId !== "") return false;
  if (configuration?.returnImmediately || configuration?.taskPushNotificationConfig) return false;
  const chosen = typeof respondWith === "function" ? respondWith(checked) : respondWith;
  if (isChoice(chosen)) return chosen === "message";
  throw new WeftError("internal", `respondWith chose ${String(chosen)}, not "task" or "message".`);
}

function isChoice(given: unknown): given is "task" | "message" {
  return given === "task" || given === "message";
}
