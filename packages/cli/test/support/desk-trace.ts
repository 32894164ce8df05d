/** A small group chat over two services, as OTLP: what the tree is shown on. */
import type { OtlpKeyValue, OtlpSpan, OtlpTraces } from "@weft/tracing/http";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";

export const deskTraceId = "0af7651916cd43dd8448eb211c80319c";

type Value = string | number | readonly string[];

function span(
  id: number,
  parent: number,
  name: string,
  [start, end]: readonly [number, number],
  values: Readonly<Record<string, Value>>,
  more: Partial<OtlpSpan> = {},
): OtlpSpan {
  const time = (ms: number): string => String(BigInt(1_700_000_000_000 + ms) * 1_000_000n);
  return {
    traceId: deskTraceId,
    spanId: id.toString(16).padStart(16, "0"),
    ...(parent === 0 ? {} : { parentSpanId: parent.toString(16).padStart(16, "0") }),
    name,
    kind: 1,
    startTimeUnixNano: time(start),
    endTimeUnixNano: time(end),
    attributes: attributes(values),
    ...more,
  };
}

function attributes(values: Readonly<Record<string, Value>>): readonly OtlpKeyValue[] {
  return Object.entries(values).map(([key, value]) => {
    if (typeof value === "string") return { key, value: { stringValue: value } };
    if (typeof value === "number") return { key, value: { intValue: String(value) } };
    return { key, value: { arrayValue: { values: value.map((text) => ({ stringValue: text })) } } };
  });
}

const desk = [
  span(1, 0, "conversation user", [0, 1500], { [Attr.spanType]: SpanTypes.conversation }),
  span(2, 1, "invoke_workflow desk", [1, 1499], {
    [Attr.spanType]: SpanTypes.workflow,
    [Attr.chatEndedBy]: "maxRound",
  }),
  span(3, 2, "select_speaker desk", [2, 12], {
    [Attr.spanType]: SpanTypes.speakerSelection,
    [Attr.selectionMethod]: "auto",
    [Attr.selectionCandidates]: ["calculator", "writer"],
    [Attr.selectionChosen]: "calculator",
  }),
  span(
    4,
    2,
    "invoke_agent calculator",
    [20, 900],
    { [Attr.spanType]: SpanTypes.agent, [Attr.agentName]: "calculator" },
    { kind: 3 },
  ),
  span(
    5,
    4,
    "SendMessage",
    [21, 899],
    { [Attr.spanType]: SpanTypes.a2a, [Attr.a2aMethodName]: "SendMessage", [Attr.a2aBinding]: "ws" },
    { kind: 3 },
  ),
  span(10, 2, "invoke_agent writer", [1000, 1400], {
    [Attr.spanType]: SpanTypes.agent,
    [Attr.agentName]: "writer",
    [Attr.outcome]: "cancelled",
  }),
];

const calculator = [
  span(
    6,
    5,
    "SendMessage",
    [30, 890],
    { [Attr.spanType]: SpanTypes.a2a, [Attr.a2aMethodName]: "SendMessage", [Attr.a2aBinding]: "ws" },
    { kind: 2 },
  ),
  span(7, 6, "invoke_agent calculator", [31, 880], {
    [Attr.spanType]: SpanTypes.agent,
    [Attr.agentName]: "calculator",
  }),
  span(8, 7, "chat small", [32, 400], {
    [Attr.spanType]: SpanTypes.llm,
    [Attr.requestModel]: "small",
    [Attr.usageInputTokens]: 120,
    [Attr.usageOutputTokens]: 34,
  }),
  span(9, 7, "execute_tool add", [410, 415], {
    [Attr.spanType]: SpanTypes.tool,
    [Attr.toolName]: "add",
    [Attr.toolCallArguments]: '{"a":2,\n"b":3}',
    [Attr.toolCallResult]: "5",
  }),
  span(
    11,
    7,
    "execute_tool fail",
    [420, 421],
    { [Attr.spanType]: SpanTypes.tool, [Attr.toolName]: "fail" },
    { status: { code: 2, message: "no \u001b[31msuch thing" } },
  ),
];

export const deskTrace: OtlpTraces = {
  resourceSpans: [
    {
      resource: { attributes: attributes({ [Attr.serviceName]: "calculator" }) },
      scopeSpans: [{ spans: calculator }],
    },
    { resource: { attributes: attributes({ [Attr.serviceName]: "desk" }) }, scopeSpans: [{ spans: desk }] },
  ],
};
