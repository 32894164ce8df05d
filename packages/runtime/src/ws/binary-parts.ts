import type { Artifact, Message, Part, StreamResponse, Task } from "@a2a-js/sdk";
import { isRecord } from "../agent/message.ts";

const noBytes = Buffer.alloc(0);

/**
 * The JSON of a value that holds parts, with the bytes of `raw` parts as they are instead of base64: what a msgpack
 * frame carries. `toJson` is the SDK's codec; it is spared the bytes.
 */
export function toBinaryJson<T extends object>(value: T, toJson: (value: T) => unknown): unknown {
  if (!holdsBytes(value)) return toJson(value);
  const raws: Buffer[] = [];
  eachPart(value, (part) => {
    const { content } = part as unknown as Part;
    if (content?.$case === "raw") raws.push(content.value);
  });
  const json = toJson(withoutBytes(value) as T);
  let next = 0;
  eachPart(json, (part) => {
    if ("raw" in part) part["raw"] = raws[next++];
  });
  return json;
}

/** A look at what holds parts, by its kind: most have no bytes, and are told apart quickly. */
function holdsBytes(value: object): boolean {
  if ("payload" in value) return responseHolds(value as StreamResponse);
  if ("artifacts" in value) return taskHolds(value as Task);
  if ("tasks" in value) return (value.tasks as Task[]).some(taskHolds);
  if ("parts" in value) return partsHold(value as Message);
  return "message" in value && partsHold(value.message as Message | undefined);
}

function responseHolds({ payload }: StreamResponse): boolean {
  switch (payload?.$case) {
    case "task":
      return taskHolds(payload.value);
    case "message":
      return partsHold(payload.value);
    case "statusUpdate":
      return partsHold(payload.value.status?.message);
    case "artifactUpdate":
      return partsHold(payload.value.artifact);
    case undefined:
      return false;
  }
}

function taskHolds({ status, history, artifacts }: Task): boolean {
  return partsHold(status?.message) || history.some(partsHold) || artifacts.some(partsHold);
}

function partsHold(holder: Message | Artifact | undefined): boolean {
  // What a caller without types left out is the far side's to refuse.
  return Array.isArray(holder?.parts) && holder.parts.some(({ content }) => content?.$case === "raw");
}

/** Where A2A's messages hold parts, or what holds them: the same names in the SDK's objects (`value`) and in JSON. */
const holders = [
  "value",
  "payload",
  "task",
  "tasks",
  "message",
  "statusUpdate",
  "artifactUpdate",
  "status",
  "artifact",
  "history",
  "artifacts",
] as const;

function eachPart(value: unknown, visit: (part: Record<string, unknown>) => void): void {
  if (Array.isArray(value)) {
    for (const member of value) eachPart(member, visit);
    return;
  }
  if (!isRecord(value)) return;
  const { parts } = value;
  if (Array.isArray(parts)) {
    for (const part of parts) if (isRecord(part)) visit(part);
  }
  for (const name of holders) {
    const member = value[name];
    if (member !== undefined) eachPart(member, visit);
  }
}

/** A copy in which `raw` parts are empty; what holds no part is shared. */
function withoutBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = { ...value };
  if (Array.isArray(value["parts"])) copy["parts"] = value["parts"].map(withoutRaw);
  for (const name of holders) {
    if (value[name] !== undefined) copy[name] = withoutBytes(value[name]);
  }
  return copy;
}

function withoutRaw(part: Part): Part {
  return part.content?.$case === "raw" ? { ...part, content: { $case: "raw", value: noBytes } } : part;
}
