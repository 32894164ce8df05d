/**
 * What a model was sent, put together again from the whole trace: `weft.context` on its span names all of it in order, the spans that
 * append say which message stands at which place, and each text stands once, wherever it was made or first received.
 */
import type { OtlpTraces } from "../http.ts";
import { Attr, Outcomes } from "../vocabulary.ts";
import { Histories, parseAppend } from "./histories.ts";
import { cutOf, itemsOf, listOf, numberOf, spansOf, textOf, textsOf } from "./trace-texts.ts";
import type { Recorded, TraceSpan } from "./trace-texts.ts";

/**
 * Why a text is not there. `off`: its service records no content. `cut`: its span had no room. `lost`: the span that held it did not
 * arrive. `not_sampled`: nobody in the trace knows the text, and nothing says that a span is missing: its service did not record it.
 */
export type MissingReason = "off" | "cut" | "lost" | "not_sampled";

export interface ViewItem {
  /** The message's id; undefined when the span that named it is missing. */
  readonly id: string | undefined;
  /** Where it stands in a history, `h1:3`; undefined when the context names it by id. */
  readonly place: string | undefined;
  /** As recorded: a message or an instruction of the GenAI schema, or `{ definitions }` of tools. */
  readonly recorded?: Recorded;
  /** Bytes that the record lacks at its end. */
  readonly cutBytes?: number;
  /** Texts in it that redaction changed. */
  readonly redacted?: number;
  readonly missing?: { readonly reason: MissingReason; readonly service?: string };
}

export interface ModelView {
  /** In the order the model was sent them. */
  readonly items: readonly ViewItem[];
  /** Whether every text is there, uncut and unredacted. */
  readonly complete: boolean;
}

/** Views of many calls of one trace share one reading of it. */
export class TraceViews {
  readonly #spans: readonly TraceSpan[];
  readonly #texts: ReadonlyMap<string, Recorded>;
  readonly #histories = new Histories<TraceSpan>();
  readonly #appendedBy = new Map<string, TraceSpan>();
  readonly #spansMissing: boolean;

  constructor(trace: OtlpTraces) {
    this.#spans = spansOf(trace);
    this.#texts = textsOf(this.#spans);
    for (const by of this.#spans) {
      for (const entry of listOf(by.span.attributes, Attr.historyAppends)) {
        this.#histories.add(entry, by);
        const append = parseAppend(entry);
        if (append !== undefined) this.#appendedBy.set(append.messageId, by);
      }
    }
    this.#spansMissing = saysThatSpansAreMissing(this.#spans);
  }

  /** Undefined when the trace has no such span, or it says nothing of what it was sent. */
  of(spanId: string): ModelView | undefined {
    const call = this.#spans.find(({ span }) => span.spanId === spanId);
    if (call === undefined) return undefined;
    const context = listOf(call.span.attributes, Attr.context);
    const items = context.length > 0 ? context.flatMap((entry) => this.#entry(entry)) : ownInput(call);
    if (items.length === 0) return undefined;
    return { items, complete: items.every(isWhole) };
  }

  #entry(entry: string): readonly ViewItem[] {
    return Array.from(this.#histories.named(entry), ({ messageId, place }): ViewItem => {
      if (messageId !== undefined) return this.#item(messageId, place);
      // Whoever names a place records: the span that filled it is what did not arrive.
      return { id: undefined, place, missing: { reason: "lost" } };
    });
  }

  #item(id: string, place: string | undefined): ViewItem {
    const recorded = this.#texts.get(id);
    if (recorded !== undefined) return { id, place, ...noted(recorded) };
    const by = this.#appendedBy.get(id) ?? this.#namedBy(id);
    if (by === undefined) {
      return { id, place, missing: { reason: this.#spansMissing ? "lost" : "not_sampled" } };
    }
    const { service, policy, span } = by;
    if (policy === "none") return { id, place, missing: { reason: "off", service } };
    const cut = numberOf(span.attributes, Attr.contentCutItems) > 0;
    return { id, place, missing: { reason: cut ? "cut" : "lost", service } };
  }

  /** System texts and tool sets are named by the spans that use them. */
  #namedBy(id: string): TraceSpan | undefined {
    return this.#spans.find(({ span }) =>
      [Attr.systemId, Attr.toolsId].some((key) => textOf(span.attributes, key) === id),
    );
  }
}

/** What the model behind the span `spanId` was sent. For several calls of one trace make one `TraceViews`. */
export function rebuildView(trace: OtlpTraces, spanId: string): ModelView | undefined {
  return new TraceViews(trace).of(spanId);
}

/** Producers that know no `weft.context`, and `full`, put all of it on the call itself. */
function ownInput({ span }: TraceSpan): readonly ViewItem[] {
  const keys = [Attr.systemInstructions, Attr.inputMessages];
  return keys.flatMap((key) =>
    itemsOf(span, key).map((recorded) => {
      const { id } = recorded;
      return { id: typeof id === "string" ? id : undefined, place: undefined, ...noted(recorded) };
    }),
  );
}

function noted(recorded: Recorded): Pick<ViewItem, "recorded" | "cutBytes" | "redacted"> {
  const redacted = Number(recorded[Attr.contentRedacted] ?? 0);
  return {
    recorded,
    ...(Attr.contentCutBytes in recorded ? { cutBytes: cutOf(recorded) } : {}),
    ...(redacted > 0 ? { redacted } : {}),
  };
}

function isWhole(item: ViewItem): boolean {
  return item.recorded !== undefined && item.cutBytes === undefined && item.redacted === undefined;
}

/** A parent that is nowhere, a closing that says `lost`, or a count of dropped spans. */
function saysThatSpansAreMissing(spans: readonly TraceSpan[]): boolean {
  const ids = new Set(spans.map(({ span }) => span.spanId));
  return spans.some(({ span }) => {
    const { parentSpanId = "", attributes } = span;
    return (
      (parentSpanId !== "" && !ids.has(parentSpanId)) ||
      textOf(attributes, Attr.outcome) === Outcomes.lost ||
      numberOf(attributes, Attr.droppedSpans) > 0
    );
  });
}
