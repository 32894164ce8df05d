import { useState } from "react";
import { Button } from "react-aria-components/Button";
import type { ShownMessage } from "../data/message.ts";
import { formatCount, prettyJson } from "./format.ts";
import { Icon } from "./icon.tsx";

export interface MessageBodyProps {
  readonly message: ShownMessage;
  readonly service: string;
  /** The service is known to record no content. */
  readonly off?: boolean;
}

/** A message's text, its tool calls and their results. Everything is text: nothing a model wrote becomes markup. */
export function MessageBody({ message, service, off = false }: MessageBodyProps) {
  const { text, reasoning, toolCalls, toolResponses, others, missing } = message;
  const empty =
    text === "" && reasoning === "" && toolCalls.length + toolResponses.length + others.length === 0;
  return (
    <div className="message-body">
      {missing && <Withheld service={service} sure={off} />}
      {reasoning !== "" && (
        <div className="reasoning">
          <LongText text={reasoning} />
        </div>
      )}
      {text !== "" && <LongText text={text} />}
      {empty && !missing && <p className="withheld">empty</p>}
      {toolCalls.map((call, index) => (
        <CodeBlock key={call.id || index} icon="tool" title={call.name} text={call.arguments} />
      ))}
      {toolResponses.map((response, index) => (
        <CodeBlock
          key={response.id || index}
          icon={response.isError ? "warning" : "check"}
          title={response.name ? `${response.name} returned` : "Result"}
          text={response.content}
          bad={response.isError}
        />
      ))}
      {others.map((other, index) => (
        <p key={index} className="other-part">
          {other}
        </p>
      ))}
    </div>
  );
}

/** Why there is no text, as far as the trace says. */
export function Withheld({ service, sure = false }: { readonly service: string; readonly sure?: boolean }) {
  return (
    <p className="withheld">
      {sure ? `content off at ${service}` : `text not recorded: content off at ${service}, cut or lost`}
    </p>
  );
}

export interface CodeBlockProps {
  readonly title: string;
  readonly text: string;
  readonly icon?: "tool" | "warning" | "check";
  readonly bad?: boolean;
}

/** Longer ones get lines of their own below the title. */
const oneLine = 64;

export function CodeBlock({ title, text, icon, bad = false }: CodeBlockProps) {
  const shown = prettyJson(text);
  const short = shown.length <= oneLine && !shown.includes("\n");
  return (
    <figure className="code-block" data-bad={bad} data-short={short}>
      <figcaption>
        {icon !== undefined && <Icon name={icon} size={13} />}
        {title}
      </figcaption>
      {text === "" ? <p className="withheld">nothing</p> : <LongText text={shown} code />}
    </figure>
  );
}

const shownCharacters = 3000;

/** Long texts begin folded: a page of them stays a page. */
export function LongText({ text, code = false }: { readonly text: string; readonly code?: boolean }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && text.length > shownCharacters * 1.2;
  const shown = cut ? `${text.slice(0, shownCharacters)}…` : text;
  return (
    <>
      {code ? (
        <pre tabIndex={shown.includes("\n") ? 0 : undefined}>
          <code>{shown}</code>
        </pre>
      ) : (
        <p className="text">{shown}</p>
      )}
      {cut && (
        <Button className="button small" onPress={() => setWhole(true)}>
          Show all {formatCount(text.length)} characters
        </Button>
      )}
    </>
  );
}
