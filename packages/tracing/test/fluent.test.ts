import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  bindContext,
  disableTracing,
  enableTracing,
  extract,
  getCurrentActiveSpan,
  getLastActiveTraceId,
  inject,
  propagateAttributes,
  SpanType,
  startSpan,
  trace,
  updateCurrentTrace,
  withContext,
  withSpan,
} from "../src/index.ts";
import { captureSpans } from "../src/internal.ts";

test("withSpan gives back what its function gives: a value, a promise, an error", async () => {
  using capture = captureSpans();
  assert.equal(
    withSpan("sync", () => 1),
    1,
  );
  assert.equal(await withSpan({ name: "async", spanType: SpanType.CHAIN }, async () => 2), 2);
  assert.throws(() =>
    withSpan("throws", () => {
      throw new TypeError("no");
    }),
  );
  await assert.rejects(withSpan("rejects", () => Promise.reject(new TypeError("no"))));
  assert.deepEqual(
    capture.spans().map(({ name, status, attributes }) => [name, status.code, attributes["weft.span.type"]]),
    [
      ["sync", SpanStatusCode.UNSET, undefined],
      ["async", SpanStatusCode.UNSET, "CHAIN"],
      ["throws", SpanStatusCode.ERROR, undefined],
      ["rejects", SpanStatusCode.ERROR, undefined],
    ],
  );
});

test("A span says inputs, outputs and token usage", async () => {
  using capture = captureSpans();
  await withSpan({ name: "step", inputs: { x: 1 } }, async (span) => {
    span.setOutputs({ y: [1, 2] }).setTokenUsage({ inputTokens: 3, outputTokens: 4, cacheReadTokens: 1 });
    assert.equal(getCurrentActiveSpan()?.spanId, span.spanId);
  });
  assert.deepEqual(capture.spans()[0]?.attributes, {
    "weft.inputs": '{"x":1}',
    "weft.outputs": '{"y":[1,2]}',
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.usage.cache_read.input_tokens": 1,
  });
});

test("startSpan takes a span or a context as parent, and `using` ends it", () => {
  using capture = captureSpans();
  {
    using parent = startSpan({ name: "parent", kind: SpanKind.SERVER });
    using child = startSpan({ name: "child", parent });
    using grandchild = startSpan({ name: "grandchild", parent: extract(inject({}, child.context)) });
    assert.equal(grandchild.traceId, parent.traceId);
    assert.equal(getCurrentActiveSpan(), undefined);
  }
  assert.deepEqual(
    capture.spans().map(({ name, parentIsRemote }) => [name, parentIsRemote]),
    [
      ["grandchild", true],
      ["child", false],
      ["parent", false],
    ],
  );
});

test("trace wraps a function: its name, its inputs, its outputs, its `this`", async () => {
  using capture = captureSpans();
  const counter = {
    base: 10,
    add: trace(async function add(this: { base: number }, a: number, b: number): Promise<number> {
      return this.base + a + b;
    }),
  };
  assert.equal(await counter.add(1, 2), 13);
  assert.equal(counter.add.name, "add");
  assert.equal(counter.add.length, 2);
  const plain = trace((options: { q: string }) => options.q.length, { name: "plain", spanType: "TOOL" });
  plain({ q: "four" });
  const chosen = trace((secret: string) => secret, { inputs: () => "hidden", outputs: () => "hidden too" });
  chosen("sesame");
  const [first, second, third] = capture.spans();
  assert.deepEqual([first?.name, first?.attributes["weft.inputs"]], ["add", '{"args":[1,2]}']);
  assert.equal(first?.attributes["weft.outputs"], "13");
  assert.deepEqual(second?.attributes, {
    "gen_ai.operation.name": "execute_tool",
    "weft.span.type": "TOOL",
    "weft.inputs": '{"q":"four"}',
    "weft.outputs": "4",
  });
  assert.deepEqual(
    [third?.attributes["weft.inputs"], third?.attributes["weft.outputs"]],
    ['"hidden"', '"hidden too"'],
  );
});

test("trace keeps a span open while a generator is read, and ends it when it is done, left or broken", async () => {
  using capture = captureSpans();
  const inside: (string | undefined)[] = [];
  const numbers = trace(async function* numbers(limit: number) {
    for (let value = 0; value < limit; value += 1) {
      inside.push(getCurrentActiveSpan()?.spanId);
      if (value === 3) throw new RangeError("three");
      yield value;
    }
  });
  const letters = trace(function* letters() {
    yield "a";
    yield "b";
  });
  for await (const _ of numbers(2));
  for await (const value of numbers(3)) if (value === 1) break;
  await assert.rejects(async () => {
    for await (const _ of numbers(9));
  });
  assert.deepEqual([...letters()], ["a", "b"]);
  const spans = capture.spans();
  assert.deepEqual(
    spans.map(({ name, status, attributes }) => [name, status.code, attributes["weft.outputs"]]),
    [
      ["numbers", SpanStatusCode.UNSET, "[0,1]"],
      ["numbers", SpanStatusCode.UNSET, "[0,1]"],
      ["numbers", SpanStatusCode.ERROR, "[0,1,2]"],
      ["letters", SpanStatusCode.UNSET, '["a","b"]'],
    ],
  );
  assert.equal(inside[0], spans[0]?.spanId);
});

test("A recording function that throws does not break the call", () => {
  using capture = captureSpans();
  const fail = (): never => {
    throw new TypeError("recording");
  };
  const careful = trace((x: number) => x + 1, { name: "careful", inputs: fail, outputs: fail });
  assert.equal(careful(1), 2);
  assert.equal(capture.spans()[0]?.status.code, SpanStatusCode.UNSET);
});

test("updateCurrentTrace and propagateAttributes put tags, session and user on spans", () => {
  using capture = captureSpans();
  propagateAttributes({ sessionId: "s1", tags: { env: "test" } }, () => {
    withSpan("outer", () => {
      updateCurrentTrace({ userId: "u1", tags: { team: "a" }, requestPreview: "2+3?" });
      withSpan("inner", () => {});
    });
  });
  updateCurrentTrace({ userId: "nobody" });
  const [inner, outer] = capture.spans();
  assert.deepEqual(inner?.attributes, { "weft.tag.env": "test", "session.id": "s1" });
  assert.deepEqual(outer?.attributes, {
    "weft.tag.env": "test",
    "session.id": "s1",
    "weft.tag.team": "a",
    "user.id": "u1",
    "weft.trace.request_preview": "2+3?",
  });
});

test("The last active trace is the one around, else the one that began last", () => {
  using capture = captureSpans();
  withSpan("first", (span) => assert.equal(getLastActiveTraceId(), span.traceId));
  withSpan("second", () => withSpan("nested", () => {}));
  assert.equal(getLastActiveTraceId(), capture.spans().at(-1)?.traceId);
});

test("Disabled, nothing is recorded and context still passes", () => {
  using capture = captureSpans();
  withSpan("on", (on) => {
    disableTracing();
    withSpan("off", (off) => assert.equal(off.traceId, on.traceId));
    enableTracing();
  });
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["on"],
  );
});

test("inject writes into records and Headers; extract reads both", () => {
  using _capture = captureSpans();
  using span = startSpan("out");
  const headers = inject(new Headers(), span.context);
  const record = inject({ accept: "x" }, span.context);
  assert.equal(headers.get("traceparent"), (record as Record<string, string>)["traceparent"]);
  for (const carrier of [headers, record]) {
    using child = startSpan({ name: "in", parent: extract(carrier) });
    assert.equal(child.traceId, span.traceId);
  }
  using fresh = startSpan({ name: "fresh", parent: extract({ traceparent: "bad" }) });
  assert.notEqual(fresh.traceId, span.traceId);
});

test("withContext and bindContext bring callbacks and emitters home", () => {
  using _capture = captureSpans();
  using span = startSpan("home");
  const here = (): string | undefined => getCurrentActiveSpan()?.spanId;
  assert.equal(withContext(span.context, here), span.spanId);
  assert.equal(bindContext(here, span.context)(), span.spanId);
  const emitter = bindContext(new EventEmitter(), span.context);
  let seen: string | undefined;
  emitter.on("event", () => (seen = here()));
  emitter.emit("event");
  assert.equal(seen, span.spanId);
});

test("As a decorator, trace is called with the method and its context", () => {
  using capture = captureSpans();
  const context = {
    kind: "method",
    name: "greet",
    addInitializer() {},
  } as unknown as ClassMethodDecoratorContext;
  const method = function (this: { who: string }): string {
    return `hello ${this.who}`;
  };
  const plain = trace(method, context);
  const named = trace({ name: "greeting", spanType: SpanType.AGENT })(method, context);
  assert.equal(plain.call({ who: "Alice" }), "hello Alice");
  assert.equal(named.call({ who: "Bob" }), "hello Bob");
  assert.deepEqual(
    capture.spans().map(({ name }) => name),
    ["greet", "greeting"],
  );
});

/** A query builder as the field has them: it runs at its `then`, each step gives a new one, and it has methods of its own. */
class Query {
  readonly #parts: readonly string[];
  readonly #run: () => void;
  constructor(run: () => void, parts: readonly string[] = []) {
    this.#run = run;
    this.#parts = parts;
  }
  where(part: string): Query {
    return new Query(this.#run, [...this.#parts, part]);
  }
  toString(): string {
    return this.#parts.join(" and ");
  }
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  then<A, B>(onValue?: (rows: string) => A, onError?: (error: unknown) => B): Promise<A | B> {
    this.#run();
    return Promise.resolve(`rows where ${this.toString()}`).then(onValue, onError);
  }
}

test("A foreign thenable keeps its methods, runs once, at its then and inside the span", async () => {
  using capture = captureSpans();
  let runs = 0;
  let inside: string | undefined;
  const find = trace(
    function find() {
      return new Query(() => {
        runs += 1;
        inside = getCurrentActiveSpan()?.spanId;
      });
    },
    { spanType: "TOOL" },
  );
  const query = find().where("a").where("b");
  assert.equal(String(query), "a and b");
  assert.ok(query instanceof Query);
  assert.equal(runs, 0);
  assert.equal(await query, "rows where a and b");
  assert.equal(runs, 1);
  const [span, ...others] = capture.spans();
  assert.equal(others.length, 0);
  assert.equal(inside, span?.spanId);
  assert.equal(span?.attributes["weft.outputs"], '"rows where a and b"');
});

/** A client's promise, as OpenAI's: a Promise by class, with a second way to its result. */
class ApiPromise<T> extends Promise<T> {
  withResponse(): Promise<{ data: T; status: number }> {
    return this.then((data) => ({ data, status: 200 }));
  }
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
}

test("A promise of a subclass keeps its methods; whichever brings the result ends the span, and a failure is one", async () => {
  using capture = captureSpans();
  const call = trace(
    (fails: boolean) => {
      return fails ? ApiPromise.reject<string>(new TypeError("no")) : ApiPromise.resolve("data");
    },
    { name: "call" },
  );
  assert.deepEqual(await (call(false) as ApiPromise<string>).withResponse(), { data: "data", status: 200 });
  assert.equal(await call(false), "data");
  await assert.rejects(call(true), TypeError);
  let caught: unknown;
  await call(true).catch((error: unknown) => (caught = error));
  assert.ok(caught instanceof TypeError);
  assert.equal(await call(false).finally(() => {}), "data");
  assert.deepEqual(
    capture.spans().map(({ status }) => status.code),
    [0, 0, 2, 2, 0],
  );
});

test("An async generator's outputs are its chunks, or what a reducer makes of them; one that a promise brings counts too", async () => {
  using capture = captureSpans();
  async function* words(): AsyncGenerator<string> {
    yield "a";
    yield "b";
  }
  const joined = trace(words, { outputs: (chunks) => (chunks as string[]).join("") });
  const later = trace(async () => words(), { name: "later" });
  const many = trace(function* many() {
    for (let at = 0; at < 5000; at += 1) yield at;
  });
  for await (const _ of joined());
  for await (const _ of await later()) assert.equal(capture.spans().length, 1, "still open while it is read");
  assert.equal([...many()].length, 5000);
  const [first, second, third] = capture.spans();
  assert.equal(first?.attributes["weft.outputs"], '"ab"');
  assert.deepEqual([second?.name, second?.attributes["weft.outputs"]], ["later", '["a","b"]']);
  assert.equal((JSON.parse(String(third?.attributes["weft.outputs"])) as unknown[]).length, 1000);
});

test("A retrieval span says its documents in the conventions' form", async () => {
  using capture = captureSpans();
  const search = trace(
    async (_query: string) => [
      { page_content: "Paris is in France.", metadata: { source: "atlas" }, id: "d1" },
      { pageContent: "Rome is in Italy.", score: 0.5 },
      "a bare text",
    ],
    { name: "search", spanType: SpanType.RETRIEVER },
  );
  await search("Where is Paris?");
  const [span] = capture.spans();
  assert.equal(span?.attributes["gen_ai.operation.name"], "retrieval");
  assert.deepEqual(JSON.parse(String(span?.attributes["gen_ai.retrieval.documents"])), [
    { metadata: { source: "atlas" }, id: "d1", content: "Paris is in France." },
    { score: 0.5, content: "Rome is in Italy." },
    { content: "a bare text" },
  ]);
  assert.equal(span?.attributes["weft.outputs"], undefined);
});

test("Events and exceptions stand on the span; what was thrown and caught again leaves it no error", () => {
  using capture = captureSpans();
  withSpan("careful", (span) => {
    span.addEvent("cache miss", { key: "k" });
    try {
      throw new TypeError("recovered");
    } catch (error) {
      span.recordException(error as Error);
    }
  });
  const [span] = capture.spans();
  assert.deepEqual(
    span?.events.map(({ name }) => name),
    ["cache miss", "exception"],
  );
  assert.equal(span?.events[1]?.attributes["exception.type"], "TypeError");
  assert.equal(span?.status.code, SpanStatusCode.UNSET);
});

test("Of 100 calls at once each learns its own trace right after it, nested or not", async () => {
  using _capture = captureSpans();
  const step = trace(async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, n % 7));
    return getLastActiveTraceId();
  });
  const asked = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const own = await step(at);
      await Promise.resolve();
      return [own, getLastActiveTraceId()] as const;
    }),
  );
  for (const [own, after] of asked) assert.equal(after, own);
  assert.equal(new Set(asked.map(([own]) => own)).size, 100);
});

test("Who cannot know which of several traces was its own is told none, never another's", async () => {
  using _capture = captureSpans();
  const hidden = async (name: string, wait: Promise<void>): Promise<string> => {
    await Promise.resolve();
    return withSpan(name, async (span) => {
      await wait;
      return span.traceId;
    });
  };
  const gate = Promise.withResolvers<void>();
  const answers: (readonly [string, string | undefined])[] = [];
  const ask = async (name: string): Promise<void> => {
    const own = await hidden(name, gate.promise);
    answers.push([own, getLastActiveTraceId()]);
  };
  const both = Promise.all([ask("one"), ask("two")]);
  await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  await both;
  for (const [own, told] of answers) assert.ok(told === undefined || told === own);
  const alone = await hidden("alone", Promise.resolve());
  assert.equal(getLastActiveTraceId(), alone);
});
