import { useEffect, useMemo, useState } from "react";
import type { Ref } from "react";
import { Button } from "react-aria-components/Button";
import type { Transcript, TranscriptMessage } from "@weft/tracing/http";
import { fromTranscript } from "../data/message.ts";
import type { Result } from "../data/result.ts";
import { parseSelection } from "../data/selection.ts";
import { isContentOff } from "../data/span-facts.ts";
import type { Skeleton } from "../data/skeleton.ts";
import type { SpanDetailsStore } from "../data/span-details-store.ts";
import { MessageBody } from "../ui/message-body.tsx";
import { formatClock } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { FailureNotice, Loading, Notice } from "../ui/notice.tsx";
import { ServiceChip, useTone } from "../ui/service-chip.tsx";
import { useStore } from "../ui/use-store.ts";
import { buildTalk } from "./talk-items.ts";
import type { SelectionItem } from "./talk-items.ts";

export interface TalkProps {
  readonly regionRef: Ref<HTMLDivElement>;
  readonly skeleton: Skeleton;
  readonly transcript: Result<Transcript> | undefined;
  readonly details: SpanDetailsStore;
  readonly selected: string | undefined;
  readonly onShow: (spanId: string) => void;
  readonly onRetry: () => void;
}

const itemsAtOnce = 200;

export function Talk({ regionRef, skeleton, transcript, details, selected, onShow, onRetry }: TalkProps) {
  const messages = transcript?.ok === true ? transcript.value.messages : undefined;
  const items = useMemo(
    () => (messages === undefined ? [] : buildTalk(skeleton, messages)),
    [skeleton, messages],
  );
  const [limit, setLimit] = useState(itemsAtOnce);
  if (transcript === undefined) return <Loading what="the transcript" />;
  if (!transcript.ok) return <FailureNotice heading="h2" failure={transcript.failure} onRetry={onRetry} />;
  if (items.length === 0) {
    return (
      <Notice heading="h2" title="Nobody has spoken">
        <p>
          No span of this trace says a message. Its services may not trace conversations, or their turns have
          not ended.
        </p>
      </Notice>
    );
  }
  return (
    <div ref={regionRef} className="talk-scroll" tabIndex={0} role="region" aria-label="Transcript">
      <ol className="talk">
        {items.slice(0, limit).map((item) => (
          <li key={item.key} data-continues={item.type === "message" && item.continues}>
            {item.type === "message" ? (
              <Said
                details={details}
                continues={item.continues}
                message={item.message}
                time={item.time}
                selected={item.message.spanId === selected}
                onShow={onShow}
              />
            ) : (
              <Chosen item={item} details={details} selected={item.spanId === selected} onShow={onShow} />
            )}
          </li>
        ))}
      </ol>
      {items.length > limit && (
        <Button className="button more-talk" onPress={() => setLimit(limit + itemsAtOnce)}>
          Show {Math.min(itemsAtOnce, items.length - limit)} more of{" "}
          {(items.length - limit).toLocaleString("en")}
        </Button>
      )}
    </div>
  );
}

interface SaidProps {
  readonly details: SpanDetailsStore;
  readonly continues: boolean;
  readonly message: TranscriptMessage;
  readonly time: number;
  readonly selected: boolean;
  readonly onShow: (spanId: string) => void;
}

function Said({ details, continues, message, time, selected, onShow }: SaidProps) {
  const tone = useTone(message.service);
  const who = message.from || message.role || "unknown";
  const shown = useMemo(() => fromTranscript(message), [message]);
  const off = useContentOff(details, message);
  const button = { "aria-label": `${who}: show the span`, onPress: () => onShow(message.spanId) };
  return (
    <article className="said tone" style={tone} data-selected={selected} data-continues={continues}>
      {continues ? (
        <Button className="icon-button show-span" {...button}>
          <Icon name="chevron" size={14} />
        </Button>
      ) : (
        <header>
          <Button className="who" {...button}>
            {who}
          </Button>
          <ServiceChip service={message.service} />
          <time dateTime={message.time}>{formatClock(time)}</time>
        </header>
      )}
      <MessageBody message={shown} service={message.service} off={off} />
    </article>
  );
}

/** Whether a text is missing because its service records none. */
function useContentOff(details: SpanDetailsStore, message: TranscriptMessage): boolean {
  const { spanId } = message;
  const missing = message.missing === true;
  const detail = useStore(details).get(spanId);
  useEffect(() => {
    if (missing) details.ask(spanId);
  }, [details, missing, spanId]);
  return missing && detail?.status === "ready" && isContentOff(detail.detail);
}

interface ChosenProps {
  readonly item: SelectionItem;
  readonly details: SpanDetailsStore;
  readonly selected: boolean;
  readonly onShow: (spanId: string) => void;
}

/** Between two messages: who was chosen to speak next. */
function Chosen({ item, details, selected, onShow }: ChosenProps) {
  const { spanId, name } = item;
  const detail = useStore(details).get(spanId);
  useEffect(() => details.ask(spanId), [details, spanId]);
  const selection = useMemo(
    () => (detail?.status === "ready" ? parseSelection(detail.detail.span) : undefined),
    [detail],
  );
  return (
    <Button className="chosen" data-selected={selected} onPress={() => onShow(spanId)}>
      <Icon name="speaker_selection" size={14} />
      {selection === undefined ? (
        <span>{name}</span>
      ) : (
        <span>
          <strong>{selection.chosen || "nobody"}</strong> speaks next
          <span className="chosen-how">
            {selection.method}
            {selection.candidates.length > 0 && `, of ${selection.candidates.length}`}
          </span>
        </span>
      )}
    </Button>
  );
}
