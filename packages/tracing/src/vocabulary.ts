/**
 * The one table of names: attribute keys, span types, operations and outcomes that Weft writes and reads.
 * It imports nothing, so that every package, the viewer included, may import it.
 *
 * Keys of a convention keep the convention's spelling; keys that no convention has are `weft.*`.
 */

/** GenAI conventions, github.com/open-telemetry/semantic-conventions-genai. */
const genAi = {
  operationName: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  conversationId: "gen_ai.conversation.id",
  agentId: "gen_ai.agent.id",
  agentName: "gen_ai.agent.name",
  agentDescription: "gen_ai.agent.description",
  agentVersion: "gen_ai.agent.version",
  workflowName: "gen_ai.workflow.name",
  requestModel: "gen_ai.request.model",
  requestTemperature: "gen_ai.request.temperature",
  requestTopP: "gen_ai.request.top_p",
  requestTopK: "gen_ai.request.top_k",
  requestMaxTokens: "gen_ai.request.max_tokens",
  requestFrequencyPenalty: "gen_ai.request.frequency_penalty",
  requestPresencePenalty: "gen_ai.request.presence_penalty",
  requestSeed: "gen_ai.request.seed",
  requestStopSequences: "gen_ai.request.stop_sequences",
  requestChoiceCount: "gen_ai.request.choice.count",
  requestStream: "gen_ai.request.stream",
  requestEncodingFormats: "gen_ai.request.encoding_formats",
  responseId: "gen_ai.response.id",
  responseModel: "gen_ai.response.model",
  responseFinishReasons: "gen_ai.response.finish_reasons",
  responseTimeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  outputType: "gen_ai.output.type",
  usageInputTokens: "gen_ai.usage.input_tokens",
  usageOutputTokens: "gen_ai.usage.output_tokens",
  usageCacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  usageCacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  usageReasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  systemInstructions: "gen_ai.system_instructions",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  toolDefinitions: "gen_ai.tool.definitions",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolDescription: "gen_ai.tool.description",
  toolCallId: "gen_ai.tool.call.id",
  toolCallArguments: "gen_ai.tool.call.arguments",
  toolCallResult: "gen_ai.tool.call.result",
  dataSourceId: "gen_ai.data_source.id",
  retrievalDocuments: "gen_ai.retrieval.documents",
  retrievalQueryText: "gen_ai.retrieval.query.text",
  embeddingsDimensionCount: "gen_ai.embeddings.dimension.count",
} as const;

/** A2A conventions: proposal 195 of the GenAI repository, still open, hence pending. */
const a2a = {
  a2aMethodName: "a2a.method.name",
  a2aProtocolVersion: "a2a.protocol.version",
  a2aTenant: "a2a.tenant",
  a2aMessageId: "a2a.message.id",
  a2aMessageReferenceTaskIds: "a2a.message.reference_task_ids",
  a2aTaskId: "a2a.task.id",
  a2aTaskState: "a2a.task.state",
} as const;

/** MCP conventions, same repository. */
const mcp = {
  mcpMethodName: "mcp.method.name",
  mcpProtocolVersion: "mcp.protocol.version",
  mcpSessionId: "mcp.session.id",
  mcpResourceUri: "mcp.resource.uri",
} as const;

/** Messaging conventions, in development. */
const messaging = {
  messagingSystem: "messaging.system",
  messagingOperationName: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingDestinationName: "messaging.destination.name",
  messagingMessageId: "messaging.message.id",
  messagingConsumerGroup: "messaging.consumer.group.name",
} as const;

/** General conventions that are in development. */
const incubating = {
  sessionId: "session.id",
  userId: "user.id",
  serviceInstanceId: "service.instance.id",
  processPid: "process.pid",
  processRuntimeName: "process.runtime.name",
  processRuntimeVersion: "process.runtime.version",
  hostName: "host.name",
} as const;

/** General conventions, stable. */
const general = {
  errorType: "error.type",
  exceptionType: "exception.type",
  exceptionMessage: "exception.message",
  exceptionStacktrace: "exception.stacktrace",
  serverAddress: "server.address",
  serverPort: "server.port",
  httpRequestMethod: "http.request.method",
  httpResponseStatusCode: "http.response.status_code",
  urlFull: "url.full",
  urlPath: "url.path",
  networkProtocolName: "network.protocol.name",
  serviceName: "service.name",
  serviceVersion: "service.version",
  telemetrySdkName: "telemetry.sdk.name",
  telemetrySdkVersion: "telemetry.sdk.version",
  telemetrySdkLanguage: "telemetry.sdk.language",
} as const;

/** Weft's own: what no convention has a key for. */
const weft = {
  spanType: "weft.span.type",
  outcome: "weft.outcome",
  experiment: "weft.experiment",
  runId: "weft.run.id",
  stretch: "weft.stretch",
  attempt: "weft.attempt",
  skippedSteps: "weft.skipped_steps",
  linkKind: "weft.link.kind",
  linksOmitted: "weft.links.omitted",

  context: "weft.context",
  historyAppends: "weft.history.appends",
  rewrites: "weft.rewrites",
  systemId: "weft.system.id",
  toolsId: "weft.tools.id",
  toolAskedIn: "weft.tool.call.asked_in",
  toolAnsweredIn: "weft.tool.call.answered_in",
  inputs: "weft.inputs",
  outputs: "weft.outputs",
  contentPolicy: "weft.content.policy",
  contentCutBytes: "weft.content.cut_bytes",
  contentCutItems: "weft.content.cut_items",
  contentRedacted: "weft.content.redacted",
  contentBodies: "weft.content.bodies",

  chatStarter: "weft.chat.starter",
  chatParticipants: "weft.chat.participants",
  chatMaxTurns: "weft.chat.max_turns",
  chatTurns: "weft.chat.turns",
  chatMaxRound: "weft.chat.max_round",
  chatRounds: "weft.chat.rounds",
  chatMethod: "weft.chat.speaker_selection",
  chatEndedBy: "weft.chat.ended_by",
  chatSummary: "weft.chat.summary",
  chatSummaryOf: "weft.chat.summary_of",
  chatsCount: "weft.chats.count",
  chatsMode: "weft.chats.mode",
  chatsRecipients: "weft.chats.recipients",
  chatsIds: "weft.chats.ids",
  chatsPrerequisites: "weft.chats.prerequisites",

  turnNumber: "weft.turn.number",
  turnHandoff: "weft.turn.handoff",

  a2aContextId: "weft.a2a.context_id",
  a2aBinding: "weft.a2a.binding",
  a2aRetries: "weft.a2a.retries",
  via: "weft.via",
  remoteContext: "weft.remote.context",
  remoteConversationId: "weft.remote.conversation_id",
  remoteInputTokens: "weft.remote.usage.input_tokens",
  remoteOutputTokens: "weft.remote.usage.output_tokens",

  selectionMethod: "weft.selection.method",
  selectionCandidates: "weft.selection.candidates",
  selectionExcluded: "weft.selection.excluded",
  selectionAttempts: "weft.selection.attempts",
  selectionChosen: "weft.selection.chosen",
  selectionFallback: "weft.selection.fallback",
  selectionReason: "weft.selection.reason",

  cost: "weft.cost.usd",
  modelCacheHit: "weft.model.cache_hit",
  modelFailoverAttempt: "weft.model.failover_attempt",
  retryWaitMs: "weft.retry.wait_ms",

  codeLanguage: "weft.code.language",
  codeExitCode: "weft.code.exit_code",
  codeOutput: "weft.code.output",
  humanKind: "weft.human.kind",
  humanPrompt: "weft.human.prompt",
  humanResponse: "weft.human.response",
  humanWaitMs: "weft.human.wait_ms",
  guardrailName: "weft.guardrail.name",
  guardrailSide: "weft.guardrail.side",
  guardrailMatched: "weft.guardrail.matched",
  guardrailAction: "weft.guardrail.action",
  pushAttempt: "weft.push.attempt",
  queueAttempt: "weft.queue.attempt",
  queueRedelivered: "weft.queue.redelivered",

  requestPreview: "weft.trace.request_preview",
  responsePreview: "weft.trace.response_preview",
  droppedSpans: "weft.dropped_spans",
} as const;

/** Attribute keys by name: `Attr.agentName` is the convention's key for an agent's name. */
export const Attr = { ...genAi, ...a2a, ...mcp, ...messaging, ...incubating, ...general, ...weft } as const;
export type AttributeKey = (typeof Attr)[keyof typeof Attr];

/** Tags of a trace are span attributes under this prefix, one per tag. */
export const tagPrefix = "weft.tag.";

/** The schema that tracers name: the release of the conventions whose spelling this table follows. */
export const schemaUrl = "https://opentelemetry.io/schemas/1.41.0";

/** Where a family of keys comes from. `pending`: a proposal that its owners have not accepted yet. */
export interface Convention {
  readonly name: string;
  readonly version: string;
  readonly stability: "stable" | "development";
  readonly pending: boolean;
  readonly schemaUrl?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const development = { stability: "development", pending: false } as const;

export const conventions: readonly Convention[] = [
  { name: "OpenTelemetry GenAI", version: "1.41.0", ...development, schemaUrl, attributes: genAi },
  {
    name: "OpenTelemetry A2A (proposal 195)",
    version: "842a839",
    ...development,
    pending: true,
    attributes: a2a,
  },
  { name: "OpenTelemetry MCP", version: "1.41.0", ...development, schemaUrl, attributes: mcp },
  { name: "OpenTelemetry messaging", version: "1.41.0", ...development, schemaUrl, attributes: messaging },
  {
    name: "OpenTelemetry general (development)",
    version: "1.41.0",
    ...development,
    schemaUrl,
    attributes: incubating,
  },
  {
    name: "OpenTelemetry general",
    version: "1.41.0",
    stability: "stable",
    pending: false,
    schemaUrl,
    attributes: general,
  },
  { name: "Weft", version: "1", ...development, attributes: weft },
];

/** Values of `weft.span.type`. The first eight are AG2's (pull request 2309). */
export const SpanTypes = {
  conversation: "conversation",
  multiConversation: "multi_conversation",
  agent: "agent",
  llm: "llm",
  tool: "tool",
  speakerSelection: "speaker_selection",
  humanInput: "human_input",
  codeExecution: "code_execution",
  workflow: "workflow",
  a2a: "a2a",
  queue: "queue",
  push: "push",
  guardrail: "guardrail",
  retrieval: "retrieval",
  task: "task",
} as const;

/** MLflow's span types, for `spanType` of the fluent calls; any other string does as well. */
export const SpanType = {
  LLM: "LLM",
  CHAIN: "CHAIN",
  AGENT: "AGENT",
  TOOL: "TOOL",
  CHAT_MODEL: "CHAT_MODEL",
  RETRIEVER: "RETRIEVER",
  PARSER: "PARSER",
  EMBEDDING: "EMBEDDING",
  RERANKER: "RERANKER",
  UNKNOWN: "UNKNOWN",
} as const;

/** Values of `gen_ai.operation.name`: the conventions' own, then ours where they have none. */
export const Operations = {
  chat: "chat",
  invokeAgent: "invoke_agent",
  invokeWorkflow: "invoke_workflow",
  executeTool: "execute_tool",
  createAgent: "create_agent",
  embeddings: "embeddings",
  retrieval: "retrieval",

  conversation: "conversation",
  initiateChats: "initiate_chats",
  selectSpeaker: "select_speaker",
  executeCode: "execute_code",
  awaitHumanInput: "await_human_input",
  guardrail: "guardrail",
  push: "push",
} as const;

/** Values of `weft.outcome`: how a span ended where the end is not plain. Only `lost` is an error. */
export const Outcomes = {
  cancelled: "cancelled",
  suspended: "suspended",
  abandoned: "abandoned",
  fenced: "fenced",
  lost: "lost",
} as const;
export type Outcome = (typeof Outcomes)[keyof typeof Outcomes];

/** Values of `weft.link.kind`: why a span links to another. */
export const LinkKinds = {
  askedBy: "asked_by",
  caller: "caller",
  previousRun: "previous_run",
  previousAttempt: "previous_attempt",
  waitedFor: "waited_for",
  wokenBy: "woken_by",
} as const;

/** Names of span events that Weft writes. */
export const EventNames = {
  exception: "exception",
  resumed: "weft.resumed",
  attempt: "weft.selection.attempt",
  retry: "weft.retry",
} as const;

/** Names of the metrics that services give by OpenTelemetry's metrics api. */
export const Metrics = {
  /** Histogram, seconds: from a call's arrival until nobody is left to answer. */
  a2aServerDuration: "weft.a2a.server.duration",
  /** Calls that are open. */
  a2aServerOpen: "weft.a2a.server.open",
  /** Calls that were refused or failed. */
  a2aServerErrors: "weft.a2a.server.errors",
} as const;
