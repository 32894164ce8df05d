/**
 * The cases of the W3C's Trace Context validation service (github.com/w3c/trace-context, test/test.py) at strictness 2 and level 2,
 * by its names, against a service of ours over real HTTP. The values are our own.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { captureSpans } from "../src/internal.ts";
import type { SpanCapture } from "../src/internal.ts";
import { startForwardingService } from "./support/forwarding-service.ts";
import type { ForwardingService, Header } from "./support/forwarding-service.ts";

const traceId = "7a3f5c1e9b2d4f608192a3b4c5d6e7f8";
const spanId = "0123456789abcdef";
const otherTraceId = "1f2e3d4c5b6a79880102030405060708";
const parent = `00-${traceId}-${spanId}-01`;

let capture: SpanCapture;
let service: ForwardingService;
before(async () => {
  capture = captureSpans();
  service = await startForwardingService();
});
after(async () => {
  await service[Symbol.asyncDispose]();
  capture[Symbol.dispose]();
});

interface Outgoing {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  /** Members in order, `key=value`; blanks around a member are HTTP's. */
  readonly members: readonly string[];
}

/** Reads what went out as strictly as the validation service does: exactly one well-formed `traceparent`. */
function read(headers: readonly Header[]): Outgoing {
  const parents = headers.filter(([name]) => name === "traceparent");
  assert.equal(parents.length, 1, "exactly one traceparent goes out");
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(parents[0]?.[1] ?? "");
  assert.ok(match, `well-formed: ${parents[0]?.[1]}`);
  const [, trace = "", span = "", flags = ""] = match;
  assert.notEqual(trace, "0".repeat(32));
  assert.notEqual(span, "0".repeat(16));
  const members = headers
    .filter(([name]) => name === "tracestate")
    .flatMap(([, value]) => value.split(","))
    .filter((member) => member !== "");
  return { traceId: trace, spanId: span, flags: Number.parseInt(flags, 16), members };
}

async function send(...headers: readonly Header[]): Promise<Outgoing> {
  const [first] = await service.send(headers);
  assert.ok(first !== undefined, "the service called on");
  return read(first);
}

async function continues(...headers: readonly Header[]): Promise<Outgoing> {
  const out = await send(...headers);
  assert.equal(out.traceId, traceId, JSON.stringify(headers));
  assert.notEqual(out.spanId, spanId);
  return out;
}

async function startsAnew(...headers: readonly Header[]): Promise<void> {
  const out = await send(...headers);
  for (const [, value] of headers) assert.ok(!value.includes(out.traceId), JSON.stringify(headers));
  assert.notEqual(out.traceId, traceId);
  assert.notEqual(out.traceId, otherTraceId);
  assert.deepEqual(out.members, []);
}

async function parentsStartAnew(...values: readonly string[]): Promise<void> {
  for (const value of values) await startsAnew(["traceparent", value]);
}

/** The members that leave when these `tracestate` headers arrive beside a good `traceparent`. */
async function states(...values: readonly string[]): Promise<readonly string[]> {
  const headers = values.map((value): Header => ["tracestate", value]);
  return (await continues(["traceparent", parent], ...headers)).members;
}

async function statesDropped(...values: readonly string[]): Promise<void> {
  for (const value of values) assert.deepEqual(await states(value), [], value);
}

const cases: Readonly<Record<string, () => Promise<void>>> = {
  async test_both_traceparent_and_tracestate_missing() {
    assert.deepEqual((await send()).members, []);
  },
  async test_traceparent_included_tracestate_missing() {
    assert.deepEqual((await continues(["traceparent", parent])).members, []);
  },
  async test_traceparent_duplicated() {
    await startsAnew(["traceparent", `00-${otherTraceId}-${spanId}-01`], ["traceparent", parent]);
  },
  async test_traceparent_header_name() {
    await startsAnew(["trace-parent", parent]);
    await startsAnew(["trace.parent", parent]);
  },
  async test_traceparent_header_name_valid_casing() {
    for (const name of ["TraceParent", "tRaCePaReNt", "TRACEPARENT"]) await continues([name, parent]);
  },
  async test_traceparent_version_0x00() {
    await parentsStartAnew(`${parent}.`, `${parent}-more`);
  },
  async test_traceparent_version_0xcc() {
    const later = parent.replace(/^00/, "cc");
    await continues(["traceparent", later]);
    await continues(["traceparent", `${later}-more-fields`]);
    await startsAnew(["traceparent", `${later}.more-fields`]);
  },
  async test_traceparent_version_0xff() {
    await parentsStartAnew(parent.replace(/^00/, "ff"));
  },
  async test_traceparent_version_illegal_characters() {
    await parentsStartAnew(parent.replace(/^00/, ".0"), parent.replace(/^00/, "0."));
  },
  async test_traceparent_version_too_long() {
    await parentsStartAnew(`0${parent}`, `00${parent}`);
  },
  async test_traceparent_version_too_short() {
    await parentsStartAnew(parent.slice(1));
  },
  async test_traceparent_trace_id_all_zero() {
    await parentsStartAnew(`00-${"0".repeat(32)}-${spanId}-01`);
  },
  async test_traceparent_trace_id_illegal_characters() {
    await parentsStartAnew(`00-.${traceId.slice(1)}-${spanId}-01`, `00-${traceId.slice(1)}.-${spanId}-01`);
  },
  async test_traceparent_trace_id_too_long() {
    await parentsStartAnew(`00-${traceId}9-${spanId}-01`);
  },
  async test_traceparent_trace_id_too_short() {
    await parentsStartAnew(`00-${traceId.slice(1)}-${spanId}-01`);
  },
  async test_traceparent_parent_id_all_zero() {
    await parentsStartAnew(`00-${traceId}-${"0".repeat(16)}-01`);
  },
  async test_traceparent_parent_id_illegal_characters() {
    await parentsStartAnew(`00-${traceId}-.${spanId.slice(1)}-01`, `00-${traceId}-${spanId.slice(1)}.-01`);
  },
  async test_traceparent_parent_id_too_long() {
    await parentsStartAnew(`00-${traceId}-${spanId}9-01`);
  },
  async test_traceparent_parent_id_too_short() {
    await parentsStartAnew(`00-${traceId}-${spanId.slice(1)}-01`);
  },
  async test_traceparent_trace_flags_illegal_characters() {
    await parentsStartAnew(`00-${traceId}-${spanId}-.0`, `00-${traceId}-${spanId}-0.`);
  },
  async test_traceparent_trace_flags_too_long() {
    await parentsStartAnew(`00-${traceId}-${spanId}-001`);
  },
  async test_traceparent_trace_flags_too_short() {
    await parentsStartAnew(`00-${traceId}-${spanId}-1`);
  },
  async test_traceparent_ows_handling() {
    for (const [left, right] of around) await continues(["traceparent", left + parent + right]);
  },
  async test_tracestate_included_traceparent_missing() {
    await startsAnew(["tracestate", "foo=1"]);
    await startsAnew(["tracestate", "foo=1,bar=2"]);
  },
  async test_tracestate_included_traceparent_included() {
    assert.deepEqual(await states("foo=1,bar=2"), ["foo=1", "bar=2"]);
  },
  async test_tracestate_header_name() {
    for (const name of ["trace-state", "trace.state"]) {
      assert.deepEqual((await continues(["traceparent", parent], [name, "foo=1"])).members, []);
    }
  },
  async test_tracestate_header_name_valid_casing() {
    for (const name of ["TraceState", "tRaCeStAtE", "TRACESTATE"]) {
      assert.deepEqual((await continues(["traceparent", parent], [name, "foo=1"])).members, ["foo=1"]);
    }
  },
  async test_tracestate_empty_header() {
    assert.deepEqual(await states(""), []);
    assert.deepEqual(await states("foo=1", ""), ["foo=1"]);
    assert.deepEqual(await states("", "foo=1"), ["foo=1"]);
  },
  async test_tracestate_multiple_headers_different_keys() {
    assert.deepEqual(await states("a=1,b=2", "c=3,d=4", "e=5"), ["a=1", "b=2", "c=3", "d=4", "e=5"]);
  },
  async test_tracestate_duplicated_keys() {
    assert.deepEqual(await states("foo=1,foo=1"), ["foo=1"]);
    assert.deepEqual(await states("foo=1,foo=2"), ["foo=1"]);
    assert.deepEqual(await states("foo=1", "foo=1"), ["foo=1"]);
    assert.deepEqual(await states("foo=1", "foo=2"), ["foo=1"]);
  },
  async test_tracestate_all_allowed_characters() {
    const key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    const printable = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(at + 0x20)).join("");
    // A blank in front would be HTTP's own, so the printable characters begin after one.
    const value = `v${printable.replace(/[,=]/g, "")}`;
    for (const member of [`${key}=${value}`, `${key}@a-z0-9_-*/=${value}`]) {
      assert.deepEqual(await states(member), [member]);
    }
  },
  async test_tracestate_ows_handling() {
    assert.deepEqual(await states("a=1 \t , \t b=2, \t c=3"), ["a=1", "b=2", "c=3"]);
    assert.deepEqual(await states("a=1\t \t,\t \tb=2,\t \tc=3"), ["a=1", "b=2", "c=3"]);
    for (const [left, right] of around) assert.deepEqual(await states(`${left}foo=1${right}`), ["foo=1"]);
  },
  async test_tracestate_key_illegal_characters() {
    await statesDropped("foo =1", "FOO=1", "foo.bar=1");
  },
  async test_tracestate_key_illegal_vendor_format() {
    for (const key of ["foo@", "foo@@bar", "foo@bar@baz"]) {
      assert.deepEqual(await states(`${key}=1,bar=2`), [`${key}=1`, "bar=2"]);
    }
    await statesDropped("@foo=1,bar=2");
  },
  async test_tracestate_member_count_limit() {
    const members = Array.from({ length: 33 }, (_, at) => `k${at}=${at}`);
    const headers = [members.slice(0, 12), members.slice(12, 24), members.slice(24, 32)].map(String);
    assert.deepEqual(await states(...headers), members.slice(0, 32));
    assert.deepEqual(await states(...headers, members[32] ?? ""), []);
  },
  async test_tracestate_key_length_limit() {
    const keys = [
      "z".repeat(256),
      `${"t".repeat(241)}@${"v".repeat(14)}`,
      `${"t".repeat(242)}@v`,
      `t@${"v".repeat(15)}`,
    ];
    for (const key of keys) assert.deepEqual(await states("foo=1", `${key}=1`), ["foo=1", `${key}=1`]);
    assert.deepEqual(await states("foo=1", `${"z".repeat(257)}=1`), []);
  },
  async test_tracestate_value_illegal_characters() {
    await statesDropped("foo=bar=baz", "foo=,bar=3");
  },
  async test_multiple_requests_with_valid_traceparent() {
    const out = (await service.send([["traceparent", parent]], 3)).map(read);
    assert.deepEqual(new Set(out.map((one) => one.traceId)), new Set([traceId]));
    assert.equal(new Set(out.map((one) => one.spanId)).size, 3);
  },
  async test_multiple_requests_without_traceparent() {
    const out = (await service.send([], 3)).map(read);
    assert.equal(new Set(out.map((one) => one.spanId)).size, 3);
  },
  async test_multiple_requests_with_illegal_traceparent() {
    const out = (await service.send([["traceparent", `00-${"0".repeat(32)}-${spanId}-01`]], 3)).map(read);
    assert.equal(new Set(out.map((one) => one.spanId)).size, 3);
  },
  async test_propagates_random_flag() {
    const out = await continues(["traceparent", `00-${traceId}-${spanId}-02`]);
    assert.equal(out.flags & 2, 2);
  },
};

const around: readonly (readonly [string, string])[] = [
  [" ", ""],
  ["\t", ""],
  ["", " "],
  ["", "\t"],
  ["\t ", " \t"],
];

for (const [name, run] of Object.entries(cases)) test(`W3C Trace Context: ${name}`, run);

test("The W3C's validation service has 41 cases, and each is here", () => {
  assert.equal(Object.keys(cases).length, 41);
});
