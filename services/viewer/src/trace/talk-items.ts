/** The talk of a trace: what was said, and between the messages who was chosen to speak. */
import type { TranscriptMessage } from "@weft/tracing/http";
import { SpanTypes } from "@weft/tracing/vocabulary";
import { SpanFlags } from "../data/skeleton.ts";
import type { Skeleton } from "../data/skeleton.ts";

export type TalkItem = SaidItem | SelectionItem;

export interface SaidItem {
  readonly type: "message";
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The same speaker goes on without a word, with tools: it needs no head of its own. */
  readonly continues: boolean;
  readonly message: TranscriptMessage;
}

export interface SelectionItem {
  readonly type: "selection";
  readonly key: string;
  readonly time: number;
  readonly spanId: string;
  readonly name: string;
}

/** In time order; a selection stands where it ended, before the message it led to. */
export function buildTalk(skeleton: Skeleton, messages: readonly TranscriptMessage[]): readonly TalkItem[] {
  const spoken = messages.map((message, index): SaidItem => {
    return { type: "message", key: `m${index}`, time: Date.parse(message.time), continues: false, message };
  });
  const selections = selectionSpans(skeleton).map((index): SelectionItem => {
    const time = skeleton.startTime + skeleton.start(index) + skeleton.duration(index);
    return {
      type: "selection",
      key: skeleton.spanId(index),
      time,
      spanId: skeleton.spanId(index),
      name: skeleton.shape(index).name,
    };
  });
  return mergeByTime(
    spoken,
    selections.sort((a, b) => a.time - b.time),
  );
}

/** Messages keep the transcript's own order. */
function mergeByTime(spoken: readonly SaidItem[], selections: readonly SelectionItem[]): readonly TalkItem[] {
  const items: TalkItem[] = [];
  let next = 0;
  for (const item of spoken) {
    // The transcript's times are cut to the millisecond: a selection within it came before.
    for (; next < selections.length && (selections[next]?.time ?? 0) < item.time + 1; next++)
      items.push(...selections.slice(next, next + 1));
    items.push(goesOn(items.at(-1), item) ? { ...item, continues: true } : item);
  }
  return [...items, ...selections.slice(next)];
}

function goesOn(before: TalkItem | undefined, item: SaidItem): boolean {
  if (before?.type !== "message") return false;
  const { from, service, text, missing, toolCalls = [], toolResponses = [] } = item.message;
  const onlyTools = text === "" && missing !== true && toolCalls.length + toolResponses.length > 0;
  return onlyTools && before.message.from === from && before.message.service === service;
}

function selectionSpans(skeleton: Skeleton): readonly number[] {
  const indexes: number[] = [];
  for (let index = 0; index < skeleton.count; index++) {
    const open = (skeleton.flags(index) & SpanFlags.open) !== 0;
    if (!open && skeleton.shape(index).type === SpanTypes.speakerSelection) indexes.push(index);
  }
  return indexes;
}
