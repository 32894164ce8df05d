import { TaskState } from "@a2a-js/sdk";
import type { Artifact, Message, Part, StreamResponse, TaskStatus } from "@a2a-js/sdk";
import { WeftError } from "@weft/tracing";
import type { AgentEvent, AgentEventBody, AgentYield, InputRequest } from "../agent/event.ts";
import { createMessage, isRecord } from "../agent/message.ts";
import type { AgentMessage } from "../agent/message.ts";
import { readHop } from "../a2a/hop.ts";
import type { HopMetadata } from "../a2a/hop.ts";
import { fromParts, textPart } from "../a2a/message-mapping.ts";
import { eventsExtensionUri, hopExtensionUri } from "../a2a/uris.ts";
import { parseAgentEvent, parseInputRequest } from "./parse-agent-event.ts";

interface PartialArtifact {
  readonly id: string;
  parts: Part[];
  messageId: string;
  text: string;
}

/** Reads one A2A reply, streamed or whole, back into agent events and the reply's message. */
export class ReplyReader {
  readonly #name: string;
  readonly #artifacts = new Map<string, PartialArtifact>();
  #message: Message | undefined;
  #status: TaskStatus | undefined;
  #hop: HopMetadata = {};
  #sawUsage = false;
  taskId: string | undefined;
  contextId: string | undefined;

  /** `name`: what the remote is called here; its messages carry it. */
  constructor(name: string) {
    this.#name = name;
  }

  /** What the far side asks, when it waits for input. */
  get inputRequest(): InputRequest | undefined {
    if (this.#status?.state !== TaskState.TASK_STATE_INPUT_REQUIRED) return undefined;
    const { message } = this.#status;
    const given = parseInputRequest(message?.metadata?.[eventsExtensionUri]);
    const prompt = message ? textOf(message.parts) : "";
    return (
      given ?? { id: message?.messageId ?? crypto.randomUUID(), kind: "reply", agent: this.#name, prompt }
    );
  }

  /** Nothing more comes: the task is over, or waits for input, or the reply was a message. */
  get isComplete(): boolean {
    return this.#message !== undefined || isLast(this.#status?.state);
  }

  /** What the far side reports in all, unless it told each call as an event. */
  get unreportedUsage(): HopMetadata["usage"] {
    return this.#sawUsage ? undefined : this.#hop.usage;
  }

  /** The chat's variables as the far side left them. */
  get variables(): HopMetadata["variables"] {
    return this.#hop.variables;
  }

  accept(response: StreamResponse): AgentYield[] {
    const { payload } = response;
    switch (payload?.$case) {
      case "message":
        this.#message = payload.value;
        this.contextId = payload.value.contextId || this.contextId;
        this.#hop = { ...this.#hop, ...readHop(payload.value.metadata) };
        return deltaOf(payload.value.messageId, textOf(payload.value.parts));
      case "task": {
        const task = payload.value;
        this.taskId = task.id;
        this.contextId = task.contextId;
        this.#setStatus(task.status, task.metadata);
        return task.artifacts.flatMap((artifact) => this.#artifact(artifact, false));
      }
      case "artifactUpdate":
        return payload.value.artifact ? this.#artifact(payload.value.artifact, payload.value.append) : [];
      case "statusUpdate": {
        const event = this.#event(payload.value.metadata);
        if (!event) this.#setStatus(payload.value.status, payload.value.metadata);
        return event ? [event] : [];
      }
      case undefined:
        return [];
    }
  }

  /**
   * The reply, once all was read; undefined when the far side had nothing to say or waits for input.
   *
   * @throws WeftError what the far side failed with, `aborted` when the task was canceled there
   */
  finish(): AgentMessage | undefined {
    if (this.#message) return this.#toMessage(this.#message.messageId, this.#message.parts);
    this.#checkState();
    const artifacts = [...this.#artifacts.values()];
    if (artifacts.length === 1) return this.#toMessage(artifacts[0]!.messageId, artifacts[0]!.parts);
    if (artifacts.length > 1) {
      return this.#toMessage(
        artifacts.at(-1)!.messageId,
        artifacts.flatMap((artifact) => artifact.parts),
      );
    }
    const said = this.#status?.message;
    return said && !this.inputRequest ? this.#toMessage(said.messageId, said.parts) : undefined;
  }

  #setStatus(status: TaskStatus | undefined, metadata: Record<string, unknown> | undefined): void {
    this.#status = status ?? this.#status;
    this.#hop = { ...this.#hop, ...readHop(metadata) };
  }

  #checkState(): void {
    const state = this.#status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
    if (state === TaskState.TASK_STATE_COMPLETED || state === TaskState.TASK_STATE_INPUT_REQUIRED) return;
    const said = this.#status?.message ? textOf(this.#status.message.parts) : "";
    if (state === TaskState.TASK_STATE_CANCELED)
      throw new WeftError("aborted", `Agent "${this.#name}" was canceled.`);
    if (state === TaskState.TASK_STATE_FAILED || state === TaskState.TASK_STATE_REJECTED) {
      const verb = state === TaskState.TASK_STATE_FAILED ? "failed" : "rejected the task";
      const text = this.#hop.error?.message ?? (said || "it gave no reason");
      throw new WeftError(this.#hop.error?.code ?? "internal", `Agent "${this.#name}" ${verb}: ${text}`);
    }
    if (state === TaskState.TASK_STATE_AUTH_REQUIRED) {
      throw new WeftError(
        "unauthenticated",
        `Agent "${this.#name}" asks for a login to go on. ${said}`.trim(),
      );
    }
    throw new WeftError("unavailable", `The reply of agent "${this.#name}" ended before its task did.`);
  }

  #artifact(artifact: Artifact, append: boolean): AgentYield[] {
    const { artifactId: id } = artifact;
    const known = this.#artifacts.get(id) ?? { id, parts: [], messageId: id, text: "" };
    this.#artifacts.set(id, known);
    const about: unknown = artifact.metadata?.[hopExtensionUri];
    if (isRecord(about) && typeof about["id"] === "string") known.messageId = about["id"];
    const text = textOf(artifact.parts);
    const events: AgentYield[] = [];
    if (!append && known.text !== "") {
      // A snapshot that says again what was streamed is no news.
      if (known.text === text) return [];
      events.push({ type: "reset", messageId: id });
    }
    known.parts = append ? joinParts(known.parts, artifact.parts) : [...artifact.parts];
    known.text = append ? known.text + text : text;
    return [...events, ...deltaOf(id, text)];
  }

  #event(metadata: Record<string, unknown> | undefined): AgentEvent | AgentEventBody | undefined {
    const event = parseAgentEvent(metadata?.[eventsExtensionUri]);
    if (event?.type === "usage") this.#sawUsage = true;
    return event;
  }

  #toMessage(id: string, parts: readonly Part[]): AgentMessage {
    return createMessage({ id, role: "assistant", name: this.#name, content: fromParts(parts) });
  }
}

function isLast(state: TaskState | undefined): boolean {
  return (
    state !== undefined &&
    state !== TaskState.TASK_STATE_UNSPECIFIED &&
    state !== TaskState.TASK_STATE_SUBMITTED &&
    state !== TaskState.TASK_STATE_WORKING
  );
}

/** Who reads only text reads all of it: also where it came whole. */
function deltaOf(messageId: string, text: string): AgentYield[] {
  return text === "" ? [] : [{ type: "text-delta", text, messageId }];
}

function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.content?.$case === "text" ? part.content.value : "")).join("");
}

/** Text goes on in the last text part, so that a long stream stays one part. */
function joinParts(parts: Part[], more: readonly Part[]): Part[] {
  for (const part of more) {
    const last = parts.at(-1)?.content;
    if (part.content?.$case === "text" && last?.$case === "text") {
      parts[parts.length - 1] = textPart(last.value + part.content.value);
    } else {
      parts.push(part);
    }
  }
  return parts;
}
