/*
 * TaskRecord: the A2A task itself, changed in place.
 *
 * Job: applies updates to the one task object, and makes copies that stay as they were.
 * Owns: the task object and where each artifact stands.
 *
 * I1  An update costs what it brings, not what is there: no clone, text is appended to the last text part.
 * I2  A snapshot shares no array or part that later updates change.
 */
import { TaskState } from "@a2a-js/sdk";
import type { Artifact, Message, Part, StreamResponse, Task, TaskStatus } from "@a2a-js/sdk";

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

export interface ArtifactFlags {
  /** The parts go on what is there; else they replace it. */
  readonly append: boolean;
  readonly lastChunk: boolean;
}

export class TaskRecord {
  readonly #task: Task;
  readonly #artifacts = new Map<string, Artifact>();
  /** Artifacts whose last chunk has not come. */
  readonly #partial: Set<string>;

  /** `task`: a stored one, not changed; `partial`: its artifacts whose last chunk has not come. */
  constructor(task: Pick<Task, "id" | "contextId"> & Partial<Task>, partial: readonly string[] = []) {
    this.#partial = new Set(partial);
    const status = task.status ?? createStatus(TaskState.TASK_STATE_SUBMITTED);
    const artifacts = (task.artifacts ?? []).map(copyArtifact);
    this.#task = {
      id: task.id,
      contextId: task.contextId,
      status,
      artifacts,
      history: [...(task.history ?? [])],
      metadata: task.metadata,
    };
    for (const artifact of artifacts) this.#artifacts.set(artifact.artifactId, artifact);
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

  /** ISO 8601, UTC: when the state last changed. */
  get changedAt(): string {
    return this.#task.status!.timestamp!;
  }

  addMessage(message: Message): void {
    this.#task.history.push({ ...message, taskId: this.id, contextId: this.contextId });
  }

  /** Takes back {@link addMessage}. */
  removeMessage(messageId: string): void {
    this.#task.history = this.#task.history.filter((message) => message.messageId !== messageId);
  }

  setStatus(status: TaskStatus, metadata?: Readonly<Record<string, unknown>>): void {
    this.#task.status = status;
    if (status.message) this.#task.history.push(status.message);
    if (metadata) this.#task.metadata = { ...this.#task.metadata, ...metadata };
  }

  putArtifact(artifact: Artifact, { append, lastChunk }: ArtifactFlags): void {
    if (lastChunk) this.#partial.delete(artifact.artifactId);
    else this.#partial.add(artifact.artifactId);
    const known = this.#artifacts.get(artifact.artifactId);
    if (!known) {
      const own = { ...artifact, parts: artifact.parts.map((part) => ({ ...part })) };
      this.#artifacts.set(artifact.artifactId, own);
      this.#task.artifacts.push(own);
      return;
    }
    if (artifact.metadata) known.metadata = { ...known.metadata, ...artifact.metadata };
    if (!append) known.parts = artifact.parts.map((part) => ({ ...part }));
    else for (const part of artifact.parts) appendPart(known.parts, part);
  }

  /** Artifacts whose last chunk has not come. */
  get partialArtifacts(): readonly string[] {
    return [...this.#partial];
  }

  /** The artifacts that an interrupted attempt left unfinished are no longer the task's. Returns their ids. */
  withdrawPartial(): readonly string[] {
    const ids = [...this.#partial];
    for (const id of ids) this.#artifacts.delete(id);
    this.#task.artifacts = this.#task.artifacts.filter(({ artifactId }) => this.#artifacts.has(artifactId));
    this.#partial.clear();
    return ids;
  }

  /** Does again what a stored event did. */
  apply({ payload }: StreamResponse): void {
    if (payload?.$case === "artifactUpdate" && payload.value.artifact) {
      this.putArtifact(payload.value.artifact, payload.value);
    } else if (payload?.$case === "statusUpdate" && payload.value.status) {
      this.setStatus(payload.value.status, payload.value.metadata);
    }
  }

  /** A copy that later updates leave alone. `historyLength` undefined: the whole history; 0: none. */
  snapshot(options: { historyLength?: number | undefined; withArtifacts?: boolean } = {}): Task {
    const { historyLength, withArtifacts = true } = options;
    const { history, artifacts } = this.#task;
    return {
      ...this.#task,
      history: historyLength === undefined ? [...history] : lastOf(history, historyLength),
      artifacts: withArtifacts ? artifacts.map(copyArtifact) : [],
    };
  }
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

/** Milliseconds since the epoch that never go back while the process lives, whatever the wall clock does. */
export function steadyNow(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

function lastOf<T>(list: readonly T[], count: number): T[] {
  return count <= 0 ? [] : list.slice(-count);
}

function copyArtifact(artifact: Artifact): Artifact {
  return { ...artifact, parts: artifact.parts.map(copyPart) };
}

function copyPart(part: Part): Part {
  return part.content?.$case === "text" ? { ...part, content: { ...part.content } } : part;
}

function appendPart(parts: Part[], part: Part): void {
  const last = parts.at(-1)?.content;
  if (part.content?.$case !== "text") {
    parts.push({ ...part });
  } else if (last?.$case === "text") {
    parts[parts.length - 1] = {
      ...parts.at(-1)!,
      content: { $case: "text", value: last.value + part.content.value },
    };
  } else if (part.content.value !== "") {
    parts.push({ ...part });
  }
}
