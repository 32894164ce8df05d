import type { Artifact, StreamResponse, TaskStatus } from "@a2a-js/sdk";
import { textPart } from "../a2a/message-mapping.ts";
import type { StoredEvent } from "../store/task-store.ts";

type Metadata = Record<string, unknown>;

export interface ArtifactFlags {
  /** The parts go on what is there; else they replace it. */
  readonly append: boolean;
  readonly lastChunk: boolean;
}

/** Of most events there are: a text of the artifact's, without an object of A2A's around it. */
export interface TextChange extends ArtifactFlags {
  readonly kind: "text";
  readonly artifactId: string;
  readonly text: string;
  /** Added to the artifact's. */
  readonly metadata: Metadata | undefined;
}

export interface ArtifactChange extends ArtifactFlags {
  readonly kind: "artifact";
  readonly artifact: Artifact;
}

export interface StatusChange {
  readonly kind: "status";
  readonly status: TaskStatus;
  /** Added to the task's. */
  readonly metadata: Metadata | undefined;
}

/** What happened to a task. Nobody changes it. */
export type TaskChange = TextChange | ArtifactChange | StatusChange;

export interface TaskIds {
  readonly taskId: string;
  readonly contextId: string;
}

/**
 * An event as the log keeps it: what changed, and no more. A2A's words for it, some eight objects, are made anew for each who
 * reads it; most events of a task that answers at once are read by nobody.
 */
export class TaskEvent implements StoredEvent {
  readonly place: number;
  readonly epoch: number;
  readonly isAgentEvent: boolean;
  readonly #ids: TaskIds;
  readonly #change: TaskChange;

  constructor(
    number: { readonly place: number; readonly epoch: number },
    { ids, change, isAgentEvent }: { ids: TaskIds; change: TaskChange; isAgentEvent: boolean },
  ) {
    this.place = number.place;
    this.epoch = number.epoch;
    this.isAgentEvent = isAgentEvent;
    this.#ids = ids;
    this.#change = change;
  }

  get response(): StreamResponse {
    return { payload: payloadOf(this.#change, this.#ids) };
  }
}

export function createArtifact(artifactId: string, text: string, metadata?: Metadata): Artifact {
  const parts = [textPart(text)];
  return { artifactId, name: "", description: "", parts, metadata, extensions: [] };
}

function payloadOf(change: TaskChange, ids: TaskIds): StreamResponse["payload"] {
  if (change.kind === "status") {
    const { status, metadata } = change;
    return { $case: "statusUpdate", value: { ...ids, status, metadata } };
  }
  const { append, lastChunk } = change;
  const artifact =
    change.kind === "artifact"
      ? change.artifact
      : createArtifact(change.artifactId, change.text, change.metadata);
  return { $case: "artifactUpdate", value: { ...ids, artifact, append, lastChunk, metadata: undefined } };
}
