export { AssistantAgent } from "./agent/assistant-agent.ts";
export { ConversableAgent } from "./agent/conversable-agent.ts";
export { UserProxyAgent } from "./agent/user-proxy-agent.ts";
export { remoteAgent } from "./agent/remote-agent.ts";
export { GroupChat } from "./group/group-chat.ts";
export { GroupChatManager } from "./group/group-chat-manager.ts";
export { initiateChats } from "./chat/initiate-chats.ts";
export { tool } from "./tool/tool.ts";
export { registerFunction } from "./tool/register-function.ts";
export { openaiCompatible } from "./model/open-ai-compatible.ts";
export { RunError } from "./chat/chat-result.ts";
export { WeftError } from "@weft/tracing";
export { createMessage, defineAgent, messageText } from "@weft/runtime/agent";
export { modelOf } from "./model/model-of.ts";

export type { AgentRunOptions, GenerateReplyOptions } from "./agent/conversable-agent.ts";
export type { ConversableAgentOptions } from "./agent/agent-options.ts";
export type { HumanInput, HumanInputAnswer, HumanInputMode } from "./agent/human-input.ts";
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
export type { SequentialChat } from "./chat/initiate-chats.ts";
export type { Run, RunOptions } from "./chat/run.ts";
export type { HumanAnswer } from "./chat/scope.ts";
export type { SummaryFunction, SummaryMethod } from "./chat/summary.ts";
export type { OpeningFunction, TwoAgentOptions } from "./chat/two-agent-chat.ts";
export type { ChatUsage } from "./chat/usage-ledger.ts";
export type {
  ChatModel,
  FinishReason,
  ModelCallOptions,
  ModelPart,
  ModelRequest,
  ModelResponse,
  ModelSettings,
  ModelUsage,
  ResponseFormat,
  ToolChoice,
  ToolDefinition,
} from "./model/chat-model.ts";
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
