/*
 * TaskRecord: the A2A task itself, changed in place.
 *
 * Job: applies updates to the one task object, and makes copies that stay as they were.
 * Owns: the task object and where each artifact stands.
 *
 * I1  An update costs what it brings, not what is there: no clone, text is appended to the last text part.
 * I2  A snapshot shares no array or part that later updates change; what is over is never changed.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Artifact, Message, Part, StreamResponse, Task, TaskStatus } from "@a2a-js/sdk";
import { textPart } from "../a2a/message-mapping.ts";
import { createArtifact } from "./task-event.ts";
import type { ArtifactChange, StatusChange, TaskChange, TextChange } from "./task-event.ts";

const terminalStates: ReadonlySet<TaskState> = new Set([
  TaskState.TASK_STATE_COMPLETED,
  TaskState.TASK_STATE_FAILED,
  TaskState.TASK_STATE_CANCELED,
  TaskState.TASK_STATE_REJECTED,
]);

export function isTerminal(state: TaskState): boolean {
  return terminalStates.has(state);
}

export function isInterrupted(state: TaskState): boolean {
  return state === TaskState.TASK_STATE_INPUT_REQUIRED || state === TaskState.TASK_STATE_AUTH_REQUIRED;
}

const none: readonly string[] = [];
/** So many are quicker looked through than looked up. */
const fewArtifacts = 8;

export class TaskRecord {
  #task: Task;
  /** The whole task as it stands, once somebody asked; gone with the next change. */
  #copy: Task | undefined;
  /** The artifacts by id, once they are many. */
  #index: Map<string, Artifact> | undefined;
  /** Artifacts whose last chunk has not come. */
  #partial: Set<string> | undefined;

  /** `task`: a stored one, not changed; `partial`: its artifacts whose last chunk has not come. */
  constructor(task: Pick<Task, "id" | "contextId"> & Partial<Task>, partial: readonly string[] = []) {
    if (partial.length > 0) this.#partial = new Set(partial);
    const status = task.status ?? createStatus(TaskState.TASK_STATE_SUBMITTED);
    this.#task = {
      id: task.id,
      contextId: task.contextId,
      status,
      artifacts: (task.artifacts ?? []).map(copyArtifact),
      history: [...(task.history ?? [])],
      metadata: task.metadata,
    };
  }

  get id(): string {
    return this.#task.id;
  }

  get contextId(): string {
    return this.#task.contextId;
  }

  get state(): TaskState {
    return this.#task.status!.state;
  }

  /** When the state last changed, in milliseconds since the epoch; 0 for a stored task that does not say. */
  get changedAt(): number {
    return parseTime(this.#task.status!.timestamp);
  }

  addMessage(message: Message): void {
    this.#copy = undefined;
    const own = { ...message, taskId: this.id, contextId: this.contextId };
    // An array that begins with what it holds takes no more than that; most tasks have one message.
    if (this.#task.history.length === 0) this.#task.history = [own];
    else this.#task.history.push(own);
  }

  /** Takes back {@link addMessage}. */
  removeMessage(messageId: string): void {
    this.#copy = undefined;
    const history = this.#task.history.filter((message) => message.messageId !== messageId);
    this.#task = { ...this.#task, history };
  }

  apply(change: TaskChange): void {
    this.#copy = undefined;
    if (change.kind === "status") this.#setStatus(change);
    else if (change.kind === "text") this.#putText(change);
    else this.#putArtifact(change);
  }

  /** Artifacts whose last chunk has not come. */
  get partialArtifacts(): readonly string[] {
    return this.#partial ? [...this.#partial] : none;
  }

  /** The artifacts that an interrupted attempt left unfinished are no longer the task's. Returns their ids. */
  withdrawPartial(): readonly string[] {
    this.#copy = undefined;
    const ids = this.#partial ?? new Set();
    this.#task.artifacts = this.#task.artifacts.filter(({ artifactId }) => !ids.has(artifactId));
    this.#partial = undefined;
    this.#index = undefined;
    return [...ids];
  }

  /** Does again what a stored event did. */
  applyStored({ payload }: StreamResponse): void {
    if (payload?.$case === "artifactUpdate" && payload.value.artifact) {
      const { artifact, append, lastChunk } = payload.value;
      this.apply({ kind: "artifact", artifact, append, lastChunk });
    } else if (payload?.$case === "statusUpdate" && payload.value.status) {
      const { status, metadata } = payload.value;
      this.apply({ kind: "status", status, metadata });
    }
  }

  /** A copy that later updates leave alone; nobody may change it. With a `historyLength` only so much of the history. */
  snapshot(historyLength?: number): Task {
    this.#copy ??= this.#copied();
    return withHistory(this.#copy, historyLength);
  }

  #setStatus({ status, metadata }: StatusChange): void {
    const task = this.#task;
    task.status = status;
    if (status.message) task.history.push(status.message);
    if (metadata) task.metadata = { ...task.metadata, ...metadata };
  }

  #putText({ artifactId, text, metadata, append, lastChunk }: TextChange): void {
    this.#markPartial(artifactId, !lastChunk);
    const known = this.#find(artifactId);
    if (!known) {
      this.#add(createArtifact(artifactId, text, metadata));
      return;
    }
    if (metadata) known.metadata = { ...known.metadata, ...metadata };
    if (append) appendText(known.parts, text);
    else known.parts = [textPart(text)];
  }

  #putArtifact({ artifact, append, lastChunk }: ArtifactChange): void {
    const { artifactId, parts, metadata } = artifact;
    this.#markPartial(artifactId, !lastChunk);
    const known = this.#find(artifactId);
    if (!known) {
      this.#add(copyArtifact(artifact));
      return;
    }
    if (metadata) known.metadata = { ...known.metadata, ...metadata };
    if (!append) known.parts = parts.map(copyPart);
    else for (const part of parts) appendPart(known.parts, part);
  }

  #add(artifact: Artifact): void {
    this.#index?.set(artifact.artifactId, artifact);
    if (this.#task.artifacts.length === 0) this.#task.artifacts = [artifact];
    else this.#task.artifacts.push(artifact);
  }

  #markPartial(artifactId: string, isPartial: boolean): void {
    if (isPartial) (this.#partial ??= new Set()).add(artifactId);
    else this.#partial?.delete(artifactId);
  }

  /** Most updates are the last artifact's. */
  #find(artifactId: string): Artifact | undefined {
    const { artifacts } = this.#task;
    const last = artifacts.at(-1);
    if (last?.artifactId === artifactId) return last;
    if (artifacts.length <= fewArtifacts) return artifacts.find((known) => known.artifactId === artifactId);
    this.#index ??= new Map(artifacts.map((known) => [known.artifactId, known]));
    return this.#index.get(artifactId);
  }

  /** What is over is its own copy: it never changes. */
  #copied(): Task {
    if (isTerminal(this.state)) return this.#task;
    const { history, artifacts } = this.#task;
    return { ...this.#task, history: [...history], artifacts: artifacts.map(copyArtifact) };
  }
}

/** A task with the last `historyLength` messages of its history; undefined: all, 0: none. */
export function withHistory(task: Task, historyLength: number | undefined): Task {
  if (historyLength === undefined || task.history.length <= historyLength) return task;
  return { ...task, history: historyLength <= 0 ? [] : task.history.slice(-historyLength) };
}

export function createStatus(state: TaskState, message?: Message): TaskStatus {
  return { state, message, timestamp: isoTime(steadyNow()) };
}

let lastTime = { ms: Number.NaN, text: "" };

/** Statuses of one millisecond share its text. */
function isoTime(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}

function parseTime(text: string | undefined): number {
  if (text === lastTime.text) return lastTime.ms;
  return (text && Date.parse(text)) || 0;
}

/** Milliseconds since the epoch that never go back while the process lives, whatever the wall clock does. */
export function steadyNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

function copyArtifact(artifact: Artifact): Artifact {
  return { ...artifact, parts: artifact.parts.map(copyPart) };
}

function copyPart(part: Part): Part {
  return part.content?.$case === "text" ? { ...part, content: { ...part.content } } : part;
}

function appendPart(parts: Part[], part: Part): void {
  if (part.content?.$case === "text") appendText(parts, part.content.value, part);
  else parts.push(copyPart(part));
}

/** `part`: what the text came with, where it begins a part of its own. */
function appendText(parts: Part[], text: string, part?: Part): void {
  const last = parts.at(-1)?.content;
  if (last?.$case === "text") last.value += text;
  else if (text !== "") parts.push(part ? copyPart(part) : textPart(text));
}
