import { propagation, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import type { Context, Link, Span, SpanContext } from "@opentelemetry/api";
import { Attr, LinkKinds } from "../vocabulary.ts";
import { validSpanContext } from "../spans/valid-span-context.ts";
import { activeContext, unsuppressTracing } from "./active-context.ts";
import { formatBaggage, withBaggageFrom } from "./allowed-baggage.ts";
import { contextWithSpan } from "./context-with-span.ts";
import { forgetConversation } from "./inherited.ts";
import { formatTraceParent, parseTraceParent } from "./trace-parent.ts";
import { parseTraceState } from "./trace-state.ts";

/** Strings that cross a hop, keys in lower case: `traceparent`, `tracestate`, `baggage`. */
export type Carrier = Record<string, string>;

export type HeaderValue = string | readonly string[] | undefined;
/** Reads one header by its lower-case name. */
export type HeaderGetter = (name: string) => HeaderValue;
export type HeaderSource = HeaderGetter | Readonly<Record<string, HeaderValue>>;

/** What a service makes of a caller's context: continue its trace, link to it, or take no notice. */
export type InboundPolicy = "parent" | "link" | "ignore";

export interface AcceptedContext {
  /** Parent for the server span. */
  readonly context: Context;
  /** Links for the server span. */
  readonly links: Link[];
  /** The caller's span, unless the policy is `ignore` or there was none. */
  readonly remote: SpanContext | undefined;
}

/** Writes `context` as strings; {} when there is nothing to say. With tracing off it passes on what was received. */
export function injectCarrier(context: Context = activeContext()): Carrier {
  const carrier: Carrier = {};
  const spanContext = validSpanContext(context);
  if (spanContext !== undefined) {
    carrier["traceparent"] = formatTraceParent(spanContext);
    const state = spanContext.traceState?.serialize();
    if (state) carrier["tracestate"] = state;
  }
  const baggage = formatBaggage(context);
  if (baggage !== undefined) carrier["baggage"] = baggage;
  return carrier;
}

/** The span that `source` names, or undefined where a new root is due. Never throws. */
export function readRemote(source: HeaderSource): SpanContext | undefined {
  const header = single(read(source, "traceparent"));
  if (header === undefined) return undefined;
  const state = read(source, "tracestate");
  return parseTraceParent(header, state === undefined ? undefined : parseTraceState(state));
}

/** `context` with what `source` carries; unchanged when it carries nothing usable. */
export function withCarrier(context: Context, source: HeaderSource): Context {
  return withRemote(context, readRemote(source), source);
}

function withRemote(context: Context, remote: SpanContext | undefined, source: HeaderSource): Context {
  const spanned = remote === undefined ? context : contextWithSpan(context, trace.wrapSpanContext(remote));
  const baggage = read(source, "baggage");
  return baggage === undefined ? spanned : withBaggageFrom(spanned, asList(baggage).join(","));
}

/**
 * Takes a request's context under `policy`. Headers win over `hop`, the strings inside the message, which count only
 * where no `traceparent` header arrived. A local SERVER span of the same trace, as HTTP instrumentation opens, stays
 * the parent; nothing else of `base` that belongs to a request is kept (span, baggage, conversation). Never throws; what
 * is malformed makes a new root.
 */
export function acceptCarrier(
  carriers: { readonly headers?: HeaderSource | undefined; readonly hop?: Carrier | undefined },
  policy: InboundPolicy,
  base: Context = activeContext(),
): AcceptedContext {
  const source = chooseSource(carriers.headers, carriers.hop);
  const remote = policy === "ignore" ? undefined : readRemote(source);
  const bare = withoutRequest(base);
  if (policy !== "parent" || remote === undefined) {
    const context = policy === "parent" && isServerSpan(trace.getSpan(base)) ? base : bare;
    const links: Link[] =
      remote === undefined ? [] : [{ context: remote, attributes: { [Attr.linkKind]: LinkKinds.caller } }];
    return { context, links, remote };
  }
  const ambient = trace.getSpan(base);
  if (isServerSpan(ambient) && ambient?.spanContext().traceId === remote.traceId) {
    return { context: base, links: [], remote };
  }
  return { context: withRemote(bare, remote, source), links: [], remote };
}

/** For extract(): over the root context, or over `base`. */
export function contextFrom(source: HeaderSource, base: Context = ROOT_CONTEXT): Context {
  return withCarrier(base, source);
}

/** What is ambient at arrival may come from whoever opened the server; nothing of another request stays. */
function withoutRequest(context: Context): Context {
  if (context === ROOT_CONTEXT) return context;
  return unsuppressTracing(forgetConversation(propagation.deleteBaggage(trace.deleteSpan(context))));
}

function chooseSource(headers: HeaderSource | undefined, hop: Carrier | undefined): HeaderSource {
  if (headers !== undefined && (hop === undefined || read(headers, "traceparent") !== undefined))
    return headers;
  return hop ?? {};
}

/** A span that somebody opened for this very request. What else is ambient at arrival is an accident. */
function isServerSpan(span: Span | undefined): boolean {
  return span?.isRecording() === true && (span as { kind?: SpanKind }).kind === SpanKind.SERVER;
}

function read(source: HeaderSource, name: string): HeaderValue {
  const value = typeof source === "function" ? source(name) : readRecord(source, name);
  return typeof value === "string" || Array.isArray(value) ? value : undefined;
}

/** HTTP gives lower-case keys; NATS and people do not. */
function readRecord(record: Readonly<Record<string, HeaderValue>>, name: string): HeaderValue {
  const exact = record[name];
  if (exact !== undefined) return exact;
  for (const key of Object.keys(record)) if (key.toLowerCase() === name) return record[key];
  return undefined;
}

/** More than one `traceparent` is malformed. */
function single(value: HeaderValue): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  return value.length === 1 ? value[0] : undefined;
}

function asList(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
