import { WeftError } from "@weft/tracing";
import type { AiSdkModel } from "./ai-sdk-model.ts";
import { fromAiSdkModel, isAiSdkModel } from "./ai-sdk-model.ts";
import type { ChatModel } from "./chat-model.ts";
import { isChatModel } from "./chat-model.ts";

/** Wherever a model is taken: a `ChatModel`, or an AI SDK model object as it is. */
export type ModelInput = ChatModel | AiSdkModel;

/** Raises `invalid_argument` for anything that is neither; `what` names the option in the message. */
export function modelOf(value: unknown, what = "model"): ChatModel {
  if (isChatModel(value)) return value;
  if (isAiSdkModel(value)) return fromAiSdkModel(value);
  const hint =
    typeof value === "string" ? ` For a model by name: openaiCompatible({ model: "${value}" }).` : "";
  throw new WeftError("invalid_argument", `${what} must be a ChatModel or an AI SDK model object.${hint}`);
}
