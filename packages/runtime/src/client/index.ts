/** Agents of other services: imported on first use, so that the agent packages load no client. */
export { connect } from "./connect.ts";
export { createRemoteAgent } from "./remote-agent.ts";

export type { ConnectOptions } from "./connect.ts";
export type { AskOptions, RemoteClient } from "./remote-client.ts";
export type { RemoteAgent, RemoteAgentOptions, RemoteContext } from "./remote-agent.ts";
export type { ClientTimeouts } from "./timeouts.ts";
