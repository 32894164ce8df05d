/*
 * What a model call says of itself: the attributes of its span, and what it used.
 */
import type { Usage, UsageReport } from "@weft/runtime/agent";
import type { Attributes } from "@weft/tracing/internal";
import { Attr, Operations } from "@weft/tracing/vocabulary";
import type { ChatModel, ModelRequest, ModelResponse, ModelSettings, ModelUsage } from "./chat-model.ts";
import { costOf } from "./prices.ts";

interface Described {
  readonly settings: ModelSettings | undefined;
  readonly hasFormat: boolean;
  readonly isStream: boolean;
  readonly attributes: Attributes;
}

/** The last description of each model: an agent asks with the same settings every time. */
const described = new WeakMap<ChatModel, Described>();

/** Of the call's span, when it opens. The same object for the same settings: not to be changed. */
export function requestAttributes(
  model: ChatModel,
  { settings, responseFormat }: ModelRequest,
  isStream: boolean,
): Attributes {
  const hasFormat = responseFormat !== undefined;
  const last = described.get(model);
  if (last && last.settings === settings && last.hasFormat === hasFormat && last.isStream === isStream) {
    return last.attributes;
  }
  const attributes = Object.freeze({
    ...(hasFormat ? { [Attr.outputType]: "json" } : {}),
    ...(isStream ? { [Attr.requestStream]: true } : {}),
    [Attr.operationName]: Operations.chat,
    [Attr.providerName]: model.provider,
    [Attr.requestModel]: model.modelId,
    ...(model.server ? { [Attr.serverAddress]: model.server.address } : {}),
    ...(model.server?.port === undefined ? {} : { [Attr.serverPort]: model.server.port }),
    ...settingAttributes(settings),
  });
  described.set(model, { settings, hasFormat, isStream, attributes });
  return attributes;
}

function settingAttributes({
  temperature,
  topP,
  maxOutputTokens,
  stopSequences,
}: ModelSettings = {}): Attributes {
  return {
    ...(temperature === undefined ? {} : { [Attr.requestTemperature]: temperature }),
    ...(topP === undefined ? {} : { [Attr.requestTopP]: topP }),
    ...(maxOutputTokens === undefined ? {} : { [Attr.requestMaxTokens]: maxOutputTokens }),
    ...(stopSequences === undefined ? {} : { [Attr.requestStopSequences]: [...stopSequences] }),
  };
}

/** Of the call's span, when the answer is there. */
export function responseAttributes(response: ModelResponse, report: UsageReport | undefined): Attributes {
  const { model, id, usage, cacheHit } = response;
  const attributes: Attributes = { [Attr.responseFinishReasons]: [response.finishReason] };
  if (model) attributes[Attr.responseModel] = model;
  if (id) attributes[Attr.responseId] = id;
  if (usage) describeUsage(attributes, usage);
  if (cacheHit) attributes[Attr.modelCacheHit] = true;
  if (report?.cost !== undefined) attributes[Attr.cost] = report.cost;
  return attributes;
}

function describeUsage(attributes: Attributes, usage: ModelUsage): void {
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
  attributes[Attr.usageInputTokens] = usage.inputTokens;
  attributes[Attr.usageOutputTokens] = usage.outputTokens;
  if (cacheReadTokens !== undefined) attributes[Attr.usageCacheReadTokens] = cacheReadTokens;
  if (cacheWriteTokens !== undefined) attributes[Attr.usageCacheWriteTokens] = cacheWriteTokens;
  if (reasoningTokens !== undefined) attributes[Attr.usageReasoningTokens] = reasoningTokens;
}

/** What the answer used; undefined when the provider reported nothing: unknown is not 0. */
export function reportOf(asked: ChatModel, response: ModelResponse): UsageReport | undefined {
  const { usage, answeredBy = asked } = response;
  if (!usage) return undefined;
  const model = response.model ?? answeredBy.modelId;
  const cost = response.cacheHit ? 0 : costOf(answeredBy, response.model, usage);
  return cost === undefined ? { usage: toUsage(usage), model } : { usage: toUsage(usage), model, cost };
}

function toUsage(usage: ModelUsage): Usage {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.inputTokens + usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens ?? 0,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    reasoningTokens: usage.reasoningTokens ?? 0,
  };
}
