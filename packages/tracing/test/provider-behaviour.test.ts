/**
 * One test body over two providers: ours and the one of OpenTelemetry's SDK. `same` demands that both keep the same of what was done;
 * what differs on purpose stands at the end, each with its reason.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import type { Context, Span, SpanContext } from "@opentelemetry/api";
import { configureContent } from "../src/content/content-settings.ts";
import { OtlpWriter } from "../src/export/otlp-writer.ts";
import { suppressTracing } from "../src/internal.ts";
import type { SpanRecord } from "../src/spans/span-record.ts";
import { WeftTracerProvider } from "../src/spans/weft-tracer-provider.ts";
import { spansOf } from "./support/decode-otlp.ts";
import { ours, theirs } from "./support/providers.ts";
import type { Kept, Limits, Setup, Subject } from "./support/providers.ts";

const providers = { ours, theirs } as const;
const remote: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
};
const underRemote: Context = trace.setSpanContext(ROOT_CONTEXT, remote);

/** `act` over both providers: `check` holds for each, and both kept the same. */
function same(
  behaviour: string,
  setup: Setup,
  act: (subject: Subject) => void,
  check: (subject: Subject) => void,
): void {
  test(`As the SDK's tracer: ${behaviour}`, () => {
    configureContent({ policy: "full" });
    try {
      const kept = Object.values(providers).map((make) => {
        const subject = make(setup);
        act(subject);
        check(subject);
        return subject.kept();
      });
      assert.deepEqual(kept[0], kept[1]);
    } finally {
      configureContent(undefined);
    }
  });
}

/** For behaviours of one span: `act` has it open, and it is ended afterwards. */
function sameSpan(
  behaviour: string,
  limits: Limits,
  act: (span: Span) => void,
  expected: Partial<Kept>,
): void {
  same(
    behaviour,
    { limits },
    ({ tracer }) => {
      const span = tracer.startSpan("span", {}, underRemote);
      act(span);
      span.end();
    },
    (subject) => {
      const [kept] = subject.kept();
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(kept?.[key as keyof Kept], value, key);
    },
  );
}

same(
  "name, kind, scope and parent are what they were given",
  {},
  ({ tracer }) => {
    tracer.startSpan("given", { kind: SpanKind.PRODUCER }, underRemote).end();
    tracer.startSpan("default", {}, ROOT_CONTEXT).end();
  },
  (subject) =>
    assert.deepEqual(
      subject.kept().map(({ name, kind, parent, scope }) => [name, kind, parent, scope]),
      [
        ["given", SpanKind.PRODUCER, remote.spanId, ["test", "1.2.3"]],
        ["default", SpanKind.INTERNAL, undefined, ["test", "1.2.3"]],
      ],
    ),
);

sameSpan(
  "attribute values may be scalars, null, bytes, arrays of anything and maps (api 1.10)",
  {},
  (span) =>
    span.setAttributes({
      text: "a",
      number: 1.5,
      truth: false,
      nothing: null,
      bytes: Uint8Array.of(1, 2),
      strings: ["a", "b"],
      mixed: [1, "a", true, null, [2, { deep: "x" }]],
      map: { a: 1, inner: { b: ["c"] } },
      nan: Number.NaN,
    }),
  {
    attributes: {
      text: "a",
      number: 1.5,
      truth: false,
      nothing: null,
      bytes: Uint8Array.of(1, 2),
      strings: ["a", "b"],
      mixed: [1, "a", true, null, [2, { deep: "x" }]],
      map: { a: 1, inner: { b: ["c"] } },
      nan: Number.NaN,
    },
  },
);

sameSpan(
  "values that are none (undefined, functions, symbols, bigint, dates, class instances, circles) and empty keys are left out",
  {},
  (span) => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const bad = {
      u: undefined,
      f: () => 1,
      s: Symbol("s"),
      b: 1n,
      d: new Date(0),
      c: circle,
      m: [new Map()],
    };
    for (const [key, value] of Object.entries(bad)) span.setAttribute(key, value as never);
    span.setAttribute("", "no key").setAttribute("ok", 1);
  },
  { attributes: { ok: 1 }, dropped: [0, 0, 0] },
);

sameSpan(
  "a value is copied when it is set",
  {},
  (span) => {
    const list = ["a"];
    const map = { inner: [1] };
    span.setAttribute("list", list).setAttribute("map", map);
    list.push("b");
    map.inner.push(2);
  },
  { attributes: { list: ["a"], map: { inner: [1] } } },
);

sameSpan(
  "the attribute count is limited, the rest counted, and a key that is there may be set again",
  { attributeCount: 2 },
  (span) => span.setAttributes({ a: 1, b: 2, c: 3 }).setAttribute("a", 4).setAttribute("d", 5),
  { attributes: { a: 4, b: 2 }, dropped: [2, 0, 0] },
);

sameSpan(
  "keys that every object has are attributes like others",
  { attributeCount: 2 },
  (span) => span.setAttribute("constructor", 1).setAttribute("toString", 2).setAttribute("third", 3),
  { dropped: [1, 0, 0] },
);

sameSpan(
  "string values are cut to the length limit, inside arrays and maps too; numbers are not",
  { attributeValueLength: 3 },
  (span) =>
    span.setAttributes({ text: "abcdef", list: ["abcdef", 1], map: { in: "abcdef" }, number: 123456 }),
  { attributes: { text: "abc", list: ["abc", 1], map: { in: "abc" }, number: 123456 } },
);

sameSpan(
  "of too many events the newest are kept and the rest counted",
  { eventCount: 2 },
  (span) => span.addEvent("one").addEvent("two", { a: 1 }).addEvent("three"),
  {
    events: [
      ["two", { a: 1 }],
      ["three", {}],
    ],
    dropped: [0, 1, 0, 0, 0],
  },
);

sameSpan(
  "an event limit of nought keeps none and counts all",
  { eventCount: 0 },
  (span) => span.addEvent("one").addEvent("two"),
  { events: [], dropped: [0, 2, 0] },
);

sameSpan(
  "attributes of events and links have limits of their own",
  { attributesPerEvent: 1, attributesPerLink: 1, attributeValueLength: 2 },
  (span) =>
    span.addEvent("event", { a: "long", b: 1 }).addLink({ context: remote, attributes: { c: "long", d: 1 } }),
  { events: [["event", { a: "lo" }]], links: [[remote.spanId, { c: "lo" }]], dropped: [0, 0, 0, 1, 1] },
);

sameSpan(
  "of too many links the newest are kept and the rest counted",
  { linkCount: 2 },
  (span) =>
    span.addLinks(["1", "2", "3"].map((digit) => ({ context: { ...remote, spanId: digit.repeat(16) } }))),
  {
    links: [
      ["2".repeat(16), {}],
      ["3".repeat(16), {}],
    ],
    dropped: [0, 0, 1, 0, 0],
  },
);

same(
  "links given at the start have the same limit",
  { limits: { linkCount: 1 } },
  ({ tracer }) => {
    const links = ["1", "2"].map((digit) => ({ context: { ...remote, spanId: digit.repeat(16) } }));
    tracer.startSpan("links", { links }, ROOT_CONTEXT).end();
  },
  (subject) => assert.deepEqual(subject.kept()[0]?.links, [["2".repeat(16), {}]]),
);

sameSpan(
  "a link to nowhere is kept for its attributes",
  {},
  (span) => span.addLink({ context: INVALID_SPAN_CONTEXT, attributes: { why: "known by name only" } }),
  { links: [[INVALID_SPAN_CONTEXT.spanId, { why: "known by name only" }]] },
);

const { UNSET, OK, ERROR } = SpanStatusCode;
const statusRules: readonly (readonly [
  string,
  readonly { code: SpanStatusCode; message?: string }[],
  object,
])[] = [
  ["unset changes nothing", [{ code: ERROR, message: "x" }, { code: UNSET }], { code: ERROR, message: "x" }],
  ["OK is final", [{ code: OK }, { code: ERROR, message: "late" }], { code: OK }],
  ["an error may become OK", [{ code: ERROR, message: "x" }, { code: OK }], { code: OK }],
  ["only an error has a message", [{ code: OK, message: "dropped" }], { code: OK }],
  ["a later error replaces the message", [{ code: ERROR, message: "a" }, { code: ERROR }], { code: ERROR }],
  ["a message that is no string is dropped", [{ code: ERROR, message: 5 as never }], { code: ERROR }],
];
for (const [rule, statuses, status] of statusRules) {
  sameSpan(`status: ${rule}`, {}, (span) => statuses.forEach((one) => span.setStatus(one)), { status });
}

same(
  "after its end a span changes no more, and a second end counts for nothing",
  {},
  ({ tracer }) => {
    const span = tracer.startSpan("ended", { attributes: { a: 1 } }, underRemote);
    assert.equal(span.isRecording(), true);
    span.end();
    assert.equal(span.isRecording(), false);
    span.setAttribute("late", 1).setAttributes({ later: 2 }).addEvent("late").addLink({ context: remote });
    span.setStatus({ code: ERROR }).updateName("late").recordException(new Error("late"));
    span.end();
  },
  (subject) => {
    const [kept, ...others] = subject.kept();
    assert.equal(others.length, 0);
    assert.deepEqual([kept?.name, kept?.attributes, kept?.events, kept?.links], ["ended", { a: 1 }, [], []]);
    assert.deepEqual(kept?.status, { code: UNSET });
  },
);

sameSpan("updateName wins over the name at the start", {}, (span) => span.updateName("new"), { name: "new" });

same(
  "ids: a child has its parent's trace, a root a new one, all are lower-case hex of the right length",
  {},
  ({ tracer }) => {
    const child = tracer.startSpan("child", {}, underRemote);
    const root = tracer.startSpan("root", { root: true }, underRemote);
    const orphan = tracer.startSpan(
      "bad parent",
      {},
      trace.setSpanContext(ROOT_CONTEXT, INVALID_SPAN_CONTEXT),
    );
    assert.equal(child.spanContext().traceId, remote.traceId);
    for (const span of [root, orphan]) assert.notEqual(span.spanContext().traceId, remote.traceId);
    for (const span of [child, root, orphan]) {
      assert.match(span.spanContext().traceId, /^(?!0{32})[0-9a-f]{32}$/);
      assert.match(span.spanContext().spanId, /^(?!0{16})[0-9a-f]{16}$/);
      assert.equal(span.spanContext().traceFlags, TraceFlags.SAMPLED);
      span.end();
    }
  },
  (subject) =>
    assert.deepEqual(
      subject.kept().map(({ parent }) => parent),
      [remote.spanId, undefined, undefined],
    ),
);

same(
  "times: dates, epoch milliseconds, pairs of seconds and nanoseconds; an end before the start is the start",
  {},
  ({ tracer }) => {
    const at = 1_795_311_934_500;
    tracer.startSpan("date", { startTime: new Date(at) }, ROOT_CONTEXT).end(new Date(at + 1));
    tracer.startSpan("number", { startTime: at }, ROOT_CONTEXT).end(at + 2);
    tracer
      .startSpan("pair", { startTime: [at / 1000 - 0.5, 5e8] }, ROOT_CONTEXT)
      .end([at / 1000 - 0.5, 5.03e8]);
    tracer.startSpan("backwards", { startTime: at }, ROOT_CONTEXT).end(at - 10);
  },
  (subject) =>
    assert.deepEqual(
      subject
        .times()
        .map(([start, end]) => [start - 1_795_311_934_500, Math.round((end - start) * 1e3) / 1e3]),
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 0],
      ],
    ),
);

same(
  "sampler: what is sampled out passes a context on with the flag off and is not recorded",
  { sampler: "off" },
  ({ tracer }) => {
    const span = tracer.startSpan("out", {}, ROOT_CONTEXT);
    assert.equal(span.isRecording(), false);
    assert.equal(span.spanContext().traceFlags, TraceFlags.NONE);
    assert.equal(trace.isSpanContextValid(span.spanContext()), true);
    span.end();
  },
  (subject) => assert.deepEqual(subject.kept(), []),
);

same(
  "sampler: parent-based follows the parent's flag and asks its root sampler only for roots",
  { sampler: "parent-off" },
  ({ tracer }) => {
    tracer.startSpan("followed", {}, underRemote).end();
    tracer
      .startSpan("not followed", {}, trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: 0 }))
      .end();
    tracer.startSpan("root", {}, ROOT_CONTEXT).end();
  },
  (subject) =>
    assert.deepEqual(
      subject.kept().map(({ name }) => name),
      ["followed"],
    ),
);

same(
  "resource: its attributes belong to every span",
  { resource: { "service.name": "calculator", "service.version": "2.0" } },
  ({ tracer }) => tracer.startSpan("any", {}, ROOT_CONTEXT).end(),
  (subject) => {
    assert.equal(subject.resource()["service.name"], "calculator");
    assert.equal(subject.resource()["service.version"], "2.0");
  },
);

same(
  "one tracer for one name and version, whatever the case",
  {},
  ({ getTracer }) => {
    assert.equal(getTracer("a", "1"), getTracer("a", "1"));
    assert.notEqual(getTracer("a", "1"), getTracer("a", "2"));
    getTracer("a", "1").startSpan("x", {}, ROOT_CONTEXT).end();
  },
  (subject) => assert.deepEqual(subject.kept()[0]?.scope, ["a", "1"]),
);

sameSpan(
  "an exception is one event with type, message and stack",
  {},
  (span) => {
    const error = new TypeError("bad");
    error.stack = "TypeError: bad\n    at nowhere";
    span.recordException(error);
  },
  {
    events: [
      [
        "exception",
        {
          "exception.type": "TypeError",
          "exception.message": "bad",
          "exception.stacktrace": "TypeError: bad\n    at nowhere",
        },
      ],
    ],
  },
);

test("Unlike the SDK's tracer, on purpose: a suppressed context passes its parent on", () => {
  const span = ours({}).tracer.startSpan("hidden", {}, suppressTracing(underRemote));
  assert.equal(
    span.spanContext().traceId,
    remote.traceId,
    "a service that does not trace keeps the trace whole",
  );
  assert.equal(
    trace.isSpanContextValid(
      theirs({}).tracer.startSpan("x", {}, suppressTracing(underRemote)).spanContext(),
    ),
    false,
  );
});

test("Unlike the SDK's tracer, on purpose: the random flag of W3C level 2 is kept when it was received", () => {
  const received = trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: 3 });
  assert.equal(ours({}).tracer.startSpan("x", {}, received).spanContext().traceFlags, 3);
  assert.equal(theirs({}).tracer.startSpan("x", {}, received).spanContext().traceFlags, 1);
});

test("Unlike the SDK's tracer, on purpose: an exception's type is its name, not its code, as the conventions say", () => {
  const error = Object.assign(new TypeError("bad"), { code: "E_BAD" });
  const named = Object.values(providers).map((make) => {
    const subject = make({});
    const span = subject.tracer.startSpan("x", {}, ROOT_CONTEXT);
    span.recordException(error);
    span.end();
    return JSON.stringify(subject.kept()[0]?.events).includes("E_BAD");
  });
  assert.deepEqual(named, [false, true]);
});

test("Maps, bytes and mixed arrays leave the process as what they are", () => {
  const provider = new WeftTracerProvider();
  const records: SpanRecord[] = [];
  provider.addSink({ onEnd: (record) => void records.push(record) });
  const attributes = {
    map: { a: 1, inner: { b: ["c"] } },
    bytes: Uint8Array.of(1, 255),
    mixed: [1, "a", true],
  };
  provider.getTracer("any").startSpan("values", { attributes }, ROOT_CONTEXT).end();
  const [span] = spansOf(Buffer.concat(new OtlpWriter({}, "").write(records)));
  assert.deepEqual(span?.attributes, { ...attributes, bytes: "01ff" });
});
