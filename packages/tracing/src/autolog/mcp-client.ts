import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import { recordToolCall } from "../content/record-content.ts";
import { injectCarrier } from "../context/carrier.ts";
import { runInSpan } from "../fluent/run-in-span.ts";
import { openSpan } from "../spans/open-span.ts";
import type { OpenSpan } from "../spans/open-span.ts";
import { Attr, Operations, SpanTypes } from "../vocabulary.ts";
import { fieldsOf, textOf } from "./model-call.ts";
import type { Fields } from "./model-call.ts";
import { isAutologOn } from "./switches.ts";

/** The client's methods by the protocol's names, and what of their parameters names the target. */
const methods: Readonly<Record<string, readonly [method: string, target: string | undefined]>> = {
  callTool: ["tools/call", "name"],
  listTools: ["tools/list", undefined],
  readResource: ["resources/read", "uri"],
  listResources: ["resources/list", undefined],
  listResourceTemplates: ["resources/templates/list", undefined],
  getPrompt: ["prompts/get", "name"],
  listPrompts: ["prompts/list", undefined],
  complete: ["completion/complete", undefined],
};

/** A copy of an MCP client whose requests are traced; the context crosses in `params._meta`. */
export function traceMcpClient<T extends object>(client: T): T {
  return new Proxy(client, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      const bound = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      const known = typeof key === "string" ? methods[key] : undefined;
      if (known === undefined) return bound;
      return (params?: unknown, ...rest: unknown[]) => traceRequest(known, bound, params, rest);
    },
  });
}

function traceRequest(
  [method, targetName]: readonly [string, string | undefined],
  call: (...args: unknown[]) => unknown,
  params: unknown,
  rest: readonly unknown[],
): unknown {
  const fields = fieldsOf(params);
  const meta = fieldsOf(fields["_meta"]);
  // Who wrote its context into the request records it: a tool that `mcpTools` made has its span in the turn.
  if (!isAutologOn("mcp") || "traceparent" in meta) return call(params, ...rest);
  const target = targetName === undefined ? undefined : textOf(fields[targetName]);
  const isTool = method === "tools/call";
  const open = openSpan({
    name: target === undefined || !isTool ? method : `${method} ${target}`,
    type: isTool ? SpanTypes.tool : undefined,
    kind: SpanKind.CLIENT,
    attributes: describe(method, target),
  });
  if (isTool) recordToolCall(open.span, { arguments: fields["arguments"] });
  const sent = { ...fields, _meta: { ...meta, ...injectCarrier(open.span.context) } };
  return runInSpan(open, () => call(sent, ...rest), {
    onResult: (result) => recordResult(open, isTool, fieldsOf(result)),
  });
}

function describe(method: string, target: string | undefined): Attributes {
  const attributes: Attributes = { [Attr.mcpMethodName]: method };
  if (method === "tools/call") {
    attributes[Attr.operationName] = Operations.executeTool;
    if (target !== undefined) attributes[Attr.toolName] = target;
  }
  if (method === "resources/read" && target !== undefined) attributes[Attr.mcpResourceUri] = target;
  return attributes;
}

/** A tool that fails says so in its result, not by an error of the protocol. */
function recordResult({ span }: OpenSpan, isTool: boolean, result: Fields): void {
  if (!isTool) return;
  recordToolCall(span, { result: result["structuredContent"] ?? result["content"] });
  if (result["isError"] === true) {
    span.setAttribute(Attr.errorType, "tool_error").setStatus({ code: SpanStatusCode.ERROR });
  }
}
