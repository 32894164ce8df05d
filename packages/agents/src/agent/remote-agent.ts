import type { Agent } from "@weft/runtime/agent";
import type { createRemoteAgent } from "@weft/runtime/client";

export type RemoteAgentTarget = Parameters<typeof createRemoteAgent>[0];
export type RemoteAgentOptions = NonNullable<Parameters<typeof createRemoteAgent>[1]>;

/**
 * An agent that runs elsewhere, as a member like any other: by its URL or its card. The client's code is loaded
 * here, not with the library.
 */
export async function remoteAgent(
  target: RemoteAgentTarget,
  options?: RemoteAgentOptions,
): Promise<Agent & AsyncDisposable> {
  const { createRemoteAgent } = await import("@weft/runtime/client");
  return createRemoteAgent(target, options);
}
