import type { AgentEvent, InputRequest } from "../agent/event.ts";
import type { AgentMessage } from "../agent/message.ts";
import { toParts } from "../a2a/message-mapping.ts";
import { withHop } from "../a2a/hop.ts";
import { eventsExtensionUri } from "../a2a/uris.ts";
import { checkJson } from "./check-json.ts";
import { createArtifact } from "./task-event.ts";
import type { ArtifactChange, TextChange } from "./task-event.ts";
import { TurnReport } from "./turn-outcome.ts";

/** Where a turn's events go. */
export interface ReplySink {
  putArtifact(change: ArtifactChange | TextChange): void;
  addAgentEvent(metadata: Record<string, unknown>): void;
}

/**
 * Turns the events of one turn into A2A updates: one artifact per message (its id is the message's), text deltas as
 * appended chunks; everything else as an agent event.
 */
export class TaskReply {
  readonly report = new TurnReport();
  #hasMessage = false;
  #streamed: { readonly artifactId: string; text: string } | undefined;
  readonly #sink: ReplySink;
  readonly #ownPath: number;

  constructor(sink: ReplySink, ownPath = 0) {
    this.#sink = sink;
    this.#ownPath = ownPath;
  }

  /** What the agent waits for, when it ended its turn with a question instead of a message. */
  get inputRequest(): InputRequest | undefined {
    return this.#hasMessage ? undefined : this.report.inputRequest;
  }

  /** @throws WeftError `invalid_argument` for what no binding and no store can carry: it is not JSON */
  accept(event: AgentEvent): void {
    this.report.note(event);
    if (event.path.length > this.#ownPath) {
      this.#forward(event);
      return;
    }
    switch (event.type) {
      case "text-delta":
        this.#delta(event.messageId ?? event.spanId, event.text);
        return;
      case "message":
        this.#message(event.message);
        return;
      case "reset":
        this.#reset(event.messageId);
        return;
      case "reasoning-delta":
      case "tool-call":
      case "tool-result":
      case "speaker-selected":
      case "handoff":
      case "usage":
      case "input-required":
      case "end":
        this.#forward(event);
    }
  }

  #delta(artifactId: string, text: string): void {
    const isNew = this.#streamed?.artifactId !== artifactId;
    if (isNew) this.#streamed = { artifactId, text: "" };
    this.#streamed!.text += text;
    this.#text(artifactId, text, !isNew);
  }

  /** The whole message, or, where its text was streamed, an empty chunk that says it is complete. */
  #message(message: AgentMessage): void {
    this.#hasMessage = true;
    const artifactId = this.#streamed?.artifactId ?? message.id;
    const { content } = message;
    const append = this.#streamed !== undefined && this.#streamed.text === content;
    const metadata = describe(message);
    if (typeof content === "string") {
      const text = append ? "" : content;
      this.#sink.putArtifact({ kind: "text", artifactId, text, append, lastChunk: true, metadata });
      return;
    }
    const artifact = { ...createArtifact(artifactId, "", metadata), parts: toParts(content) };
    this.#sink.putArtifact({ kind: "artifact", artifact, append, lastChunk: true });
  }

  #reset(artifactId: string): void {
    if (this.#streamed?.artifactId !== artifactId) return;
    this.#streamed.text = "";
    this.#text(artifactId, "", false);
  }

  #text(artifactId: string, text: string, append: boolean): void {
    this.#sink.putArtifact({ kind: "text", artifactId, text, append, lastChunk: false, metadata: undefined });
  }

  #forward(event: AgentEvent): void {
    if (!isText(event)) checkJson(event, `An event of type ${event.type}`);
    this.#sink.addAgentEvent({ [eventsExtensionUri]: event });
  }
}

/** Of which there are many, with nothing but text in them. */
function isText({ type }: AgentEvent): boolean {
  return type === "text-delta" || type === "reasoning-delta";
}

function describe(message: AgentMessage): Record<string, unknown> {
  const { id, name, toolCalls, toolResponses } = message;
  return withHop(message.metadata, {
    id,
    ...(name === undefined ? {} : { name }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolResponses === undefined ? {} : { toolResponses }),
  } as object);
}
