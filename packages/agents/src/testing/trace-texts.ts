/*
 * What a model was sent, read back from a trace: `weft.context` names places, spans say which message stands at a
 * place, and the message's text stands once in the trace (SPANS.md, Content).
 */
import type { AgentMessage } from "@weft/runtime/agent";
import { messageText } from "@weft/runtime/agent";
import { Attr } from "@weft/tracing/vocabulary";

interface Spanned {
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface TraceTexts {
  /** The texts a call was sent, in order; undefined where one is not in the trace, or nothing says what was sent. */
  contextOf(span: Spanned): readonly (string | undefined)[] | undefined;
}

export function readTraceTexts(spans: readonly Spanned[]): TraceTexts {
  const texts = new Map<string, string>();
  const places = new Map<string, string>();
  const mirrors: { readonly here: string; readonly start: number; readonly there: string }[] = [];
  for (const { attributes } of spans) {
    for (const key of [Attr.inputMessages, Attr.outputMessages]) readTexts(attributes[key], texts);
    for (const append of listOf(attributes[Attr.historyAppends])) {
      const [left = "", right = ""] = append.split("=");
      const [here = "", place = ""] = left.split(":");
      if (right.includes(":")) mirror(here, place, right, mirrors);
      else places.set(`${here}:${place}`, right);
    }
  }
  const find = (history: string, place: number): string | undefined => places.get(`${history}:${place}`);
  // A history mirrors a log, and a group's log a history: three steps reach every message.
  for (let pass = 0; pass < 3; pass++) {
    for (const { here, start, there } of mirrors) {
      const [history = "", place = "0"] = there.split(":");
      const id = find(history, Number(place));
      if (id !== undefined) places.set(`${here}:${start}`, id);
    }
  }
  return {
    contextOf({ attributes }) {
      const runs = listOf(attributes[Attr.context]);
      if (runs.length === 0) return undefined;
      return runs.flatMap((run) =>
        idsOf(run, find).map((id) => (id === undefined ? undefined : texts.get(id))),
      );
    },
  };
}

function mirror(
  here: string,
  places: string,
  there: string,
  mirrors: { here: string; start: number; there: string }[],
): void {
  const [from = 0, to = from] = places.split("-").map(Number);
  const [history = "", run = "0"] = there.split(":");
  const start = Number(run.split("-")[0]);
  for (let offset = 0; offset <= to - from; offset++) {
    mirrors.push({ here, start: from + offset, there: `${history}:${start + offset}` });
  }
}

function idsOf(
  run: string,
  find: (history: string, place: number) => string | undefined,
): readonly (string | undefined)[] {
  const [history = "", range = ""] = run.split(":");
  if (history === "id") return [range];
  const [from = 0, to = from] = range.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, offset) => find(history, from + offset));
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
