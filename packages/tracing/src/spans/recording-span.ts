/**
 * Job: a span that is recorded.
 * Owns: its record until the end; then the sink has it.
 * I1. After `end` nothing changes the record.
 * I2. An error's text enters a status or an event only as the content policy allows.
 */
import { SpanStatusCode } from "@opentelemetry/api";
import type {
  Attributes,
  AttributeValue,
  Context,
  Exception,
  Link,
  SpanContext,
  SpanKind,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import { describeException, statusText } from "../content/error-text.ts";
import { needsRedaction, redactText, redactionCount } from "../content/redaction.ts";
import type { DeferredText } from "../content/deferred-text.ts";
import { countRedacted } from "../content/span-content.ts";
import type { SpanContent, TakesRecorded } from "../content/span-content.ts";
import { contextWithSpan } from "../context/context-with-span.ts";
import type { Outcome } from "../vocabulary.ts";
import { Attr, EventNames } from "../vocabulary.ts";
import { now, toEpochMs } from "./clock.ts";
import { rootEnded } from "./last-trace.ts";
import { setDocuments, setInputs, setOutcome, setOutputs, setTokenUsage } from "./span-values.ts";
import { acceptAttributes, acceptRecorded, acceptValue, countPlain, redactValue } from "./span-limits.ts";
import type { SpanLimits, StoredValue } from "./span-limits.ts";
import type { OpenRecord, SpanRecord, SpanSink } from "./span-record.ts";
import type { TokenUsage, WeftSpan } from "./weft-span.ts";

export class RecordingSpan implements WeftSpan, TakesRecorded {
  content: SpanContent | undefined;
  readonly #record: OpenRecord;
  readonly #spanContext: SpanContext;
  readonly #parentContext: Context;
  readonly #limits: SpanLimits;
  readonly #sink: Pick<SpanSink, "onEnd">;
  #attributeCount = 0;
  #context: Context | undefined;

  constructor(
    record: OpenRecord,
    spanContext: SpanContext,
    parentContext: Context,
    limits: SpanLimits,
    sink: Pick<SpanSink, "onEnd">,
  ) {
    this.#record = record;
    this.#spanContext = spanContext;
    this.#parentContext = parentContext;
    this.#limits = limits;
    this.#sink = sink;
  }

  get traceId(): string {
    return this.#record.traceId;
  }

  get spanId(): string {
    return this.#record.spanId;
  }

  get kind(): SpanKind {
    return this.#record.kind;
  }

  get context(): Context {
    return (this.#context ??= contextWithSpan(this.#parentContext, this));
  }

  /** The record so far, for whoever shows running spans. */
  get record(): SpanRecord {
    return this.#record;
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  isRecording(): boolean {
    return this.#record.endTime === 0;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (needsRedaction(key)) this.#setRedacted(key, value);
    else this.#keep(key, acceptValue(value, this.#limits));
    return this;
  }

  /** What attribute `key` is so far. */
  recorded(key: string): unknown {
    return this.#record.attributes[key];
  }

  /** Sets what needs no redaction, or has had it, and belongs to the span from now on; also a `DeferredText`. */
  setRecorded(key: string, value: StoredValue | DeferredText): void {
    this.#keep(key, acceptRecorded(value, this.#limits));
  }

  #keep(key: string, kept: StoredValue | DeferredText | undefined): void {
    const record = this.#record;
    if (record.endTime !== 0 || key === "" || kept === undefined) return;
    if (!Object.hasOwn(record.attributes, key)) {
      if (this.#attributeCount >= this.#limits.attributeCount) {
        record.droppedAttributes += 1;
        return;
      }
      this.#attributeCount += 1;
    }
    (record.attributes as Record<string, StoredValue | DeferredText>)[key] = kept;
  }

  #setRedacted(key: string, value: AttributeValue): void {
    if (this.#record.endTime !== 0) return;
    const before = redactionCount();
    this.#keep(key, acceptValue(redactValue(key, value), this.#limits));
    countRedacted(this, redactionCount() - before);
  }

  /** What it has from its start; of one key `attributes` count, not `inherited`. */
  begin(attributes: Attributes | undefined, inherited: Attributes): void {
    if (attributes === undefined) return void this.setAttributes(inherited);
    const count = countPlain(attributes, this.#limits);
    if (count === 0) return void this.setAttributes(inherited).setAttributes(attributes);
    // All at once costs a fraction of one by one.
    this.#record.attributes = { ...attributes };
    this.#attributeCount = count;
    for (const key in inherited) {
      const value = inherited[key];
      if (value !== undefined && !Object.hasOwn(attributes, key)) this.setAttribute(key, value);
    }
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) {
      const value = attributes[key];
      if (value !== undefined) this.setAttribute(key, value);
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    const record = this.#record;
    if (record.endTime !== 0) return this;
    const isTime = isTimeInput(attributesOrTime);
    const at = isTime ? attributesOrTime : time;
    const kept = acceptAttributes(
      isTime ? undefined : attributesOrTime,
      this.#limits.attributesPerEvent,
      this.#limits,
    );
    const event = {
      name,
      time: at === undefined ? now() : toEpochMs(at),
      attributes: kept.attributes,
      droppedAttributes: kept.dropped,
    };
    if (record.events.length >= this.#limits.eventCount) record.droppedEvents += 1;
    record.events = withLast(record.events, event, this.#limits.eventCount);
    return this;
  }

  addLink(link: Link): this {
    const record = this.#record;
    if (record.endTime !== 0) return this;
    const { attributes, dropped } = acceptAttributes(
      link.attributes,
      this.#limits.attributesPerLink,
      this.#limits,
    );
    const kept = { context: link.context, attributes, droppedAttributes: dropped };
    if (record.links.length >= this.#limits.linkCount) record.droppedLinks += 1;
    record.links = withLast(record.links, kept, this.#limits.linkCount);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** OK is final; a description belongs to an error only. https://opentelemetry.io/docs/specs/otel/trace/api/#set-status */
  setStatus(status: SpanStatus): this {
    const record = this.#record;
    const { code, message } = status;
    if (record.endTime !== 0 || code === SpanStatusCode.UNSET || record.status.code === SpanStatusCode.OK)
      return this;
    const text =
      code === SpanStatusCode.ERROR && typeof message === "string" ? statusText(message) : undefined;
    record.status = text === undefined ? { code } : { code, message: text };
    return this;
  }

  updateName(name: string): this {
    if (this.#record.endTime === 0) this.#record.name = redactText(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.addEvent(EventNames.exception, describeException(exception), time);
  }

  end(endTime?: TimeInput): void {
    const record = this.#record;
    if (record.endTime !== 0) return;
    const end = endTime === undefined ? now() : toEpochMs(endTime);
    record.endTime = Math.max(end, record.startTime);
    if (record.parentSpanId === undefined) rootEnded();
    this.#sink.onEnd(record);
  }

  setInputs(inputs: unknown): this {
    setInputs(this, inputs);
    return this;
  }

  setOutputs(outputs: unknown): this {
    if (!setDocuments(this, this.#record.attributes[Attr.spanType], outputs)) setOutputs(this, outputs);
    return this;
  }

  setTokenUsage(usage: TokenUsage): this {
    setTokenUsage(this, usage);
    return this;
  }

  outcome(outcome: Outcome): this {
    setOutcome(this, outcome);
    return this;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** Of a full list the oldest member leaves: how a span ended says more than how it began. */
function withLast<T>(list: readonly T[], item: T, limit: number): readonly T[] {
  if (limit === 0) return list;
  if (list.length === 0) return [item];
  const own = list as T[];
  if (own.length >= limit) own.shift();
  own.push(item);
  return own;
}

function isTimeInput(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
