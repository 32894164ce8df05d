export { AssistantAgent } from "./agent/assistant-agent.ts";
export { ConversableAgent } from "./agent/conversable-agent.ts";
export { UserProxyAgent } from "./agent/user-proxy-agent.ts";
export { remoteAgent } from "./agent/remote-agent.ts";
export { fromAiSdk } from "./agent/from-ai-sdk.ts";
export { terminal } from "./agent/terminal.ts";
export { toResponse } from "./chat/to-response.ts";
export { GroupChat } from "./group/group-chat.ts";
export { GroupChatManager } from "./group/group-chat-manager.ts";
export { initiateChats } from "./chat/initiate-chats.ts";
export { handoff } from "./handoff/handoff.ts";
export { target } from "./handoff/target.ts";
export { ReplyResult } from "./handoff/reply-result.ts";
export { modelGuardrail, regexGuardrail } from "./handoff/guardrail.ts";
export { localExecutor } from "./code/local-executor.ts";
export { dockerExecutor } from "./code/docker-executor.ts";
export { failover } from "./model/failover.ts";
export { cached } from "./model/cached.ts";
export { mcpTools } from "./tool/mcp-tools.ts";
export { defaultPrices } from "./model/list-prices.ts";
export { setPrices } from "./model/prices.ts";
export { GraphError } from "./chat/chat-graph.ts";
export { tool } from "./tool/tool.ts";
export { registerFunction } from "./tool/register-function.ts";
export { openaiCompatible } from "./model/open-ai-compatible.ts";
export { RunError } from "./chat/chat-result.ts";
export { WeftError } from "@weft/tracing";
export { createMessage, defineAgent, messageText } from "@weft/runtime/agent";
export { modelOf } from "./model/model-of.ts";

export type { AgentRunOptions } from "./agent/conversable-agent.ts";
export type { GenerateReplyOptions } from "./agent/direct-reply.ts";
export type { ConversableAgentOptions } from "./agent/agent-options.ts";
export type { HumanInput, HumanInputAnswer, HumanInputMode } from "./agent/human-answer.ts";
export type { Hooks } from "./agent/hooks.ts";
export type { RegisterReplyOptions, ReplyContext, ReplyFunction, ReplyTrigger } from "./agent/reply-chain.ts";
export type { IsTerminationMessage } from "./agent/termination.ts";
export type { RemoteAgentOptions, RemoteAgentTarget } from "./agent/remote-agent.ts";
export type { GroupChatOptions } from "./group/group-options.ts";
export type { GroupChatManagerOptions } from "./group/group-chat-manager.ts";
export type { SelectionFunction, SelectionMethod, SelectionView } from "./group/methods.ts";
export type { ResumeOptions } from "./group/resume.ts";
export type { TransitionTable } from "./group/transitions.ts";
export type { CarryoverItem } from "./chat/carryover.ts";
export type { ChatResult } from "./chat/chat-result.ts";
export type { ChatState } from "./chat/chat-state.ts";
export type { GraphOutcome } from "./chat/chat-graph.ts";
export type { NestedChat } from "./chat/nested-chat.ts";
export type { RunEvent } from "./chat/questions.ts";
export type { AgentResumeOptions } from "./chat/resume-chat.ts";
export type { CodeBlock, CodeExecutionOptions, CodeExecutor, CodeResult } from "./code/code-executor.ts";
export type { AfterWork, Handoff, HandoffCondition, HandoffOptions } from "./handoff/handoff.ts";
export type { Guardrail, GuardrailOptions } from "./handoff/guardrail.ts";
export type { Target, TargetFunction, TargetView } from "./handoff/target.ts";
export type { FailoverOptions } from "./model/failover.ts";
export type { CachedOptions } from "./model/cached.ts";
export type { ModelCache } from "./model/model-cache.ts";
export type { McpClient, McpOptions, McpTarget, McpTools } from "./tool/mcp-tools.ts";
export type { AiSdkAgent, FromAiSdkOptions } from "./agent/from-ai-sdk.ts";
export type { TerminalOptions } from "./agent/terminal.ts";
export type { ToResponseOptions } from "./chat/to-response.ts";
export type { ToolSet } from "./tool/tool-set.ts";
export type { GraphChat, SequentialChat } from "./chat/initiate-chats.ts";
export type { Run } from "./chat/run.ts";
export type { RunOptions } from "./chat/run-driver.ts";
export type { HumanAnswer } from "./chat/scope.ts";
export type { SummaryFunction, SummaryMethod } from "./chat/summary.ts";
export type { OpeningFunction, TwoAgentOptions } from "./chat/two-agent-chat.ts";
export type { ChatUsage } from "./chat/usage-ledger.ts";
export type {
  ChatModel,
  FailedAttempt,
  FinishReason,
  ModelCallOptions,
  ModelPart,
  ModelPrice,
  ModelRequest,
  ModelResponse,
  ModelSettings,
  ModelUsage,
  ResponseFormat,
  TokenRates,
  ToolChoice,
  ToolDefinition,
} from "./model/chat-model.ts";
export type { ListedPrice } from "./model/list-prices.ts";
export type { AiSdkModel } from "./model/ai-sdk-model.ts";
export type { ModelInput } from "./model/model-of.ts";
export type { OpenAICompatibleOptions } from "./model/open-ai-compatible.ts";
export type { Schema, StandardSchema } from "./tool/schema.ts";
export type { Tool, ToolContext, ToolOptions } from "./tool/tool.ts";
export type {
  Agent,
  AgentContext,
  AgentDefinition,
  AgentEvent,
  AgentMessage,
  AgentRequest,
  AgentSkill,
  AgentYield,
  ContentPart,
  EndedBy,
  InputRequest,
  MessageInput,
  ToolCall,
  ToolResponse,
  Usage,
} from "@weft/runtime/agent";
export type { WeftErrorCode } from "@weft/tracing";
