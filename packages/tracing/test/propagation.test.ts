import assert from "node:assert/strict";
import { test } from "node:test";
import { context as contextApi, propagation, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import fc from "fast-check";
import {
  acceptCarrier,
  captureSpans,
  conversationOf,
  injectCarrier,
  instrument,
  isTracingSuppressed,
  openSpan,
  runInContext,
  setConversation,
  suppressTracing,
} from "../src/internal.ts";
import type { HeaderSource } from "../src/internal.ts";
import { allowBaggage } from "../src/context/allowed-baggage.ts";
import { readRemote, withCarrier } from "../src/context/carrier.ts";
import { parseTraceState } from "../src/context/trace-state.ts";

const traceId = "12345678901234567890123456789012";
const parent = `00-${traceId}-1234567890123456-01`;

function remoteTrace(header: string): string | undefined {
  return readRemote({ traceparent: header })?.traceId;
}

function stateOf(tracestate: string | string[]): string | undefined {
  return readRemote({ traceparent: parent, tracestate })?.traceState?.serialize();
}

test("A valid traceparent is read, blanks around it aside", () => {
  for (const header of [parent, ` ${parent}`, `\t${parent} \t`]) assert.equal(remoteTrace(header), traceId);
});

test("A traceparent of a later version is read as far as version 00 goes", () => {
  assert.equal(remoteTrace(`cc-${traceId}-1234567890123456-01`), traceId);
  assert.equal(remoteTrace(`cc-${traceId}-1234567890123456-01-what-the-future-will-be-like`), traceId);
  assert.equal(remoteTrace(`cc-${traceId}-1234567890123456-01.what-the-future-will-be-like`), undefined);
});

test("A malformed traceparent is none", () => {
  const malformed = [
    "",
    "nonsense",
    `${parent}.`,
    `${parent}-what-the-future-will-be-like`,
    `ff-${traceId}-1234567890123456-01`,
    `.0-${traceId}-1234567890123456-01`,
    `000-${traceId}-1234567890123456-01`,
    `0-${traceId}-1234567890123456-01`,
    `00-${"0".repeat(32)}-1234567890123456-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-.2345678901234567890123456789012-1234567890123456-01`,
    `00-${traceId}3-1234567890123456-01`,
    `00-${traceId.slice(1)}-1234567890123456-01`,
    `00-${traceId}-.234567890123456-01`,
    `00-${traceId}-12345678901234567-01`,
    `00-${traceId}-123456789012345-01`,
    `00-${traceId}-1234567890123456-.0`,
    `00-${traceId}-1234567890123456-001`,
    `00-${traceId}-1234567890123456-1`,
    `00-${traceId.replace("1", "A")}-1234567890123456-01`,
    `${parent}, ${parent}`,
  ];
  for (const header of malformed) assert.equal(remoteTrace(header), undefined, header);
  assert.equal(readRemote({ traceparent: [parent, parent] }), undefined);
});

test("A tracestate without a usable traceparent counts for nothing", () => {
  assert.equal(readRemote({ tracestate: "foo=1" }), undefined);
});

test("A tracestate is kept in order over several headers, empty members and blanks aside", () => {
  assert.equal(stateOf("foo=1,bar=2"), "foo=1,bar=2");
  assert.equal(stateOf(["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]), "foo=1,bar=2,rojo=1,congo=2,baz=3");
  assert.equal(stateOf("foo=1 \t , \t bar=2, \t baz=3"), "foo=1,bar=2,baz=3");
  assert.equal(stateOf(["foo=1", ""]), "foo=1");
  assert.equal(stateOf(["", "foo=1"]), "foo=1");
  assert.equal(stateOf(""), undefined);
  assert.equal(stateOf(`foo= a${String.fromCharCode(0x7e)}`), "foo= a~");
});

test("A tracestate with one bad member is dropped whole, and the trace goes on", () => {
  const bad = [
    "foo =1",
    "FOO=1",
    "foo.bar=1",
    "@foo=1,bar=2",
    "foo=bar=baz",
    "foo=,bar=3",
    "foo",
    `foo=1,${"z".repeat(257)}=1`,
    `foo=${"x".repeat(257)}`,
    "foo=ä",
    Array.from({ length: 33 }, (_, index) => `bar${index}=1`).join(","),
  ];
  for (const header of bad) assert.equal(stateOf(header), undefined, header);
  assert.equal(readRemote({ traceparent: parent, tracestate: "foo =1" })?.traceId, traceId);
});

test("Of two members with one key the first, which is the newest, is kept", () => {
  assert.equal(stateOf("foo=1,bar=2,foo=3"), "foo=1,bar=2");
  assert.equal(stateOf(["foo=1", "foo=1"]), "foo=1");
});

test("A tracestate at its limits is kept", () => {
  for (const header of [
    Array.from({ length: 32 }, (_, index) => `bar${index}=1`).join(","),
    `foo=1,${"z".repeat(256)}=1`,
    `foo=1,${"t".repeat(242)}@v=1`,
    `foo=1,t@${"v".repeat(15)}=1`,
    "foo@=1,foo@@bar=2,foo@bar@baz=3",
    `foo=${"x".repeat(256)}`,
  ]) {
    assert.equal(stateOf(header), header);
  }
});

test("Setting a member of a tracestate moves it to the front and pushes out the last of 32", () => {
  const state = parseTraceState(Array.from({ length: 32 }, (_, index) => `k${index}=1`).join(","));
  const changed = state?.set("k5", "2").set("new", "3");
  assert.ok(changed?.serialize().startsWith("new=3,k5=2,k0=1"));
  assert.equal(changed?.serialize().split(",").length, 32);
  assert.equal(changed?.get("k31"), undefined);
  assert.equal(state?.set("Bad", "1"), state);
  assert.equal(state?.unset("k0").get("k0"), undefined);
});

test("Whatever headers hold, reading them never throws, and what is read can be written", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }),
      fc.string(),
      (first, second, third) => {
        const context = withCarrier(ROOT_CONTEXT, { traceparent: first, tracestate: second, baggage: third });
        assert.deepEqual(injectCarrier(context), {});
        const known = withCarrier(ROOT_CONTEXT, { traceparent: parent, tracestate: second });
        assert.equal(injectCarrier(known)["traceparent"], parent);
      },
    ),
  );
});

test("The flags of Level 2 are passed on, others are not", () => {
  const flagsAfter = (flags: string): string | undefined =>
    injectCarrier(withCarrier(ROOT_CONTEXT, { traceparent: `00-${traceId}-1234567890123456-${flags}` }))[
      "traceparent"
    ]?.slice(-2);
  assert.equal(flagsAfter("03"), "03");
  assert.equal(flagsAfter("02"), "02");
  assert.equal(flagsAfter("ff"), "03");
  assert.equal(flagsAfter("00"), "00");
});

test("A span under a remote parent keeps its trace, tracestate and random flag; our own roots claim no randomness", async () => {
  using capture = captureSpans();
  const headers = { traceparent: `00-${traceId}-1234567890123456-03`, tracestate: "a=1" };
  const { context } = acceptCarrier({ headers }, "parent", ROOT_CONTEXT);
  const carrier = await instrument({ name: "server", kind: SpanKind.SERVER, parent: context }, () =>
    injectCarrier(),
  );
  const root = await instrument({ name: "root", parent: ROOT_CONTEXT }, () => injectCarrier());
  const [server] = capture.spans();
  assert.equal(carrier["traceparent"], `00-${traceId}-${server?.spanId}-03`);
  assert.equal(carrier["tracestate"], "a=1");
  assert.deepEqual([server?.parentSpanId, server?.parentIsRemote], ["1234567890123456", true]);
  assert.match(root["traceparent"] ?? "", /-01$/);
});

test("With tracing off, the strings that came in go out again", async () => {
  const headers = { traceparent: parent, tracestate: "a=1" };
  const { context } = acceptCarrier({ headers }, "parent");
  const out = await runInContext(context, async () => {
    await Promise.resolve();
    return instrument({ name: "unrecorded" }, async () => injectCarrier());
  });
  assert.deepEqual(out, headers);
});

test("Headers win over the message's own strings, which count where no traceparent header came", () => {
  const hop = { traceparent: `00-${"a".repeat(32)}-1234567890123456-01` };
  const accepted = (headers: HeaderSource | undefined): string | undefined =>
    acceptCarrier({ headers, hop }, "parent", ROOT_CONTEXT).remote?.traceId;
  assert.equal(accepted({ traceparent: parent }), traceId);
  assert.equal(accepted({ Traceparent: parent }), traceId);
  assert.equal(accepted({ host: "x" }), "a".repeat(32));
  assert.equal(accepted(undefined), "a".repeat(32));
  assert.equal(accepted({ traceparent: "bad" }), undefined);
  assert.equal(
    accepted((name) => (name === "traceparent" ? parent : undefined)),
    traceId,
  );
});

test("Inbound policy: parent continues the trace, link starts a new one that points back, ignore knows nothing", () => {
  const accept = (policy: "parent" | "link" | "ignore"): ReturnType<typeof acceptCarrier> =>
    acceptCarrier({ headers: { traceparent: parent, tracestate: "a=1" } }, policy, ROOT_CONTEXT);
  assert.equal(trace.getSpanContext(accept("parent").context)?.traceId, traceId);
  assert.deepEqual(accept("parent").links, []);
  assert.equal(trace.getSpanContext(accept("link").context), undefined);
  assert.equal(accept("link").links[0]?.context.traceId, traceId);
  assert.deepEqual(accept("link").links[0]?.attributes, { "weft.link.kind": "caller" });
  assert.equal(trace.getSpanContext(accept("ignore").context), undefined);
  assert.deepEqual(accept("ignore").links, []);
  assert.equal(accept("ignore").remote, undefined);
});

test("A request is never the child of what happens to be ambient, but of a server span that instrumentation opened for it", () => {
  using _capture = captureSpans();
  const ambientInternal = openSpan({ name: "startup" }).span.context;
  const fresh = acceptCarrier({ headers: {} }, "parent", ambientInternal).context;
  assert.equal(trace.getSpan(fresh), undefined);
  const fromCaller = acceptCarrier({ headers: { traceparent: parent } }, "parent", ROOT_CONTEXT).context;
  const http = openSpan({ name: "POST", kind: SpanKind.SERVER, parent: fromCaller }).span;
  const accepted = acceptCarrier({ headers: { traceparent: parent } }, "parent", http.context);
  assert.equal(trace.getSpanContext(accepted.context)?.spanId, http.spanId);
  const otherTrace = openSpan({ name: "POST", kind: SpanKind.SERVER, parent: ROOT_CONTEXT }).span.context;
  const moved = acceptCarrier({ headers: { traceparent: parent } }, "parent", otherTrace);
  assert.equal(trace.getSpanContext(moved.context)?.spanId, "1234567890123456");
});

test("An arriving request takes no conversation and no suppression from what is ambient", () => {
  const ambient = suppressTracing(setConversation(ROOT_CONTEXT, "somebody else's"));
  const { context } = acceptCarrier({ headers: { traceparent: parent } }, "parent", ambient);
  assert.equal(conversationOf(context), undefined);
  assert.equal(isTracingSuppressed(context), false);
});

test("Baggage crosses by allow-list only", () => {
  const baggage = propagation.createBaggage({ tenant: { value: "a b,c" }, secret: { value: "x" } });
  const context: Context = propagation.setBaggage(ROOT_CONTEXT, baggage);
  assert.deepEqual(injectCarrier(context), {});
  allowBaggage(["tenant"]);
  try {
    const carrier = injectCarrier(context);
    assert.deepEqual(carrier, { baggage: "tenant=a%20b%2Cc" });
    const read = withCarrier(ROOT_CONTEXT, {
      baggage: `${carrier["baggage"]};p=1, secret=x, bad, =y, broken=%zz`,
    });
    assert.deepEqual(
      propagation
        .getBaggage(read)
        ?.getAllEntries()
        .map(([key, { value }]) => [key, value]),
      [["tenant", "a b,c"]],
    );
  } finally {
    allowBaggage([]);
  }
});

test("The global propagator is the strict one, writes nothing in suppressed contexts, and reads any spelling of a header", async () => {
  using _capture = captureSpans();
  await instrument({ name: "call" }, () => {
    const carrier: Record<string, string> = {};
    propagation.inject(contextApi.active(), carrier);
    assert.deepEqual(carrier, injectCarrier());
    const silent: Record<string, string> = {};
    propagation.inject(suppressTracing(contextApi.active()), silent);
    assert.deepEqual(silent, {});
  });
  const read = propagation.extract(ROOT_CONTEXT, { Traceparent: parent });
  assert.equal(trace.getSpanContext(read)?.traceId, traceId);
});
