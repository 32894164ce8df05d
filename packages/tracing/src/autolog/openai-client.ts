import { runInSpan } from "../fluent/run-in-span.ts";
import type { IdleLimit } from "../spans/idle-limit.ts";
import type { OpenSpan } from "../spans/open-span.ts";
import { Outcomes } from "../vocabulary.ts";
import { fieldsOf, openModelCall, recordAnswer, watchIdle } from "./model-call.ts";
import type { ModelAnswer, ModelCall } from "./model-call.ts";
import { chatAnswer, ChatStream, chatCall } from "./openai-chat.ts";
import {
  embeddingsAnswer,
  embeddingsCall,
  responsesAnswer,
  responsesCall,
  ResponsesStream,
} from "./openai-responses.ts";

/** What is read of one method's request, answer and stream. */
interface Endpoint {
  toCall(body: unknown): ModelCall;
  toAnswer(result: unknown): ModelAnswer;
  openStream(): AnswerStream;
}

/** An answer that comes in pieces. */
export interface AnswerStream {
  add(chunk: unknown): void;
  answer(): ModelAnswer;
}

const noStream: AnswerStream = { add: () => undefined, answer: () => ({ messages: [] }) };

const endpoints: Readonly<Record<string, Endpoint>> = {
  "chat.completions.create": {
    toCall: chatCall,
    toAnswer: chatAnswer,
    openStream: () => new ChatStream(),
  },
  "responses.create": {
    toCall: responsesCall,
    toAnswer: responsesAnswer,
    openStream: () => new ResponsesStream(),
  },
  "embeddings.create": {
    toCall: embeddingsCall,
    toAnswer: embeddingsAnswer,
    openStream: () => noStream,
  },
};

/** A copy of an OpenAI client whose model calls are traced, `parse` and `stream`, which make them, included. */
export function traceOpenAiClient<T extends object>(client: T): T {
  const copy: T = traceObject(client, "", () => copy);
  return copy;
}

/** `root`: what a resource is to take for its client, so that its helpers call the traced methods. */
function traceObject<T extends object>(target: T, path: string, root: () => object): T {
  const isResource = "_client" in target;
  const copy: T = new Proxy(target, {
    get(_target, key) {
      if (key === "_client") return root();
      const member: unknown = Reflect.get(target, key, target);
      if (typeof key !== "string") return member;
      const below = path === "" ? key : `${path}.${key}`;
      if (typeof member === "function") {
        const endpoint = endpoints[below];
        const bound = (...args: unknown[]): unknown =>
          Reflect.apply(member, isResource ? copy : target, args);
        return endpoint === undefined ? bound : (...args: unknown[]) => traceCall(endpoint, bound, args);
      }
      const leads = Object.keys(endpoints).some((known) => known.startsWith(`${below}.`));
      return leads && typeof member === "object" && member !== null
        ? traceObject(member, below, root)
        : member;
    },
  });
  return copy;
}

function traceCall(endpoint: Endpoint, call: (...args: unknown[]) => unknown, args: unknown[]): unknown {
  const open = openModelCall("openai", endpoint.toCall(args[0]));
  if (open === undefined) return call(...args);
  const onResult = (result: unknown): void => recordAnswer(open, endpoint.toAnswer(dataOf(result)));
  const take = (result: unknown): unknown => {
    const data = dataOf(result);
    if (!isStream(data)) return undefined;
    watchStream(data, open, endpoint.openStream());
    return result;
  };
  return runInSpan(open, () => call(...args), { onResult, take });
}

/** `withResponse()` brings the result beside the raw response. */
function dataOf(result: unknown): unknown {
  const { data, response } = fieldsOf(result);
  return response instanceof Response ? data : result;
}

interface Stream extends AsyncIterable<unknown> {
  iterator?: () => AsyncIterator<unknown>;
}

function isStream(value: unknown): value is Stream {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** The stream stays the client's own, with all it can do: only where its chunks come from is watched. */
function watchStream(stream: Stream, open: OpenSpan, reading: AnswerStream): void {
  const source = stream.iterator ?? stream[Symbol.asyncIterator].bind(stream);
  const idle = watchIdle(open, () => recordAnswer(open, reading.answer()));
  const watched = (): AsyncIterator<unknown> => watchIterator(source.call(stream), open, reading, idle);
  if (stream.iterator === undefined) Object.defineProperty(stream, Symbol.asyncIterator, { value: watched });
  else stream.iterator = watched;
}

async function* watchIterator(
  source: AsyncIterator<unknown>,
  open: OpenSpan,
  reading: AnswerStream,
  idle: IdleLimit,
): AsyncGenerator {
  let whole = false;
  try {
    for (;;) {
      idle.asked();
      const step = await open.run(() => source.next());
      if (step.done === true) {
        whole = true;
        return;
      }
      if (fieldsOf(step.value)["error"] === undefined) reading.add(step.value);
      idle.answered();
      yield step.value;
    }
  } catch (error) {
    recordAnswer(open, reading.answer());
    open.fail(error);
    throw error;
  } finally {
    idle.stop();
    recordAnswer(open, reading.answer());
    if (!whole) await open.run(() => source.return?.());
    open.end(whole ? undefined : Outcomes.cancelled);
  }
}
