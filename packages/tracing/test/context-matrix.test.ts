/**
 * The context matrix: the active span reaches what a piece of work calls, whatever carries it there. Each entry runs in this Node, and the
 * whole file again in the one that `WEFT_NODE_26` names.
 */
import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { EventEmitter, on, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { setImmediate as immediate, setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { WebSocket, WebSocketServer } from "ws";
// @boundaries-ignore tests of every package share the one list of requirements
import { locate, requires } from "../../../test/support/requires.ts";
// @boundaries-ignore tests of every package share the one spawnNode
// @boundaries-ignore the one way to start a Node
import { spawnNode } from "../../../scripts/spawn-node.ts";
import { bindContext, extract, inject, startSpan, trace, withContext, withSpan } from "../src/index.ts";
import { bindGenerator, captureSpans, traceIdOf } from "../src/internal.ts";
import type { CapturedSpan } from "../src/internal.ts";

/** Runs `work` in a span "caller"; every span named "step" that it makes must be that span's child. */
function matrix(entry: string, steps: number, work: () => Promise<unknown>): void {
  test(`Context matrix: ${entry}`, async () => {
    using capture = captureSpans();
    await withSpan("caller", work);
    const spans = capture.spans();
    const caller = spans.find(({ name }) => name === "caller");
    assert.ok(caller !== undefined);
    const made = spans.filter(({ name }) => name === "step");
    assert.equal(made.length, steps);
    for (const step of made) {
      assert.deepEqual([step.traceId, step.parentSpanId], [caller.traceId, caller.spanId]);
    }
    assert.equal(traceIdOf(), undefined, "nothing of it is left behind");
  });
}

function step(): void {
  startSpan("step").end();
}

matrix("promises, awaited and chained", 3, async () => {
  await Promise.resolve();
  step();
  await Promise.resolve().then(step);
  await Promise.all([immediate(), immediate().then(step)]);
});

matrix("foreign thenables, awaited", 2, async () => {
  const lazy: PromiseLike<number> = {
    // oxlint-disable-next-line unicorn/no-thenable -- a query builder of the field is just that
    then: (resolve, reject) => {
      step();
      return immediate(1).then(resolve, reject);
    },
  };
  assert.equal(await lazy, 1);
  step();
});

matrix("timers: setTimeout, setImmediate, setInterval, nextTick, queueMicrotask", 6, async () => {
  const all = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const done = (at: number) => (): void => {
    step();
    all[at]?.resolve();
  };
  setTimeout(done(0), 0);
  setImmediate(done(1));
  const interval = setInterval(() => {
    clearInterval(interval);
    done(2)();
  }, 0);
  process.nextTick(done(3));
  queueMicrotask(done(4));
  await Promise.all(all.map(({ promise }) => promise));
  await delay(0);
  step();
});

matrix("streams: a transform in a pipeline, and a web stream", 5, async () => {
  const transform = new Transform({
    objectMode: true,
    transform: (chunk: unknown, _encoding, callback) => {
      step();
      setImmediate(() => callback(null, chunk));
    },
  });
  await pipeline(Readable.from(["a", "b"]), transform, async (source) => {
    for await (const _ of source);
    step();
  });
  const web = new ReadableStream<number>({
    pull(controller) {
      step();
      controller.enqueue(1);
      controller.close();
    },
  });
  for await (const _ of web) step();
});

matrix("an HTTP request's answer", 2, async () => {
  const server = createServer((_request, response) => void response.end("ok"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  step();
  await response.text();
  step();
  server.closeAllConnections();
  server.close();
});

matrix("an async generator consumed elsewhere", 3, async () => {
  async function* source(): AsyncGenerator<number> {
    step();
    yield 1;
    await immediate();
    step();
    yield 2;
    step();
  }
  const bound = bindGenerator(startedContext(), source());
  await withSpan("elsewhere", async () => {
    for await (const _ of bound);
  });
});

matrix("an async generator abandoned elsewhere cleans up at home", 2, async () => {
  async function* source(): AsyncGenerator<number> {
    try {
      step();
      yield 1;
      yield 2;
    } finally {
      await immediate();
      step();
    }
  }
  const bound = bindGenerator(startedContext(), source());
  await withSpan("elsewhere", async () => {
    for await (const _ of bound) break;
  });
});

test("Context matrix: a traced async generator, consumed and abandoned elsewhere, ends its span where it began", async () => {
  using capture = captureSpans();
  const traced = trace(async function* chunks() {
    step();
    yield 1;
    step();
    yield 2;
  });
  const generator = await withSpan("caller", async () => ({ read: traced() }));
  await withSpan("elsewhere", async () => {
    for await (const _ of generator.read) break;
  });
  const named = byName(capture.spans());
  assert.equal(named.get("chunks")?.parentSpanId, named.get("caller")?.spanId);
  assert.equal(named.get("step")?.parentSpanId, named.get("chunks")?.spanId);
  assert.equal(named.get("elsewhere")?.parentSpanId, undefined);
});

matrix("an emitter whose listeners are bound", 2, async () => {
  const emitter = bindContext(new EventEmitter());
  emitter.on("work", step);
  const bare = new EventEmitter();
  bare.on("work", bindContext(step));
  withContext(extract({}), () => emitter.emit("work"));
  withContext(extract({}), () => bare.emit("work"));
});

matrix("events awaited with once and on", 2, async () => {
  const emitter = new EventEmitter();
  setImmediate(() => emitter.emit("one"));
  await once(emitter, "one");
  step();
  setImmediate(() => emitter.emit("many", 1));
  for await (const _ of on(emitter, "many")) {
    step();
    break;
  }
});

test("Context matrix: ws handlers of both sides, each frame with a context of its own", async () => {
  using capture = captureSpans();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { carrier: Record<string, string> };
      void withSpan({ name: "served", parent: extract(frame.carrier) }, async () => {
        await immediate();
        step();
        socket.send(JSON.stringify({ carrier: inject() }));
      });
    });
  });
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, "open");
  const ask = (name: string): Promise<void> =>
    withSpan(name, async () => {
      const answered = Promise.withResolvers<void>();
      const own = traceIdOf();
      const listener = bindContext((data: Buffer) => {
        const frame = JSON.parse(data.toString()) as { carrier: Record<string, string> };
        if (!frame.carrier["traceparent"]?.includes(own ?? "none")) return;
        startSpan("answer").end();
        socket.off("message", listener);
        answered.resolve();
      });
      socket.on("message", listener);
      socket.send(JSON.stringify({ carrier: inject() }));
      await answered.promise;
    });
  await Promise.all([ask("first"), ask("second")]);
  socket.terminate();
  server.close();
  for (const name of ["first", "second"]) {
    const asked = capture.spans().find((span) => span.name === name);
    const inTrace = capture.spans().filter(({ traceId }) => traceId === asked?.traceId);
    const named = byName(inTrace);
    assert.equal(inTrace.length, 4, "asked, served, step, answer");
    assert.equal(named.get("served")?.parentSpanId, asked?.spanId);
    assert.equal(named.get("step")?.parentSpanId, named.get("served")?.spanId);
    assert.equal(named.get("answer")?.parentSpanId, asked?.spanId);
  }
});

test("Context matrix: a worker thread continues the trace from the strings it is given, and its answer comes home", async () => {
  using capture = captureSpans();
  const program = new URL("programs/traced-worker.ts", import.meta.url);
  await withSpan("caller", async () => {
    const worker = new Worker(program, { workerData: inject(), execArgv: ["--conditions=@weft/source"] });
    const [inside] = (await once(worker, "message")) as [CapturedSpan];
    step();
    await worker.terminate();
    const caller = startSpan("probe");
    assert.equal(inside.traceId, caller.traceId);
    assert.equal(inside.name, "in the worker");
    assert.equal(inside.parentIsRemote, true);
    caller.end();
  });
  const named = byName(capture.spans());
  assert.equal(named.get("step")?.parentSpanId, named.get("caller")?.spanId);
});

/** A pool as database drivers have them: a connection that was opened under somebody else serves whoever waits. */
class Pool {
  readonly #waiting: (() => void)[] = [];
  run(task: () => void, bind: (task: () => void) => () => void): Promise<void> {
    return new Promise((resolve) => {
      const bound = bind(task);
      this.#waiting.push(() => {
        bound();
        resolve();
      });
    });
  }
  drain(): void {
    for (const task of this.#waiting.splice(0)) task();
  }
}

matrix("pools: tasks bound with AsyncResource and with bindContext", 2, async () => {
  const pool = new Pool();
  const tasks = [
    pool.run(step, (task) => AsyncResource.bind(task)),
    pool.run(step, (task) => bindContext(task)),
  ];
  withSpan("another's connection", () => pool.drain());
  await Promise.all(tasks);
});

test("100 parallel requests of one trace in one process: no orphan, each span under its own request", async () => {
  using capture = captureSpans();
  const server = createServer((request, response) => {
    void withSpan({ name: "serve", parent: extract(request.headers) }, async (span) => {
      span.setAttribute("path", request.url ?? "");
      await immediate();
      await withSpan("tool", async (tool) => {
        await delay(0);
        tool.setAttribute("path", request.url ?? "");
      });
      response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await withSpan("conversation", () =>
    Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        withSpan("ask", async (span) => {
          span.setAttribute("path", `/${at}`);
          const response = await fetch(`${url}/${at}`, { headers: inject() });
          await response.text();
        }),
      ),
    ),
  );
  server.closeAllConnections();
  server.close();
  const spans = capture.spans();
  const ids = new Map(spans.map((span) => [span.spanId, span]));
  assert.equal(spans.length, 301);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  const orphans = spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId));
  assert.deepEqual([roots.length, orphans.length], [1, 0]);
  for (const { name, parentSpanId, attributes } of spans) {
    if (name === "serve" || name === "tool") {
      assert.equal(ids.get(parentSpanId ?? "")?.attributes["path"], attributes["path"]);
    }
  }
});

const skip = process.versions.node.startsWith("26.") ? "this is Node 26" : requires("node26");

test("Context matrix on Node 26", { skip }, async () => {
  const { WEFT_NODE_26: _node, NODE_TEST_CONTEXT: _context, ...environment } = process.env;
  const child = spawnNode(import.meta.url, [], {
    node: locate("node26") ?? "",
    execArgv: ["--test"],
    env: environment,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data: Buffer) => (output += String(data)));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, output);
});

function startedContext(): ReturnType<typeof extract> {
  return extract(inject());
}

function byName(spans: readonly CapturedSpan[]): ReadonlyMap<string, CapturedSpan> {
  return new Map(spans.map((span) => [span.name, span]));
}
