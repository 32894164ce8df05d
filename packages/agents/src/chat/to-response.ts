/*
 * A run as a server-sent-event response, for any server that speaks the web's `Response`.
 */
import { WeftError } from "@weft/tracing";
import type { Run } from "./run.ts";
import type { RunEvent } from "./questions.ts";
import { AiSdkStream } from "./ai-sdk-stream.ts";

export interface ToResponseOptions {
  /** `weft` (default): our events as they are; `ai-sdk`: the AI SDK's UI message stream, version 1, for `useChat`. */
  readonly format?: "weft" | "ai-sdk";
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The run's events as they come. A reader that goes away cancels the run, unless it is detached. A failure is told as a
 * last event: the response has begun. Raises `invalid_argument` for another format.
 */
export function toResponse(run: Run, { format = "weft", headers = {} }: ToResponseOptions = {}): Response {
  if (format !== "weft" && format !== "ai-sdk") {
    throw new WeftError(
      "invalid_argument",
      `There is no format "${String(format)}"; there are weft and ai-sdk.`,
    );
  }
  const events = run[Symbol.asyncIterator]();
  const stream = format === "weft" ? weftText(events, run) : new AiSdkStream().read(events);
  const own = format === "ai-sdk" ? { "x-vercel-ai-ui-message-stream": "v1" } : {};
  const body = toByteStream(stream, run);
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      ...own,
      ...headers,
    },
  });
}

async function* weftText(events: AsyncGenerator<RunEvent>, run: Run): AsyncGenerator<string> {
  try {
    // Functions do not travel: a question is answered from the state of the result.
    for await (const event of events) yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    const { endedBy, traceId, conversationId, usage, cost, pending, state } = await run.result;
    const result = { endedBy, traceId, conversationId, usage, cost, pending, state };
    yield `event: result\ndata: ${JSON.stringify(result)}\n\n`;
  } catch (error) {
    yield `event: error\ndata: ${JSON.stringify(WeftError.from(error))}\n\n`;
  }
}

function toByteStream(texts: AsyncGenerator<string>, run: Run): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      // Leaving comes first: the generator may wait for an event that only comes then.
      await run[Symbol.asyncDispose]();
      await texts.return(undefined);
    },
  });
}
