/*
 * What a model was sent, read back from a trace: `weft.context` names places, spans say which message stands at a
 * place, and the message's text stands once in the trace (SPANS.md, Content).
 */
import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { Histories, ToolMessages } from "@weft/tracing/internal";
import { Attr } from "@weft/tracing/vocabulary";

interface Spanned {
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface TraceTexts {
  /** The texts of the messages a call was sent, in order; undefined where one is not in the trace, or nothing says what was sent. */
  contextOf(span: Spanned): readonly (string | undefined)[] | undefined;
}

export function readTraceTexts(spans: readonly Spanned[]): TraceTexts {
  const texts = new Map<string, string>();
  const histories = new Histories<Spanned>();
  const toolMessages = new ToolMessages();
  for (const span of spans) {
    const { attributes } = span;
    for (const key of [Attr.inputMessages, Attr.outputMessages]) readTexts(attributes[key], texts);
    for (const entry of listOf(attributes[Attr.historyAppends])) histories.add(entry, span);
    toolMessages.add((key) => attributes[key]);
  }
  readTexts([...toolMessages.all()], texts);
  const textOf = ({ messageId }: { readonly messageId: string | undefined }): string | undefined =>
    messageId === undefined ? undefined : texts.get(messageId);
  return {
    contextOf({ attributes }) {
      const entries = listOf(attributes[Attr.context]);
      if (entries.length === 0) return undefined;
      // A request has its system text beside its messages.
      const system = `id:${String(attributes[Attr.systemId])}`;
      const messages = entries.filter((entry) => entry !== system);
      return messages.flatMap((entry) => Array.from(histories.named(entry), textOf));
    },
  };
}

function readTexts(given: unknown, texts: Map<string, string>): void {
  const list: unknown = typeof given === "string" ? JSON.parse(given) : given;
  if (!Array.isArray(list)) return;
  for (const { id, parts } of list as readonly {
    readonly id?: string;
    readonly parts?: readonly WirePart[];
  }[]) {
    if (id !== undefined && parts) texts.set(id, parts.map(textOfPart).join("\n"));
  }
}

interface WirePart {
  readonly type?: string;
  readonly content?: unknown;
  readonly name?: string;
  readonly arguments?: unknown;
  readonly response?: unknown;
}

function textOfPart({ type, content, name, arguments: given, response }: WirePart): string {
  if (type === "text") return String(content);
  if (type === "tool_call") return `${name}(${String(given)})`;
  if (type === "tool_call_response") return `=> ${String(response)}`;
  return "";
}

/** A request's message in the same words. */
export function textOfRequestMessage(message: AgentMessage): string {
  const { content, toolCalls = [], toolResponses = [] } = message;
  const said =
    content === null
      ? []
      : typeof content === "string"
        ? [content]
        : content.map((part) => (part.type === "text" ? part.text : ""));
  const calls = toolCalls.map(({ name, arguments: given }) => `${name}(${given})`);
  const results = toolResponses.map((each) => `=> ${each.content}`);
  return [
    ...(said.length > 0 ? said : messageText(message) ? [messageText(message)] : []),
    ...calls,
    ...results,
  ].join("\n");
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
