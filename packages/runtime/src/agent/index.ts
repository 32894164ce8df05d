/** The agent contract: light, with no server, socket or HTTP client behind it. */
export { abortable } from "./abortable.ts";
export { ambientTurn, withTurn } from "./ambient-turn.ts";
export { createAgentContext } from "./create-agent-context.ts";
export { defineAgent } from "./define-agent.ts";
export { History, projectMessage } from "./history.ts";
export { nestedJournal } from "./journal.ts";
export { createMessage, messageText } from "./message.ts";
export { parseMessage } from "./parse-message.ts";
export { PushingAgent, pushReply } from "./pushing-agent.ts";
export { pushTurn, runTurn } from "./run-turn.ts";
export { addUsage, noUsage } from "./usage.ts";

export type { Agent, AgentContext, AgentRequest, AgentSkill, Budget, Hop, TurnDescription } from "./agent.ts";
export type { AgentDefinition } from "./define-agent.ts";
export type { AgentEvent, AgentEventBody, AgentYield, EndedBy, EventOrigin, InputRequest } from "./event.ts";
export type { Journal, OpenStep, StepOptions } from "./journal.ts";
export type {
  AgentMessage,
  AgentRole,
  ContentPart,
  MessageInput,
  ToolCall,
  ToolResponse,
} from "./message.ts";
export type { Emit } from "./pushing-agent.ts";
export type { RunTurnOptions } from "./run-turn.ts";
export type { Usage, UsageReport } from "./usage.ts";
