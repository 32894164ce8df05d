/** OpenTelemetry's SDK with its batch processor and its protobuf serializer. `32KB`: a capture budget, as instrumentations have it. */
import { request } from "node:http";
import process from "node:process";
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { ownContextManager } from "../../../packages/tracing/src/context/active-context.ts";
import { runSubject } from "./run-subject.ts";
import type { Payload } from "./run-subject.ts";

const [, url = "", name] = process.argv.slice(2);
const pending = new Set<Promise<void>>();

function post(body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/x-protobuf" };
    request(`${url}/v1/traces`, { method: "POST", headers }, (response) => {
      response.resume().on("end", () => resolve());
    })
      .on("error", reject)
      .end(body);
  });
}

const exporter: SpanExporter = {
  export(spans, done) {
    const body = ProtobufTraceSerializer.serializeRequest(spans);
    const deliver = async (): Promise<void> => {
      await post(body ?? new Uint8Array());
      done({ code: 0 });
    };
    const sent = deliver();
    pending.add(sent);
    void sent.finally(() => pending.delete(sent));
  },
  shutdown: async () => {},
};

context.setGlobalContextManager(ownContextManager);
const processor = new BatchSpanProcessor({ exporter, maxQueueSize: 100_000, maxExportBatchSize: 512 });
const provider = new TracerProvider({ spanProcessors: [processor] });
const tracer = provider.getTracer("bench");

function capture(payload: Payload): string {
  if (name !== "opentelemetry 32KB") return JSON.stringify(payload);
  let left = 32_768;
  const messages = payload.messages.map(({ role, content }) => {
    const kept = content.slice(0, left);
    left -= kept.length;
    return { role, content: kept };
  });
  return JSON.stringify({ messages });
}

function readable(text: string): ReadableSpan {
  const memory = new InMemorySpanExporter();
  const single = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12, text };
  single.getTracer("bench").startSpan("chat gpt", { attributes }, ROOT_CONTEXT).end();
  const [span] = memory.getFinishedSpans();
  if (span === undefined) throw new TypeError("the span did not end");
  return span;
}

await runSubject({
  bare: () => tracer.startSpan("span", {}, ROOT_CONTEXT).end(),
  attributes: () => {
    const span = tracer.startSpan("span", {}, ROOT_CONTEXT);
    span.setAttribute("a", "text").setAttribute("b", 1).setAttribute("c", true);
    span.setAttribute("d", "other text").setAttribute("e", 2.5).end();
  },
  turn: () =>
    tracer.startActiveSpan("turn", async (turn) => {
      for (let at = 0; at < 7; at += 1) {
        const attributes = { type: "TOOL", at, kind: "step", operation: "execute_tool" };
        await tracer.startActiveSpan("step", { attributes }, async (step) => step.end());
      }
      turn.end();
    }),
  content: (payload, reply) => {
    tracer.startActiveSpan("call", (span) => {
      span.setAttribute("inputs", capture(payload));
      span.setAttribute("outputs", JSON.stringify({ reply }));
      span.end();
    });
  },
  encode: (spans, text) => {
    const records = Array.from({ length: spans }, () => readable(text));
    return () => ProtobufTraceSerializer.serializeRequest(records)?.length ?? 0;
  },
  drain: async () => {
    await provider.forceFlush();
    await Promise.all(pending);
  },
});

trace.disable();
