/*
 * A2A 0.3's bodies over HTTP+JSON: the ProtoJSON of its a2a.proto (tag v0.3.0), which is 1.0's but for the members that
 * are named or nested otherwise. So each is translated to, or from, the JSON of 1.0, whose codecs and checks do the rest.
 * The SDK has codecs for it, and keeps them inside its Express router.
 */
import { TaskState, taskStateFromJSON } from "@a2a-js/sdk";
import { toLegacyCard } from "../a2a/legacy-card.ts";
import type { A2AMethod } from "../a2a/call-attributes.ts";
import { isRecord } from "../agent/message.ts";
import { isTerminal } from "../task/task-record.ts";

type Json = Readonly<Record<string, unknown>>;

/** What is read of a request, and written of an answer or an event, of one operation. */
interface LegacyForm {
  readonly read?: (body: Json) => unknown;
  readonly write: (body: Json) => unknown;
}

/** The operations that 0.3 has. */
export const legacyForms: Readonly<Partial<Record<A2AMethod, LegacyForm>>> = {
  SendMessage: { read: readSendRequest, write: writeResponse },
  SendStreamingMessage: { read: readSendRequest, write: writeResponse },
  GetTask: { write: writeTask },
  CancelTask: { write: writeTask },
  SubscribeToTask: { write: writeResponse },
  CreateTaskPushNotificationConfig: { read: readTaskPushConfig, write: writeTaskPushConfig },
  GetTaskPushNotificationConfig: { write: writeTaskPushConfig },
  ListTaskPushNotificationConfigs: { write: writeTaskPushConfigs },
  DeleteTaskPushNotificationConfig: { write: (body) => body },
  GetExtendedAgentCard: { write: toLegacyCard },
};

/** ProtoJSON is read by a member's JSON name and by its name in the proto file. */
function member(from: Json, name: string, protoName: string): unknown {
  return from[name] ?? from[protoName];
}

function readSendRequest(body: Json): unknown {
  const { request, ...rest } = body;
  const message = rest["message"] ?? request;
  const { configuration } = rest;
  return {
    ...rest,
    message: isRecord(message) ? readMessage(message) : message,
    configuration: isRecord(configuration) ? readConfiguration(configuration) : configuration,
  };
}

function readMessage({ content, ...rest }: Json): unknown {
  return { ...rest, parts: Array.isArray(content) ? content.map(readPart) : content };
}

function readPart(part: unknown): unknown {
  if (!isRecord(part)) return part;
  const { text, file, data } = part;
  if (isRecord(file)) {
    const mediaType = member(file, "mimeType", "mime_type");
    const url = member(file, "fileWithUri", "file_with_uri");
    return url === undefined
      ? { raw: member(file, "fileWithBytes", "file_with_bytes"), mediaType }
      : { url, mediaType };
  }
  return isRecord(data) ? { data: data["data"] ?? {} } : { text };
}

/** 0.3 waits for the end only of a message that asks for it; a count of 0 is none that was given. */
function readConfiguration(configuration: Json): unknown {
  const push = member(configuration, "pushNotification", "push_notification");
  const historyLength = member(configuration, "historyLength", "history_length");
  return {
    acceptedOutputModes: member(configuration, "acceptedOutputModes", "accepted_output_modes"),
    returnImmediately: configuration["blocking"] !== true,
    ...(historyLength === 0 ? {} : { historyLength }),
    ...(isRecord(push) ? { taskPushNotificationConfig: readPushConfig(push) } : {}),
  };
}

/** The body is the configuration; some clients send the whole request, of which it is a member. */
function readTaskPushConfig(body: Json): unknown {
  const given = isRecord(body["config"]) ? body["config"] : body;
  const config = member(given, "pushNotificationConfig", "push_notification_config");
  return isRecord(config) ? readPushConfig(config) : {};
}

/** 1.0 has one scheme. */
function readPushConfig({ authentication, ...rest }: Json): Json {
  if (!isRecord(authentication)) return rest;
  const { schemes, credentials } = authentication;
  const scheme: unknown = Array.isArray(schemes) ? schemes[0] : undefined;
  return { ...rest, authentication: { scheme, credentials } };
}

function writeTaskPushConfigs({ configs, ...rest }: Json): unknown {
  return { ...rest, configs: listOf(configs).map(writeTaskPushConfig) };
}

function writeTaskPushConfig(body: Json): unknown {
  const { taskId, tenant: _, authentication, ...config } = body;
  const { scheme, credentials } = isRecord(authentication) ? authentication : {};
  const legacy = { schemes: scheme === undefined ? [] : [scheme], credentials };
  return {
    name: `tasks/${String(taskId)}/pushNotificationConfigs/${String(config["id"])}`,
    pushNotificationConfig: authentication === undefined ? config : { ...config, authentication: legacy },
  };
}

function writeResponse({ task, message, statusUpdate, artifactUpdate }: Json): unknown {
  if (isRecord(task)) return { task: writeTask(task) };
  if (isRecord(message)) return { message: writeMessage(message) };
  if (isRecord(statusUpdate)) {
    const { status } = statusUpdate;
    return { statusUpdate: { ...statusUpdate, status: writeStatus(status), final: isFinal(status) } };
  }
  if (!isRecord(artifactUpdate)) return {};
  const { artifact } = artifactUpdate;
  return {
    artifactUpdate: {
      ...artifactUpdate,
      ...(isRecord(artifact) ? { artifact: writeArtifact(artifact) } : {}),
    },
  };
}

function writeTask({ status, artifacts, history, ...rest }: Json): unknown {
  return {
    ...rest,
    status: writeStatus(status),
    artifacts: listOf(artifacts).map(writeArtifact),
    history: listOf(history).map(writeMessage),
  };
}

function writeMessage(message: Json): unknown {
  const { parts, referenceTaskIds: _, ...rest } = message;
  return { ...rest, content: listOf(parts).map(writePart) };
}

function writeArtifact({ parts, ...rest }: Json): unknown {
  return { ...rest, parts: listOf(parts).map(writePart) };
}

/** 0.3.0 has neither names nor metadata on parts, and no data but objects. */
function writePart({ text, raw, url, data, mediaType }: Json): unknown {
  const mimeType = mediaType === undefined ? {} : { mimeType: mediaType };
  if (text !== undefined) return { text };
  if (raw !== undefined) return { file: { fileWithBytes: raw, ...mimeType } };
  if (url !== undefined) return { file: { fileWithUri: url, ...mimeType } };
  return { data: { data: isRecord(data) ? data : { value: data } } };
}

function writeStatus(status: unknown): unknown {
  if (!isRecord(status)) return undefined;
  const { state, message, ...rest } = status;
  return {
    ...rest,
    state: state === "TASK_STATE_CANCELED" ? "TASK_STATE_CANCELLED" : state,
    ...(isRecord(message) ? { message: writeMessage(message) } : {}),
  };
}

function isFinal(status: unknown): boolean {
  return (
    isRecord(status) && isTerminal(taskStateFromJSON(status["state"] ?? TaskState.TASK_STATE_UNSPECIFIED))
  );
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
