/** Agents as services over A2A, and the way to others'. */
export { connect } from "./client/connect.ts";
export { agentHandler } from "./server/agent-handler.ts";
export { serve } from "./server/serve.ts";
export { apiKey, bearer } from "./auth/tokens.ts";
export { createRemoteAgent } from "./client/remote-agent.ts";
export { defineAgent } from "./agent/define-agent.ts";
export { defaultLimits } from "./server/limits.ts";
export { bindings, eventsExtensionUri, hopExtensionUri, wsBindingUri } from "./a2a/uris.ts";
export { WeftError } from "@weft/tracing";

export type { AskOptions, ConnectOptions, RemoteClient } from "./client/connect.ts";
export type { AgentHandler, AgentHandlerOptions } from "./server/agent-handler.ts";
export type { ServeOptions, Service } from "./server/serve.ts";
export type { Agents, AgentServiceOptions } from "./server/agent-service.ts";
export type { CardOptions } from "./a2a/agent-card.ts";
export type { Auth, Authenticator, AuthFunction, AuthRequest, Principal } from "./auth/auth.ts";
export type { RemoteAgent, RemoteAgentOptions, RemoteContext } from "./client/remote-agent.ts";
export type { ClientTimeouts } from "./client/timeouts.ts";
export type { Limits } from "./server/limits.ts";
export type { TaskLimits } from "./task/task-engine.ts";
export type { Binding } from "./a2a/uris.ts";
