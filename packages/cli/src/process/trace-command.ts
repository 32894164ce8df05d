import { startTracing } from "@weft/tracing/node";
import type { Tracing } from "@weft/tracing/node";
import type { Terminal } from "../command/command.ts";

const settings = ["WEFT_COLLECTOR", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/** Traces this process when the environment says where to; without that, context still travels on. */
export function traceCommand(serviceName: string, { env }: Terminal): Tracing | undefined {
  if (!settings.some((name) => (env[name] ?? "") !== "")) return undefined;
  const name = env["OTEL_SERVICE_NAME"];
  return startTracing({ serviceName: name === undefined || name === "" ? serviceName : name });
}
