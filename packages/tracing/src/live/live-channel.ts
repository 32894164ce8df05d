/**
 * Job: tell a Weft collector what runs here: starts of spans that are still open, text so far, and that we live.
 * Owns: which open spans the collector knows of.
 * Does not own: ended spans; they go out as OTLP.
 * I1. A span that ends before the next tick leaves no start.
 * I2. Nothing of this is retried for long, holds the process, or fails it: it is news, and news gets old.
 * I3. A collector that was started anew is told everything again: its answer says which one it is.
 */
import type { Attributes } from "@opentelemetry/api";
import type { LiveReport, LiveText } from "../http.ts";
import { estimateBytes } from "../export/estimate-bytes.ts";
import { HttpSender } from "../export/http-sender.ts";
import type { SenderOptions, SendResult } from "../export/http-sender.ts";
import { toOtlpTraces } from "../export/otlp-json.ts";
import { now } from "../spans/clock.ts";
import { changeRecord } from "../spans/change-record.ts";
import type { SpanRecord, SpanSink } from "../spans/span-record.ts";
import type { PartialTextTaker } from "./partial-text.ts";

export interface LiveChannelOptions {
  /** The collector's address, without a slash at its end. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly certificates?: SenderOptions["certificates"];
  readonly instance: string;
  readonly service: string;
  readonly resource: Attributes;
  readonly schemaUrl: string;
  /** Spans that did not get out so far. */
  readonly dropped: () => number;
  /** The spans are another SDK's: nobody calls at their ends, and nothing can be said of their number. Default false. */
  readonly foreign?: boolean;
}

const tickMs = 250;
const ticksPerHeartbeat = 4;
const timeoutMsOfOne = 2_000;
/** What says that it is no Weft collector is asked again after so many ticks. */
const ticksUntilAskedAgain = 240;
/** After a report that nobody took, so that ended spans do not wait for it every time. */
const ticksOfSilence = 4;
const maxStarts = 512;
const maxStartBytes = 16 * 1024;
const maxTold = 20_000;
const maxTextLength = 64 * 1024;

interface Text {
  readonly traceId: string;
  readonly spanId: string;
  text: string;
  sent: number;
}

export class LiveChannel implements SpanSink, PartialTextTaker {
  readonly #options: LiveChannelOptions;
  readonly #health: HttpSender;
  readonly #sender: HttpSender;
  readonly #fresh = new Set<SpanRecord>();
  readonly #told = new Set<SpanRecord>();
  readonly #texts = new Map<string, Text>();
  readonly #timer: NodeJS.Timeout;
  readonly #closed = new AbortController();
  #adopted: string[] = [];
  #ended = 0;
  #ticks = 0;
  #isCollector: boolean | undefined;
  #epoch = "";
  #sending: Promise<void> | undefined;
  /** Until this tick nothing is tried: nobody answered. */
  #silentUntil = 0;
  /** Said, and nothing else since: a process that has nothing more to say can end. */
  #saidGoodbye = false;

  constructor(options: LiveChannelOptions) {
    this.#options = options;
    const common = {
      headers: options.headers,
      gzip: false,
      timeoutMs: timeoutMsOfOne,
      certificates: options.certificates,
    };
    this.#health = new HttpSender({ ...common, url: `${options.base}/healthz`, method: "GET" });
    this.#sender = new HttpSender({
      ...common,
      url: `${options.base}/api/live`,
      contentType: "application/json",
    });
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  onStart(record: SpanRecord): void {
    this.#fresh.add(record);
  }

  onEnd(record: SpanRecord): void {
    this.#ended += 1;
    if (this.#fresh.delete(record)) return;
    this.#told.delete(record);
    if (this.#texts.size > 0) this.#texts.delete(record.spanId);
  }

  take(traceId: string, spanId: string, text: string): void {
    const known = this.#texts.get(spanId) ?? { traceId, spanId, text: "", sent: 0 };
    if (known.text.length < maxTextLength) known.text += text;
    this.#texts.set(spanId, known);
  }

  /** The spool of another process was taken over: what it had open is lost. */
  adopted(instance: string): void {
    this.#adopted.push(instance);
  }

  /** Before ended spans leave: a parent that is still open is told first. */
  async announce(): Promise<void> {
    if (this.#fresh.size === 0 || this.#isCollector === false || this.#ticks < this.#silentUntil) return;
    await this.#send(false);
  }

  /** The process is about to end in order. Should it go on after all, its next word says so. */
  async goodbye(timeoutMs: number): Promise<void> {
    if (this.#isCollector !== true || this.#saidGoodbye || this.#closed.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Not unreferenced: it is what holds the process until the word is out.
    const timer = setTimeout(resolve, Math.min(timeoutMs, timeoutMsOfOne));
    void this.#sayGoodbye().then(resolve);
    await promise;
    clearTimeout(timer);
  }

  async #sayGoodbye(): Promise<void> {
    await this.#sending;
    await this.#post({ ...this.#heartbeat(), goodbye: true });
    this.#saidGoodbye = true;
  }

  /** After the last word. */
  async close(timeoutMs: number): Promise<void> {
    clearInterval(this.#timer);
    await this.goodbye(timeoutMs);
    this.#closed.abort();
    this.#health.close();
    this.#sender.close();
  }

  #tick(): void {
    this.#ticks += 1;
    if (this.#options.foreign === true) this.#forgetEnded();
    if (this.#isCollector === false && this.#ticks % ticksUntilAskedAgain === 0)
      this.#isCollector = undefined;
    if (this.#ticks < this.#silentUntil) return;
    const beat = this.#ticks % ticksPerHeartbeat === 0;
    if (beat || this.#fresh.size > 0 || this.#hasText()) void this.#send(beat);
  }

  #forgetEnded(): void {
    for (const records of [this.#fresh, this.#told]) {
      for (const record of records) {
        if (record.endTime === 0) continue;
        records.delete(record);
        this.#texts.delete(record.spanId);
      }
    }
  }

  #hasText(): boolean {
    for (const { text, sent } of this.#texts.values()) if (text.length > sent) return true;
    return false;
  }

  #send(beat: boolean): Promise<void> {
    if (this.#sending !== undefined) return this.#sending;
    this.#sending = this.#sendAll(beat).finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #sendAll(beat: boolean): Promise<void> {
    this.#isCollector ??= await this.#ask();
    if (this.#isCollector === undefined) this.#silentUntil = this.#ticks + ticksOfSilence;
    if (this.#isCollector !== true) return this.#forgetFresh();
    for (let first = beat; first || this.#fresh.size > 0 || this.#hasText(); first = false) {
      this.#saidGoodbye = false;
      const starts = this.#takeFresh();
      const texts = this.#takeTexts();
      const adopted = this.#adopted.splice(0);
      const delivered = await this.#post({
        ...this.#heartbeat(),
        ...(starts.length === 0 ? {} : { starts: this.#toOtlp(starts) }),
        ...(texts.length === 0 ? {} : { texts }),
        ...(adopted.length === 0 ? {} : { adopted }),
      });
      if (!delivered) {
        this.#silentUntil = this.#ticks + ticksOfSilence;
        this.#adopted.push(...adopted);
        for (const record of starts) if (record.endTime === 0) this.#fresh.add(record);
        return;
      }
    }
  }

  #heartbeat(): LiveReport {
    const { instance, service, dropped } = this.#options;
    return { instance, service, clock: now(), ended: this.#ended, dropped: dropped() };
  }

  /** Whether it is a Weft collector; undefined when nobody answers. */
  async #ask(): Promise<boolean | undefined> {
    const result = await this.#health.send([], this.#closed.signal);
    if (result.kind === "retry") return undefined;
    if (result.kind !== "delivered") return false;
    return typeof parse(result.body).weft === "string";
  }

  async #post(report: LiveReport): Promise<boolean> {
    const result: SendResult = await this.#sender.send(
      [Buffer.from(JSON.stringify(report))],
      this.#closed.signal,
    );
    if (result.kind === "refused") this.#isCollector = false;
    if (result.kind !== "delivered") return result.kind === "unreadable";
    const { epoch } = parse(result.body);
    this.#noteEpoch(typeof epoch === "string" ? epoch : "");
    return true;
  }

  #noteEpoch(epoch: string): void {
    if (this.#epoch !== "" && epoch !== this.#epoch) {
      for (const record of this.#told) this.#fresh.add(record);
      this.#told.clear();
      for (const text of this.#texts.values()) text.sent = 0;
    }
    this.#epoch = epoch;
  }

  #takeFresh(): readonly SpanRecord[] {
    const taken: SpanRecord[] = [];
    for (const record of this.#fresh) {
      if (taken.length >= maxStarts) break;
      this.#fresh.delete(record);
      taken.push(record);
      if (this.#told.size < maxTold) this.#told.add(record);
    }
    return taken;
  }

  /** Without a reader the open spans need not be remembered as news. */
  #forgetFresh(): void {
    if (this.#isCollector === undefined && this.#fresh.size <= maxTold) return;
    this.#fresh.clear();
  }

  #takeTexts(): readonly LiveText[] {
    const taken: LiveText[] = [];
    for (const text of this.#texts.values()) {
      if (text.text.length <= text.sent) continue;
      const { traceId, spanId } = text;
      taken.push({ traceId, spanId, at: text.sent, text: text.text.slice(text.sent) });
      text.sent = text.text.length;
    }
    return taken;
  }

  #toOtlp(records: readonly SpanRecord[]): NonNullable<LiveReport["starts"]> {
    const { resource, schemaUrl } = this.#options;
    // One that ended meanwhile is still only a start here.
    const news = records.map((record) =>
      changeRecord(record, {
        endTime: 0,
        ...(estimateBytes(record) <= maxStartBytes ? {} : { attributes: {}, events: [] }),
      }),
    );
    return toOtlpTraces(news, resource, schemaUrl);
  }
}

function parse(body: Buffer): { readonly weft?: unknown; readonly epoch?: unknown } {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
