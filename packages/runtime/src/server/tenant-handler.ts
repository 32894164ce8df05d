import type { AgentCard } from "@a2a-js/sdk";
import type { A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import { WeftError } from "@weft/tracing";
import { toWireError } from "../a2a/wire-errors.ts";
import { callStateOf } from "../task/call-state.ts";

const operations = [
  "getAuthenticatedExtendedAgentCard",
  "sendMessage",
  "sendMessageStream",
  "getTask",
  "cancelTask",
  "createTaskPushNotificationConfig",
  "getTaskPushNotificationConfig",
  "listTaskPushNotificationConfigs",
  "deleteTaskPushNotificationConfig",
  "resubscribe",
  "listTasks",
] as const satisfies readonly (keyof A2ARequestHandler)[];

type Operation = (params: unknown, context: ServerCallContext) => unknown;

/**
 * One request handler for several agents, chosen by the call's tenant: gRPC has one address for all of them,
 * and a client of several one WebSocket. A sole agent needs no tenant.
 */
export function createTenantHandler(
  handlers: ReadonlyMap<string, A2ARequestHandler>,
  card: () => AgentCard,
): A2ARequestHandler {
  const choose = (tenant: string, context: ServerCallContext): A2ARequestHandler => {
    const handler =
      handlers.get(tenant) ?? (handlers.size === 1 ? handlers.values().next().value : undefined);
    if (handler) return handler;
    throw toWireError(unknownAgent(tenant, [...handlers.keys()]), callStateOf(context).binding);
  };
  const entries = operations.map((operation): [string, Operation] => [
    operation,
    (params, context) => {
      const handler = choose(context.tenant ?? "", context);
      return (handler[operation] as Operation).call(handler, params, context);
    },
  ]);
  return {
    ...(Object.fromEntries(entries) as unknown as A2ARequestHandler),
    getAgentCard: async () => card(),
  };
}

export function unknownAgent(name: string, known: readonly string[]): WeftError {
  return new WeftError("not_found", `There is no agent "${name}" here; there are: ${known.join(", ")}.`);
}
