import { WeftError } from "@weft/tracing";
import type { ChatModel, ModelCallOptions, ModelPart, ModelRequest, ModelResponse } from "./chat-model.ts";
import type { ModelInput } from "./model-of.ts";
import { modelOf } from "./model-of.ts";

export interface FailoverOptions {
  /** Whether the next model is asked after this error; default: after every one but an abort. */
  readonly when?: (error: WeftError, model: ChatModel) => boolean;
}

/**
 * Asks the first model, and after a failure the next. A stream changes models only while nothing of it was shown. When
 * all fail, the last one's error is thrown. Raises `invalid_argument` for an empty list.
 */
export function failover(models: readonly ModelInput[], options: FailoverOptions = {}): ChatModel {
  const list = models.map((model, index) => modelOf(model, `failover: model ${index + 1}`));
  const [first] = list;
  if (!first) throw new WeftError("invalid_argument", "failover needs at least one model.");
  const { when = () => true } = options;
  const goesOn = (thrown: unknown, index: number, { signal }: ModelCallOptions): boolean => {
    const error = WeftError.from(thrown, "model_failed");
    if (signal.aborted || index + 1 >= list.length || error.name === "AbortError") return false;
    return when(error, list[index]!);
  };
  return {
    provider: first.provider,
    modelId: first.modelId,
    ...(first.server ? { server: first.server } : {}),
    supportsStructuredOutput: list.every(({ supportsStructuredOutput }) => supportsStructuredOutput === true),
    async generate(request, call) {
      for (let index = 0; ; index++) {
        try {
          return told(await list[index]!.generate(request, call), list[index]!, index);
        } catch (error) {
          if (!goesOn(error, index, call)) throw error;
        }
      }
    },
    stream: (request, call) => streamFirst(list, request, call, goesOn),
  };
}

async function* streamFirst(
  list: readonly ChatModel[],
  request: ModelRequest,
  call: ModelCallOptions,
  goesOn: (error: unknown, index: number, call: ModelCallOptions) => boolean,
): AsyncGenerator<ModelPart> {
  for (let index = 0; ; index++) {
    const model = list[index]!;
    let isShown = false;
    try {
      for await (const part of model.stream(request, call)) {
        isShown ||= part.type !== "finish";
        yield part.type === "finish" ? { type: "finish", response: told(part.response, model, index) } : part;
      }
      return;
    } catch (error) {
      if (isShown || !goesOn(error, index, call)) throw error;
    }
  }
}

function told(response: ModelResponse, model: ChatModel, index: number): ModelResponse {
  return {
    ...response,
    model: response.model ?? model.modelId,
    attempt: index + 1,
    answeredBy: response.answeredBy ?? model,
  };
}
