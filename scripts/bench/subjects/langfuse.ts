/** Langfuse's packages, from scripts/bench/peers. */
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { runSubject } from "./run-subject.ts";
import type { Payload } from "./run-subject.ts";

const [, url = ""] = process.argv.slice(2);
const load = createRequire(join(process.env["WEFT_BENCH_PEERS"] ?? "", "package.json"));
interface Observation {
  update(fields: object): Observation;
  end(): void;
}
const { LangfuseSpanProcessor } = load("@langfuse/otel") as {
  LangfuseSpanProcessor: new (options: object) => { forceFlush(): Promise<void> };
};
const { startObservation, setLangfuseTracerProvider } = load("@langfuse/tracing") as {
  startObservation: (name: string, fields: object) => Observation;
  setLangfuseTracerProvider: (provider: object) => void;
};
const { BasicTracerProvider } = load("@opentelemetry/sdk-trace-base") as {
  BasicTracerProvider: new (options: object) => object;
};

const processor = new LangfuseSpanProcessor({
  baseUrl: url,
  publicKey: "pk-lf-bench",
  secretKey: "sk-lf-bench",
  flushAt: 100_000,
});
setLangfuseTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }));

await runSubject({
  content: (payload: Payload, reply) => {
    startObservation("call", { input: payload }).update({ output: { reply } }).end();
  },
  drain: () => processor.forceFlush(),
});
