/** Weft: `startTracing` and its own exporter. `weft full` captures everything, whatever its size. */
import process from "node:process";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { startTracing } from "@weft/tracing/node";
import { withSpan } from "@weft/tracing";
import { OtlpWriter } from "../../../packages/tracing/src/export/otlp-writer.ts";
import type { SpanRecord } from "../../../packages/tracing/src/spans/span-record.ts";
import { runSubject } from "./run-subject.ts";

const [, url, name] = process.argv.slice(2);
const everything = { attributeBytes: 64 << 20, spanBytes: 64 << 20 };
const tracing = startTracing({
  serviceName: "bench",
  endpoint: url ?? "",
  content: "full",
  ...(name === "weft full" ? { contentBudget: everything } : {}),
});
const tracer = trace.getTracer("bench");
const writer = new OtlpWriter({ "service.name": "bench" }, "");

function record(text: string): SpanRecord {
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    parentIsRemote: false,
    traceFlags: 1,
    traceState: "",
    scope,
    kind: 0,
    name: "chat gpt",
    startTime: 1_795_311_934_547,
    endTime: 1_795_311_934_548.5,
    attributes: { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12, text },
    droppedAttributes: 0,
    events: [],
    droppedEvents: 0,
    links: [],
    droppedLinks: 0,
    status: { code: 0 },
  };
}
const scope = { name: "bench" };

async function step(): Promise<void> {}

await runSubject({
  bare: () => tracer.startSpan("span", {}, ROOT_CONTEXT).end(),
  attributes: () => {
    const span = tracer.startSpan("span", {}, ROOT_CONTEXT);
    span.setAttribute("a", "text").setAttribute("b", 1).setAttribute("c", true);
    span.setAttribute("d", "other text").setAttribute("e", 2.5).end();
  },
  turn: () =>
    withSpan("turn", async () => {
      for (let at = 0; at < 7; at += 1) {
        await withSpan({ name: "step", spanType: "TOOL", attributes: { at, kind: "step" } }, step);
      }
    }),
  content: (payload, reply) => {
    withSpan("call", (span) => {
      span.setInputs(payload);
      span.setOutputs({ reply });
    });
  },
  encode: (spans, text) => {
    const records = Array.from({ length: spans }, () => record(text));
    return () => writer.write(records).reduce((sum, part) => sum + part.length, 0);
  },
  drain: () => tracing.flush(),
});
