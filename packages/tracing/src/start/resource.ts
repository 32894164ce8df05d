import { randomUUID } from "node:crypto";
import process from "node:process";
import type { Attributes } from "@opentelemetry/api";
import { Attr } from "../vocabulary.ts";
import { libraryName, version } from "../version.ts";
import { parsePairs } from "./parse-pairs.ts";
import type { TracingOptions } from "./tracing-options.ts";

/** Who this process is; the same on every span. Later sources win: environment, then code. */
export function buildResource(options: TracingOptions, environment: NodeJS.ProcessEnv): Attributes {
  const fromEnvironment = parsePairs(environment["OTEL_RESOURCE_ATTRIBUTES"]);
  const named = environment["OTEL_SERVICE_NAME"]?.trim();
  return {
    [Attr.serviceName]: "unknown_service:node",
    [Attr.serviceInstanceId]: randomUUID(),
    ...fromEnvironment,
    ...(named ? { [Attr.serviceName]: named } : {}),
    ...options.resource,
    ...(options.serviceName === undefined ? {} : { [Attr.serviceName]: options.serviceName }),
    ...(options.serviceVersion === undefined ? {} : { [Attr.serviceVersion]: options.serviceVersion }),
    ...(options.experiment === undefined ? {} : { [Attr.experiment]: options.experiment }),
    [Attr.processPid]: process.pid,
    [Attr.processRuntimeName]: "nodejs",
    [Attr.processRuntimeVersion]: process.versions.node,
    [Attr.telemetrySdkName]: libraryName,
    [Attr.telemetrySdkVersion]: version,
    [Attr.telemetrySdkLanguage]: "nodejs",
  };
}
