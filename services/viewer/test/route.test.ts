import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRoute, parseRoute } from "../src/router/route.ts";
import type { Route } from "../src/router/route.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

test("an address says the page, the trace, the view and the span, and nothing is lost both ways", () => {
  const routes: readonly (readonly [string, Route])[] = [
    ["/", { page: "list" }],
    [`/traces/${traceId}`, { page: "trace", traceId, tab: "waterfall" }],
    [`/traces/${traceId}?tab=transcript`, { page: "trace", traceId, tab: "transcript" }],
    [`/traces/${traceId}?span=${spanId}`, { page: "trace", traceId, tab: "waterfall", spanId }],
    [
      `/traces/${traceId}?tab=transcript&span=${spanId}`,
      { page: "trace", traceId, tab: "transcript", spanId },
    ],
  ];
  for (const [url, route] of routes) {
    assert.deepEqual(parseRoute(url), route);
    assert.equal(formatRoute(route), url);
  }
});

test("what people paste is understood: capitals, a slash at the end, a tab or span that is none", () => {
  const plain = { page: "trace", traceId, tab: "waterfall" };
  assert.deepEqual(parseRoute(`/traces/${traceId.toUpperCase()}/`), plain);
  assert.deepEqual(parseRoute(`/traces/${traceId}?tab=__proto__&span=javascript:alert(1)`), plain);
  assert.deepEqual(parseRoute("/traces/"), { page: "list" });
});

test("any other address is no page of ours", () => {
  assert.deepEqual(parseRoute("/traces/123"), { page: "unknown", path: "/traces/123" });
  assert.deepEqual(parseRoute("/nowhere?x=1"), { page: "unknown", path: "/nowhere" });
});
