import { WeftError } from "@weft/tracing";
import type { RunEvent } from "./questions.ts";

type Chunk = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * A run's events as the AI SDK's UI message stream (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol): one message,
 * each speaker's turn a step. What that stream has no word for (selections, handoffs) goes as transient data parts.
 */
export class AiSdkStream {
  #text: string | undefined;
  #reasoning = 0;
  #isReasoning = false;
  #step = "";

  async *read(events: AsyncGenerator<RunEvent>): AsyncGenerator<string> {
    yield toLine({ type: "start" });
    try {
      for await (const event of events) for (const chunk of this.#chunks(event)) yield toLine(chunk);
      yield toLine({ type: "finish" });
    } catch (error) {
      yield toLine({ type: "error", errorText: WeftError.from(error).message });
    }
    yield "data: [DONE]\n\n";
  }

  *#chunks(event: RunEvent): Generator<Chunk> {
    switch (event.type) {
      case "text-delta":
        yield* this.#open(event);
        yield* this.#delta(event.messageId ?? event.spanId, event.text);
        return;
      case "reasoning-delta":
        yield* this.#open(event);
        if (!this.#isReasoning) yield { type: "reasoning-start", id: `reasoning-${++this.#reasoning}` };
        this.#isReasoning = true;
        yield { type: "reasoning-delta", id: `reasoning-${this.#reasoning}`, delta: event.text };
        return;
      case "message":
        yield* this.#open(event);
        // Its text came as deltas, or it comes now, whole.
        if (this.#text !== event.message.id && event.text !== "")
          yield* this.#delta(event.message.id, event.text);
        yield* this.#closeStep();
        return;
      case "tool-call": {
        yield* this.#open(event);
        yield* this.#closeText();
        const { toolCallId, toolName, input } = event;
        yield { type: "tool-input-available", toolCallId, toolName, input, dynamic: true };
        return;
      }
      case "tool-result": {
        const { toolCallId, output, error } = event;
        yield error === undefined
          ? { type: "tool-output-available", toolCallId, output: output ?? null, dynamic: true }
          : { type: "tool-output-error", toolCallId, errorText: error, dynamic: true };
        return;
      }
      case "end":
        yield* this.#closeStep();
        return;
      case "reset":
        yield* this.#closeText();
        yield data(event);
        return;
      case "speaker-selected":
      case "handoff":
      case "input-required":
      case "usage":
        yield data(event);
    }
  }

  *#open({ from, turn, path }: RunEvent): Generator<Chunk> {
    const step = [...path, from, turn].join("/");
    if (this.#step === step) return;
    yield* this.#closeStep();
    this.#step = step;
    yield { type: "start-step" };
    yield { type: "data-speaker", data: { name: from, turn, path } };
  }

  *#delta(id: string, text: string): Generator<Chunk> {
    if (this.#text !== id) {
      yield* this.#closeText();
      this.#text = id;
      yield { type: "text-start", id };
    }
    yield { type: "text-delta", id, delta: text };
  }

  *#closeText(): Generator<Chunk> {
    if (this.#isReasoning) yield { type: "reasoning-end", id: `reasoning-${this.#reasoning}` };
    this.#isReasoning = false;
    if (this.#text !== undefined) yield { type: "text-end", id: this.#text };
    this.#text = undefined;
  }

  *#closeStep(): Generator<Chunk> {
    yield* this.#closeText();
    if (this.#step !== "") yield { type: "finish-step" };
    this.#step = "";
  }
}

function data(event: RunEvent): Chunk {
  return { type: `data-${event.type}`, data: event, transient: true };
}

function toLine(chunk: Chunk): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
