import type { SpanDetail, SpanDetails } from "@weft/tracing/http";
import { Attr, SpanTypes } from "@weft/tracing/vocabulary";
import { parseInstructions, parseMessages, messagesOfContext } from "../data/message.ts";
import { withNamedTexts } from "../data/named-texts.ts";
import { showValue, textAt, toAttributes } from "../data/otlp-value.ts";
import type { Attributes } from "../data/otlp-value.ts";
import { parseSelection } from "../data/selection.ts";
import { errorOf, isContentOff } from "../data/span-facts.ts";
import type { TraceTree } from "../trace/trace-tree.ts";
import { Icon } from "../ui/icon.tsx";
import { CodeBlock, LongText, Withheld } from "../ui/message-body.tsx";
import { Conversation } from "./conversation.tsx";
import { Section } from "./section.tsx";
import { SelectionView } from "./selection-view.tsx";

export interface SpanContentProps {
  readonly detail: SpanDetail;
  readonly messages: SpanDetails["messages"];
  readonly tree: TraceTree;
  readonly index: number;
  readonly onShow: (spanId: string) => void;
}

/** What the span was about: its error, what was said, called, chosen. */
export function SpanContent({ detail, messages, tree, index, onShow }: SpanContentProps) {
  const { span, service } = detail;
  const attributes = toAttributes(span.attributes);
  const error = errorOf(span);
  // A span that came after the tree was read has no place in it yet.
  const type = index < 0 ? "" : tree.skeleton.shape(index).type;
  return (
    <>
      {error !== undefined && (
        <section className="error-box" aria-label="Error">
          <h3>
            <Icon name="warning" size={14} />
            {error.type}
          </h3>
          {error.message !== "" && <LongText text={error.message} />}
        </section>
      )}
      {type === SpanTypes.speakerSelection && (
        <SelectionView selection={parseSelection(span)} tree={tree} index={index} onShow={onShow} />
      )}
      <Said detail={detail} attributes={attributes} messages={messages} />
      <Values attributes={withNamedTexts(attributes, messages)} isTool={type === SpanTypes.tool} />
      {isContentOff(detail) && <Withheld service={service} sure />}
    </>
  );
}

interface SaidProps {
  readonly detail: SpanDetail;
  readonly attributes: Attributes;
  readonly messages: SpanDetails["messages"];
}

function Said({ detail, attributes, messages }: SaidProps) {
  const { service, context } = detail;
  const recorded = parseMessages(textAt(attributes, Attr.inputMessages));
  const input = context === undefined ? recorded : messagesOfContext(context, messages);
  const isSaid = input.some(({ role }) => role === "system");
  const instructions = isSaid ? "" : parseInstructions(textAt(attributes, Attr.systemInstructions));
  const output = parseMessages(textAt(attributes, Attr.outputMessages));
  return (
    <>
      {instructions !== "" && (
        <Section title="Instructions">
          <LongText text={instructions} />
        </Section>
      )}
      {input.length > 0 && (
        <Section title="Sent" count={input.length}>
          <Conversation messages={input} service={service} />
        </Section>
      )}
      {output.length > 0 && (
        <Section title="Answered" count={output.length}>
          <Conversation messages={output} service={service} />
        </Section>
      )}
    </>
  );
}

const values = [
  [Attr.toolCallArguments, "Arguments"],
  [Attr.toolCallResult, "Result"],
  [Attr.codeOutput, "Output"],
  [Attr.humanPrompt, "Asked"],
  [Attr.humanResponse, "Answer"],
  [Attr.chatSummary, "Summary"],
  [Attr.inputs, "Inputs"],
  [Attr.outputs, "Outputs"],
] as const;

function Values({ attributes, isTool }: { readonly attributes: Attributes; readonly isTool: boolean }) {
  return values.map(([key, title]) => {
    const value = attributes.get(key);
    if (value === undefined) return undefined;
    const bad = isTool && key === Attr.toolCallResult && attributes.has(Attr.errorType);
    return <CodeBlock key={key} title={title} text={showValue(value)} bad={bad} />;
  });
}
