/** What a span says of itself on one line: who did what, to whom, with what result. */
import { Attr, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import type { Palette } from "./colours.ts";
import type { TraceNode } from "./trace-tree.ts";

/** A label: a word for the kind of step, its name, and what else is worth seeing. */
interface Label {
  readonly word: string;
  readonly name: string;
  readonly detail: string;
}

const errorStatus = 2;
const clientKind = 3;
const serverKind = 2;

export function describeSpan(node: TraceNode, palette: Palette): string {
  const { word, name, detail } = labelOf(node);
  const outcome = node.text(Attr.outcome);
  return [
    word === "" ? "" : palette.style("dim", word),
    palette.style("bold", printable(name, 60)),
    palette.style("dim", printable(detail, 90)),
    outcome === "" ? "" : palette.style("yellow", `[${outcome}]`),
    node.orphan ? palette.style("yellow", "[its parent is not stored]") : "",
    isError(node) ? palette.style("red", `✗ ${printable(errorText(node), 120)}`) : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

export function isError(node: TraceNode): boolean {
  return node.span.status?.code === errorStatus;
}

function errorText(node: TraceNode): string {
  return node.span.status?.message ?? (node.text(Attr.errorType) || "failed");
}

/** `weft.span.type`, or what the GenAI operation of another producer implies. */
export function spanType(node: TraceNode): string {
  const operation = node.text(Attr.operationName);
  const implied: Readonly<Record<string, string>> = {
    [Operations.chat]: SpanTypes.llm,
    [Operations.invokeAgent]: SpanTypes.agent,
    [Operations.executeTool]: SpanTypes.tool,
    [Operations.invokeWorkflow]: SpanTypes.workflow,
  };
  return node.text(Attr.spanType) || (implied[operation] ?? "");
}

function labelOf(node: TraceNode): Label {
  const make = labels[spanType(node)];
  return make === undefined ? { word: "", name: node.span.name, detail: "" } : make(node);
}

const labels: Readonly<Record<string, (node: TraceNode) => Label>> = {
  [SpanTypes.agent]: (node) => ({
    word: node.span.kind === clientKind ? "remote agent" : "agent",
    name: node.text(Attr.agentName) || rest(node),
    detail: "",
  }),
  [SpanTypes.llm]: (node) => ({
    word: "model",
    name: node.text(Attr.responseModel) || node.text(Attr.requestModel) || rest(node),
    detail: tokens(node.number(Attr.usageInputTokens), node.number(Attr.usageOutputTokens)),
  }),
  [SpanTypes.tool]: (node) => ({
    word: "tool",
    name: node.text(Attr.toolName) || rest(node),
    detail: arrow(node.text(Attr.toolCallArguments), node.text(Attr.toolCallResult)),
  }),
  [SpanTypes.speakerSelection]: selectionLabel,
  [SpanTypes.a2a]: (node) => ({
    word: node.span.kind === serverKind ? "served" : "call",
    name: node.text(Attr.a2aMethodName) || node.span.name,
    detail: node.text(Attr.a2aBinding),
  }),
  [SpanTypes.workflow]: (node) => ({ word: "group chat", name: rest(node), detail: ending(node) }),
  [SpanTypes.conversation]: (node) => ({ word: "conversation", name: rest(node), detail: ending(node) }),
  [SpanTypes.humanInput]: (node) => ({
    word: "human input",
    name: rest(node),
    detail: node.text(Attr.humanPrompt),
  }),
};

function selectionLabel(node: TraceNode): Label {
  const candidates = node.texts(Attr.selectionCandidates).join(", ");
  const method = node.text(Attr.selectionMethod);
  const reason = node.text(Attr.selectionReason);
  const detail = [
    method === "" ? "" : `by ${method}`,
    candidates === "" ? "" : `among ${candidates}`,
    reason === "" ? "" : `(${reason})`,
  ];
  return {
    word: "next speaker",
    name: node.text(Attr.selectionChosen) || "nobody",
    detail: detail.filter((part) => part !== "").join(" "),
  };
}

/** Span names are `{operation} {name}`: the name. */
function rest(node: TraceNode): string {
  const at = node.span.name.indexOf(" ");
  return at < 0 ? node.span.name : node.span.name.slice(at + 1);
}

function ending(node: TraceNode): string {
  const endedBy = node.text(Attr.chatEndedBy);
  return endedBy === "" ? "" : `ended by ${endedBy}`;
}

function arrow(from: string, to: string): string {
  const left = printable(from, 44);
  const right = printable(to, 40);
  return right === "" ? left : `${left} → ${right}`;
}

export function tokens(input: number | undefined, output: number | undefined): string {
  return input === undefined && output === undefined
    ? ""
    : `${String(input ?? 0)} → ${String(output ?? 0)} tokens`;
}

/** One line, no control characters (a trace must not steer the terminal), cut at `width`. */
export function printable(text: string, width = Infinity): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
