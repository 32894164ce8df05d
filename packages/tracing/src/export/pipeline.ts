/**
 * Job: everything between an ended span and its destinations.
 * Owns: queues or spool, deliveries, the live channel.
 * Does not own: when it is flushed.
 * I1. With a spool every span passes through it, once, whatever the number of destinations; without one each destination has a queue.
 */
import type { Attributes } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { LiveChannel } from "../live/live-channel.ts";
import { setPartialTextTaker } from "../live/partial-text.ts";
import type { SpanRecord, SpanSink } from "../spans/span-record.ts";
import type { Destination } from "../start/destinations.ts";
import { Delivery } from "./delivery.ts";
import { DropLedger } from "./drop-ledger.ts";
import { HttpSender } from "./http-sender.ts";
import { JsonSender } from "./json-sender.ts";
import type { Sender } from "./json-sender.ts";
import { otlpJsonWriter } from "./otlp-json.ts";
import { encodeResource, OtlpWriter } from "./otlp-writer.ts";
import { reportMetrics } from "./self-metrics.ts";
import { SpanEncoder } from "./span-encoder.ts";
import type { QueueBounds, RequestWriter } from "./span-queue.ts";
import { SpanQueue } from "./span-queue.ts";
import { SpoolStage } from "./spool-stage.ts";
import type { SpoolSettings } from "./spool-stage.ts";
import type { DestinationStats, TracingStats } from "./tracing-stats.ts";

export interface PipelineOptions {
  readonly destinations: readonly Destination[];
  readonly resource: Attributes;
  readonly schemaUrl: string;
  readonly queue: QueueBounds;
  readonly spool?: SpoolSettings | undefined;
  /** Milliseconds until spans that nobody takes are given up, without a spool. */
  readonly giveUpMs: number;
  readonly warn: (message: string) => void;
  /** As `warn`, at once: the process ends. */
  readonly lastWarn: (message: string) => void;
}

interface Lane {
  readonly destination: Destination;
  readonly ledger: DropLedger;
  readonly delivery: Delivery;
  readonly queue: SpanQueue | undefined;
}

export class Pipeline implements SpanSink {
  readonly onStart: ((record: SpanRecord) => void) | undefined;
  readonly #options: PipelineOptions;
  readonly #live: LiveChannel | undefined;
  readonly #stage: SpoolStage | undefined;
  readonly #lanes: readonly Lane[];
  /** Losses before a span reaches a lane. */
  readonly #ledger: DropLedger;
  readonly #stopMetrics: () => void;
  #ended = 0;
  #finished = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#ledger = new DropLedger(options.warn);
    this.#live = this.#openLive();
    this.#stage = this.#openSpool();
    this.#lanes = options.destinations.map((destination) => this.#openLane(destination));
    const starters = [this.#live, this.#stage].filter((sink) => sink !== undefined);
    if (starters.length > 0) {
      this.onStart = (record) => {
        for (const sink of starters) sink.onStart(record);
      };
    }
    this.#stage?.adopt(
      (url) => this.#lanes.find(({ destination }) => destination.url === url)?.destination,
      (instance) => this.#live?.adopted(instance),
    );
    setPartialTextTaker(this.#live);
    this.#stopMetrics = reportMetrics(() => this.stats());
  }

  get hasSpool(): boolean {
    return this.#stage !== undefined;
  }

  onEnd(record: SpanRecord): void {
    this.#ended += 1;
    this.#live?.onEnd(record);
    if (this.#stage !== undefined) return this.#stage.onEnd(record);
    for (const { queue, delivery } of this.#lanes) {
      if (queue === undefined) continue;
      queue.offer(record);
      delivery.wake(queue.hasBatch);
    }
  }

  /** True when everything that ended before the call is delivered. */
  async flush(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    await this.#stage?.settled(timeoutMs);
    const left = (): number => Math.max(1, deadline - performance.now());
    const results = await Promise.all([
      ...this.#lanes.map(({ delivery }) => delivery.flush(left())),
      this.#stage?.flushAdopted(left()) ?? true,
    ]);
    return results.every(Boolean);
  }

  /** As `flush`, when the process is about to end: whoever watches is told. */
  async lastFlush(timeoutMs: number): Promise<boolean> {
    const start = performance.now();
    const done = await this.flush(timeoutMs);
    await this.#live?.goodbye(Math.max(100, timeoutMs - (performance.now() - start)));
    return done;
  }

  async shutdown(timeoutMs: number): Promise<void> {
    const start = performance.now();
    await this.#stage?.settled(timeoutMs);
    const left = Math.max(1, timeoutMs - (performance.now() - start));
    await Promise.all([
      ...this.#lanes.map(({ delivery }) => delivery.shutdown(left)),
      this.#stage?.shutdownAdopted(left),
    ]);
    setPartialTextTaker(undefined);
    this.#stopMetrics();
    await this.#live?.close(Math.max(100, timeoutMs - (performance.now() - start)));
    this.finish();
  }

  /** What can be done without waiting: the process ends now. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#stage !== undefined) return this.#stage.finish(this.#options.lastWarn);
    for (const { queue, ledger } of this.#lanes) {
      const left = queue?.pending ?? 0;
      if (left === 0) continue;
      const why = `the process ended before ${String(left)} of them were delivered; set a spool to keep them`;
      ledger.add(left, why, this.#options.lastWarn);
    }
  }

  stats(): TracingStats {
    const destinations = this.#lanes.map((lane): DestinationStats => {
      const { delivered, retries } = lane.delivery.counts;
      return {
        url: lane.destination.url,
        delivered,
        retries,
        queued: lane.delivery.pending,
        dropped: lane.ledger.total,
      };
    });
    const stage = this.#stage?.stats();
    return {
      ended: this.#ended,
      dropped: this.#dropped(),
      destinations,
      ...(stage === undefined ? {} : { spool: stage }),
    };
  }

  #dropped(): number {
    return this.#ledger.total + Math.max(0, ...this.#lanes.map(({ ledger }) => ledger.total));
  }

  #openLane(destination: Destination): Lane {
    const { resource, schemaUrl, queue: bounds, warn, giveUpMs } = this.#options;
    const ledger = new DropLedger(warn);
    const queue =
      this.#stage === undefined
        ? new SpanQueue(openWriter(destination, resource, schemaUrl), bounds, ledger)
        : undefined;
    const source = queue ?? this.#stage?.cursor(destination.url);
    if (source === undefined) throw new RangeError("no spool cursor");
    const delivery = new Delivery({
      source,
      sender: this.#stage === undefined ? openSender(destination) : openSpoolSender(destination),
      ledger,
      name: nameOf(destination),
      patient: this.#stage !== undefined,
      giveUpMs,
      warn,
      before: destination.kind === "collector" ? () => this.#announce() : undefined,
    });
    this.#stage?.onAppended(() => delivery.wake(false));
    return { destination, ledger, delivery, queue };
  }

  async #announce(): Promise<void> {
    await this.#live?.announce();
  }

  #openLive(): LiveChannel | undefined {
    const { destinations, resource, schemaUrl } = this.#options;
    const collector = destinations.find(({ kind }) => kind === "collector");
    if (collector === undefined) return undefined;
    return new LiveChannel({
      ...collector,
      instance: String(resource[Attr.serviceInstanceId]),
      service: String(resource[Attr.serviceName]),
      resource,
      schemaUrl,
      dropped: () => this.#dropped(),
    });
  }

  #openSpool(): SpoolStage | undefined {
    const { spool, destinations, resource, schemaUrl, queue, warn } = this.#options;
    if (spool === undefined || destinations.length === 0) return undefined;
    const identity = {
      instance: String(resource[Attr.serviceInstanceId]),
      destinations: destinations.map(({ url }) => url),
      schemaUrl,
      resource: encodeResource(resource).toString("base64"),
    };
    return SpoolStage.open(spool, identity, {
      ledger: this.#ledger,
      maxMemoryBytes: queue.maxBytes,
      warn,
      openDelivery: (destination, source, ledger) =>
        new Delivery({
          source,
          ledger,
          sender: openSpoolSender(destination),
          name: nameOf(destination),
          patient: true,
          giveUpMs: Number.POSITIVE_INFINITY,
          warn,
        }),
    });
  }
}

function openWriter({ json }: Destination, resource: Attributes, schemaUrl: string): RequestWriter {
  if (json) return otlpJsonWriter(resource, schemaUrl);
  const writer = new OtlpWriter(resource, schemaUrl);
  const encoder = new SpanEncoder();
  return {
    write: (spans, longTexts) => writer.write(spans, longTexts),
    encode: (record) => encoder.encode(record),
  };
}

function openSender(destination: Destination): HttpSender {
  const { url, headers, gzip, timeoutMs, certificates, json } = destination;
  return new HttpSender({
    url,
    headers,
    gzip,
    timeoutMs,
    certificates,
    ...(json ? { contentType: "application/json" } : {}),
  });
}

function openSpoolSender(destination: Destination): Sender {
  const sender = openSender(destination);
  return destination.json ? new JsonSender(sender) : sender;
}

function nameOf({ kind, url }: Destination): string {
  return `The ${kind === "collector" ? "collector" : "OTLP endpoint"} at ${new URL(url).origin}`;
}
