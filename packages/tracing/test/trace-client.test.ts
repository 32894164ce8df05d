import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { getCurrentActiveSpan, TraceClient, WeftError } from "../src/index.ts";
import { captureSpans } from "../src/internal.ts";

const traceId = "a".repeat(32);
const spanDefaults = { traceId, kind: 1, startTimeUnixNano: "1795311934500000000" };
const stored = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "desk" } }] },
      scopeSpans: [
        {
          spans: [
            {
              ...spanDefaults,
              spanId: "2".repeat(16),
              parentSpanId: "1".repeat(16),
              name: "chat gpt",
              startTimeUnixNano: "1795311934600000000",
              endTimeUnixNano: "1795311934700000000",
              attributes: [
                { key: "weft.span.type", value: { stringValue: "llm" } },
                { key: "gen_ai.usage.input_tokens", value: { intValue: "10" } },
                { key: "gen_ai.usage.output_tokens", value: { intValue: "5" } },
                { key: "gen_ai.output.messages", value: { stringValue: '[{"id":"m1"}]' } },
                { key: "weft.cost.usd", value: { doubleValue: 0.25 } },
              ],
            },
            {
              ...spanDefaults,
              spanId: "1".repeat(16),
              name: "conversation user",
              endTimeUnixNano: "1795311935000000000",
              status: { code: 2, message: "no" },
              attributes: [
                { key: "weft.tag.env", value: { stringValue: "test" } },
                { key: "weft.inputs", value: { stringValue: '{"q":1}' } },
                { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }] } } },
              ],
            },
          ],
        },
      ],
    },
  ],
};

/** A collector of its own kind: answers by path, and keeps what was asked. */
async function startCollector(
  answers: Record<string, [status: number, body: string]>,
): Promise<{ url: string; asked: string[]; tokens: (string | undefined)[] } & Disposable> {
  const asked: string[] = [];
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    tokens.push(request.headers.authorization);
    const path = (request.url ?? "").split("?")[0] ?? "";
    const [status, body] = answers[path] ?? [
      404,
      '{"error":{"code":"not_found","message":"No such trace."}}',
    ];
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    tokens,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("getTrace gives a stored trace: what it is about, then its spans by their start", async () => {
  using collector = await startCollector({ [`/api/traces/${traceId}`]: [200, JSON.stringify(stored)] });
  const { info, data } = await new TraceClient({ collector: collector.url, token: "sesame" }).getTrace(
    traceId,
  );
  assert.deepEqual(info, {
    traceId,
    state: "ERROR",
    startTime: "2026-11-22T01:45:34.500Z",
    durationMs: 500,
    tokenUsage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    cost: 0.25,
    tags: { env: "test" },
    requestPreview: '{"q":1}',
    responsePreview: undefined,
    assessments: [],
  });
  const [root, call] = data.spans;
  assert.deepEqual(
    [root?.name, root?.service, root?.status, root?.statusMessage],
    ["conversation user", "desk", "ERROR", "no"],
  );
  assert.deepEqual([root?.inputs, root?.attributes["list"]], [{ q: 1 }, ["a"]]);
  assert.deepEqual([call?.parentId, call?.spanType, call?.durationMs], ["1".repeat(16), "llm", 100]);
  assert.deepEqual(call?.outputs, [{ id: "m1" }]);
  assert.deepEqual(collector.tokens, ["Bearer sesame"]);
});

test("A preview is the root's last message, else its text, else its JSON, cut", async () => {
  const previewOf = async (key: string, text: string): Promise<string | undefined> => {
    const span = {
      ...spanDefaults,
      spanId: "1".repeat(16),
      name: "step",
      endTimeUnixNano: "1795311935000000000",
    };
    const attributes = [{ key, value: { stringValue: text } }];
    const trace = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, attributes }] }] }] };
    using collector = await startCollector({ [`/api/traces/${traceId}`]: [200, JSON.stringify(trace)] });
    const { info } = await new TraceClient({ collector: collector.url }).getTrace(traceId);
    return info.requestPreview;
  };
  const messages = [
    { role: "system", parts: [{ type: "text", content: "Be brief." }] },
    { role: "user", parts: [{ type: "text", content: "2+3" }, null, { type: "text", content: "?" }] },
  ];
  assert.equal(await previewOf("gen_ai.input.messages", JSON.stringify(messages)), "2+3?");
  assert.equal(await previewOf("gen_ai.tool.call.arguments", '{"a":1}'), '{"a":1}');
  assert.equal(await previewOf("weft.inputs", '"hello"'), "hello");
  assert.equal(await previewOf("weft.inputs", "[null]"), "[null]");
  assert.equal((await previewOf("weft.inputs", JSON.stringify("x".repeat(2_000))))?.length, 1_000);
});

test("searchTraces sends filter, order and page, and gives back the list", async () => {
  const list = { traces: [], nextPageToken: "p2" };
  using collector = await startCollector({ "/api/traces": [200, JSON.stringify(list)] });
  const client = new TraceClient({ collector: `${collector.url}/` });
  assert.deepEqual(await client.searchTraces({ filter: "trace.status = 'ERROR'", pageSize: 5 }), list);
  assert.deepEqual(collector.asked, ["/api/traces?filter=trace.status+%3D+%27ERROR%27&pageSize=5"]);
});

test("The collector's errors, a stranger's answers and silence become WeftErrors", async () => {
  using collector = await startCollector({ "/api/traces": [200, "<html>"] });
  const client = new TraceClient({ collector: collector.url });
  const codeOf = async (call: Promise<unknown>): Promise<string> => {
    const error: unknown = await call.catch((thrown: unknown) => thrown);
    return error instanceof WeftError ? error.code : "no error";
  };
  assert.equal(await codeOf(client.getTrace(traceId)), "not_found");
  assert.equal(await codeOf(client.searchTraces()), "protocol_error");
  assert.equal(
    await codeOf(new TraceClient({ collector: "http://127.0.0.1:9" }).searchTraces()),
    "unavailable",
  );
});

test("startSpan and endSpan work by ids, across threads too; ids that are none and spans of elsewhere are told apart", () => {
  using capture = captureSpans();
  const client = new TraceClient();
  const root = client.startTrace("root", { spanType: "AGENT", inputs: { a: 1 } });
  const child = client.startSpan({ traceId: root.traceId, name: "child of the root" });
  client.endSpan(root.traceId, child.spanId);
  const late = client.startSpan({ traceId: root.traceId, parentId: child.spanId, name: "of an ended one" });
  new TraceClient().endTrace(root.traceId, { status: "ERROR" });
  const names = capture.spans().map(({ name, parentSpanId, status }) => [name, parentSpanId, status.code]);
  assert.deepEqual(names, [
    ["child of the root", root.spanId, 0],
    ["of an ended one", child.spanId, 0],
    ["root", undefined, 2],
  ]);
  assert.equal(late.isRecording(), false, "the trace's end takes what is open along");
  assert.equal(getCurrentActiveSpan(), undefined);

  const elsewhere = { traceId: "c".repeat(32), parentId: "d".repeat(16) };
  const remote = client.startSpan({ ...elsewhere, name: "in a thread" });
  client.endSpan(elsewhere.traceId, remote.spanId, { attributes: { done: true } });
  assert.equal(capture.spans()[3]?.parentSpanId, elsewhere.parentId);
  assert.equal(capture.spans()[3]?.attributes["done"], true);

  const codeOf = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      if (error instanceof WeftError) return error.code;
    }
    return "no error";
  };
  assert.equal(
    codeOf(() => client.endTrace(root.traceId)),
    "not_found",
  );
  assert.equal(
    codeOf(() => client.endSpan(root.traceId, child.spanId)),
    "not_found",
  );
  assert.equal(
    codeOf(() => client.startSpan({ traceId: "e".repeat(32), name: "x" })),
    "not_found",
  );
  assert.equal(
    codeOf(() => client.startSpan({ traceId: "no", parentId: "id", name: "x" })),
    "invalid_argument",
  );
});
