/** A span's attributes as the details show them: by group, without those that a view of their own shows. */
import type { OtlpSpan, SpanDetail } from "@weft/tracing/http";
import { Attr, EventNames } from "@weft/tracing/vocabulary";
import { showValue, textAt, toAttributes } from "./otlp-value.ts";
import type { Attributes } from "./otlp-value.ts";

export interface FactGroup {
  readonly title: string;
  readonly facts: readonly Fact[];
}

export interface Fact {
  readonly key: string;
  readonly value: string;
}

export interface SpanError {
  /** `error.type`, or what the exception event says. */
  readonly type: string;
  readonly message: string;
}

const shownElsewhere: ReadonlySet<string> = new Set([
  Attr.inputMessages,
  Attr.outputMessages,
  Attr.systemInstructions,
  Attr.toolCallArguments,
  Attr.toolCallResult,
  Attr.selectionMethod,
  Attr.selectionCandidates,
  Attr.selectionExcluded,
  Attr.selectionAttempts,
  Attr.selectionChosen,
  Attr.selectionFallback,
  Attr.selectionReason,
  Attr.inputs,
  Attr.outputs,
  Attr.codeOutput,
  Attr.humanPrompt,
  Attr.humanResponse,
  Attr.chatSummary,
]);

/** First match wins. A family is what its members' keys begin with. */
const groups: readonly (readonly [title: string, families: readonly string[]])[] = [
  [
    "Model",
    [
      ...families(
        Attr.requestModel,
        Attr.responseModel,
        Attr.usageInputTokens,
        Attr.providerName,
        Attr.outputType,
      ),
      ...families(Attr.cost, Attr.modelCacheHit),
    ],
  ],
  [
    "Agent",
    families(
      Attr.agentName,
      Attr.workflowName,
      Attr.turnNumber,
      Attr.chatStarter,
      Attr.chatsCount,
      Attr.humanKind,
    ),
  ],
  ["Tool", [...families(Attr.toolName, Attr.toolsId, Attr.codeLanguage), "mcp"]],
  ["Speaker selection", families(Attr.selectionMethod)],
  [
    "A2A and transport",
    [
      ...families(Attr.a2aContextId, Attr.remoteContext, Attr.pushAttempt, Attr.queueAttempt),
      Attr.via,
      "a2a",
      "server",
      "network",
      "http",
      "url",
      "messaging",
    ],
  ],
  ["Error", ["error", "exception"]],
  ["Trace", ["gen_ai", "weft", "session", "user"]],
];

export function groupFacts(attributes: Attributes): readonly FactGroup[] {
  const byTitle = new Map<string, Fact[]>();
  for (const [key, value] of attributes) {
    if (shownElsewhere.has(key)) continue;
    const title =
      groups.find(([, members]) =>
        members.some((family) => key === family || key.startsWith(`${family}.`)),
      )?.[0] ?? "Other";
    byTitle.set(title, [...(byTitle.get(title) ?? []), { key, value: showValue(value) }]);
  }
  const titles = [...groups.map(([title]) => title), "Other"];
  return titles.flatMap((title) => {
    const facts = byTitle.get(title)?.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    return facts === undefined ? [] : [{ title, facts }];
  });
}

/** What went wrong; undefined when the span's status is no error. */
export function errorOf(span: OtlpSpan): SpanError | undefined {
  if (span.status?.code !== 2) return undefined;
  const exception = toAttributes(span.events?.find(({ name }) => name === EventNames.exception)?.attributes);
  const type = textAt(toAttributes(span.attributes), Attr.errorType) || textAt(exception, Attr.exceptionType);
  return { type: type || "error", message: span.status.message || textAt(exception, Attr.exceptionMessage) };
}

/** A service whose content is off says so in its resource; a span may say it for itself. */
export function isContentOff({ span, resource }: SpanDetail): boolean {
  const saying = [span.attributes, resource.attributes].map((list) =>
    textAt(toAttributes(list), Attr.contentPolicy),
  );
  return saying.find((policy) => policy !== "") === "none";
}

/** What stands before the last dot of each key. */
function families(...keys: readonly string[]): readonly string[] {
  return keys.map((key) => key.slice(0, key.lastIndexOf(".")));
}
