/**
 * An application with OpenTelemetry's instrumentations of http and undici, on the tracing that its first argument names: an SDK of
 * version 2 or 3 that it set up itself, with Weft's processor, or "weft" alone. It calls itself, and prints what arrived on the wire.
 */
import process from "node:process";
import { createRequire } from "node:module";
import { once } from "node:events";
import type * as Http from "node:http";
import type { AddressInfo } from "node:net";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { BasicTracerProvider } from "otel-sdk-trace-2";
import { withSpan } from "@weft/tracing";
import {
  acceptCarrier,
  activeContext,
  injectCarrier,
  instrument,
  runInContext,
  suppressTracing,
} from "@weft/tracing/internal";
import { startTracing, WeftSpanProcessor } from "@weft/tracing/node";

const [version = "3", end = "shutdown"] = process.argv.slice(2);
const processor = version === "weft" ? undefined : new WeftSpanProcessor({ content: "delta" });
const attributes = { "service.name": `app on ${version}` };
const provider =
  processor === undefined
    ? undefined
    : version === "2"
      ? new BasicTracerProvider({
          spanProcessors: [processor],
          resource: { attributes, merge: (other: never) => other } as never,
        })
      : new TracerProvider({ spanProcessors: [processor], resource: resourceFromAttributes(attributes) });
const tracing = processor === undefined ? startTracing({ serviceName: "app on weft" }) : undefined;
if (provider !== undefined) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const { StrictPropagator } = await import("../../src/context/strict-propagator.ts");
  propagation.setGlobalPropagator(new StrictPropagator());
}
const instrumentations = [new HttpInstrumentation(), new UndiciInstrumentation()];
for (const instrumentation of instrumentations) {
  const active = trace.getTracerProvider();
  instrumentation.setTracerProvider(active);
  instrumentation.enable();
}
// Loaded after the instrumentation, as its documentation asks for.
const http = createRequire(import.meta.url)("node:http") as typeof Http;

const received: Record<string, string | string[] | undefined>[] = [];
const server = http.createServer((request, response) => {
  received.push({ path: request.url, traceparent: request.headersDistinct["traceparent"] });
  const { context: parent } = acceptCarrier({ headers: request.headers }, "parent", activeContext());
  void instrument({ name: `handle ${request.url ?? ""}`, parent }, async () => response.end("done"));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** As Weft sends: it writes the carrier itself, and nobody below it writes a second one. */
function send<T>(fn: (headers: Record<string, string>) => T): T {
  const headers = injectCarrier();
  return runInContext(suppressTracing(activeContext()), () => fn(headers));
}

async function read(response: NodeJS.ReadableStream): Promise<void> {
  response.resume();
  await once(response, "end");
}

async function ask(path: string, headers: Record<string, string>): Promise<void> {
  const [response] = (await once(http.get(url + path, { headers }), "response")) as [NodeJS.ReadableStream];
  await read(response);
}

await withSpan({ name: "outer", inputs: { secret: "sesame" } }, async () => {
  await send(async (headers) => (await fetch(`${url}/weft-undici`, { headers })).text());
  await send((headers) => ask("/weft-http", headers));
  // The application's own calls are the instrumentations' to trace.
  await (await fetch(`${url}/app-undici`)).text();
  await ask("/app-http", {});
});
server.close();
server.closeAllConnections();
if (end === "shutdown") await (processor ?? tracing)?.shutdown();
process.stdout.write(JSON.stringify(received));
