/** The desk's services and the binding each is reached over: three agents, three bindings. */
export const bindingOf = { planner: "jsonrpc", calculator: "ws", checker: "grpc" } as const;

export type ServiceRole = keyof typeof bindingOf;

export function isServiceRole(value: unknown): value is ServiceRole {
  return typeof value === "string" && Object.hasOwn(bindingOf, value);
}
