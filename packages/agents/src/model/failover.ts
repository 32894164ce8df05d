import { WeftError } from "@weft/tracing";
import type {
  ChatModel,
  FailedAttempt,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelResponse,
} from "./chat-model.ts";
import { leaveParts, startFirstPartClock } from "./first-part.ts";
import type { ModelInput } from "./model-of.ts";
import { modelOf } from "./model-of.ts";

export interface FailoverOptions {
  /** Whether the next model is asked after this error; default: after every one but an abort. */
  readonly when?: (error: WeftError, model: ChatModel) => boolean;
}

/**
 * Asks the first model, and after a failure the next; each has its own time (`timeoutMs`) and a `chat` span of its own.
 * A stream changes models only while nothing of it was shown. When all fail, the last one's error is thrown. Raises `invalid_argument` for an empty list.
 */
export function failover(models: readonly ModelInput[], options: FailoverOptions = {}): ChatModel {
  const list = models.map((model, index) => modelOf(model, `failover: model ${index + 1}`));
  const [first] = list;
  if (!first) throw new WeftError("invalid_argument", "failover needs at least one model.");
  const { when = () => true } = options;
  /** Tells of the failure, if the next model is to be asked; else throws it. */
  const goOn: GoOn = (thrown, index, { signal, onFailedAttempt }) => {
    const error = WeftError.from(thrown, "model_failed");
    const next = list[index + 1];
    if (!next || signal.aborted || error.name === "AbortError" || !when(error, list[index]!)) throw thrown;
    onFailedAttempt?.({ error, next });
  };
  return {
    provider: first.provider,
    modelId: first.modelId,
    ...(first.server ? { server: first.server } : {}),
    supportsStructuredOutput: list.every(({ supportsStructuredOutput }) => supportsStructuredOutput === true),
    isComposite: true,
    async generate(request, call) {
      for (let index = 0; ; index++) {
        const model = list[index]!;
        const attempt = startAttempt(model, request, call);
        try {
          return told(await attempt.clock.wait(() => model.generate(request, attempt.call)), model);
        } catch (error) {
          goOn(error, index, call);
        } finally {
          attempt.clock.release();
        }
      }
    },
    stream: (request, call) => streamFirst(list, request, call, goOn),
  };
}

type GoOn = (error: unknown, index: number, call: ModelCallOptions) => void;

/** One model's turn to answer: within its own time, which its retries begin anew. */
function startAttempt(model: ChatModel, request: ModelRequest, outer: ModelCallOptions) {
  const clock = startFirstPartClock(model, request, outer.signal);
  const onFailedAttempt = (failed: FailedAttempt): void => {
    clock.restart(failed.waitMs);
    outer.onFailedAttempt?.(failed);
  };
  const call: ModelCallOptions = { signal: clock.signal, onFailedAttempt };
  return { clock, call };
}

async function* streamFirst(
  list: readonly ChatModel[],
  request: ModelRequest,
  call: ModelCallOptions,
  goOn: GoOn,
): AsyncGenerator<ModelPart> {
  for (let index = 0; ; index++) {
    const model = list[index]!;
    let isShown = false;
    try {
      for await (const part of attemptParts(model, request, call)) {
        isShown ||= part.type !== "finish";
        yield part.type === "finish" ? { type: "finish", response: told(part.response, model) } : part;
      }
      return;
    } catch (error) {
      if (isShown) throw error;
      goOn(error, index, call);
    }
  }
}

async function* attemptParts(
  model: ChatModel,
  request: ModelRequest,
  outer: ModelCallOptions,
): AsyncGenerator<ModelPart> {
  const { clock, call } = startAttempt(model, request, outer);
  const parts = model.stream(request, call)[Symbol.asyncIterator]();
  let isOver = false;
  try {
    let step = await clock.wait(() => parts.next());
    clock.stop();
    for (; !step.done; step = await parts.next()) yield step.value;
    isOver = true;
  } finally {
    clock.release();
    if (!isOver) await leaveParts(parts, outer.signal);
  }
}

function told(response: ModelResponse, model: ChatModel): ModelResponse {
  return {
    ...response,
    model: response.model ?? model.modelId,
    answeredBy: response.answeredBy ?? model,
  };
}
