import { readFileSync } from "node:fs";
import { WeftError } from "../errors/weft-error.ts";
import type { Certificates } from "../export/http-sender.ts";
import { parsePairs } from "./parse-pairs.ts";
import type { TracingOptions } from "./tracing-options.ts";
import { warnOnce } from "./warn-once.ts";

export interface Destination {
  readonly kind: "collector" | "otlp";
  /** Where the spans are posted to. */
  readonly url: string;
  /** The collector's own address, without a slash at its end. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  /** OTLP as JSON instead of protobuf. */
  readonly json: boolean;
  readonly certificates: Certificates | undefined;
}

const tracesPath = "/v1/traces";

/** Where spans go: a Weft collector, an OTLP backend, both, or nowhere. */
export function chooseDestinations(
  options: TracingOptions,
  environment: NodeJS.ProcessEnv,
): readonly Destination[] {
  const common = {
    gzip: (options.compression ?? readOtlp(environment, "COMPRESSION")) === "gzip",
    timeoutMs: positive(readOtlp(environment, "TIMEOUT")) ?? 10_000,
    certificates: readCertificates(environment),
    json: false,
  };
  const destinations: Destination[] = [];
  const collector = options.collector ?? text(environment["WEFT_COLLECTOR"]);
  if (collector !== undefined) {
    const base = checkUrl(collector, "collector");
    const token = options.token ?? text(environment["WEFT_TOKEN"]);
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    destinations.push({ kind: "collector", url: base + tracesPath, base, headers, ...common });
  }
  const endpoint = otlpUrl(options, environment);
  if (endpoint !== undefined && destinations.every((other) => other.url !== endpoint)) {
    const json = chooseEncoding(environment) === "http/json";
    const headers = { ...parsePairs(readOtlp(environment, "HEADERS")), ...options.headers };
    destinations.push({ kind: "otlp", url: endpoint, base: endpoint, headers, ...common, json });
  }
  return destinations;
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specify-protocol */
function chooseEncoding(environment: NodeJS.ProcessEnv): "http/protobuf" | "http/json" {
  const protocol = readOtlp(environment, "PROTOCOL") ?? "http/protobuf";
  if (protocol === "http/protobuf" || protocol === "http/json") return protocol;
  warnOnce(
    protocol === "grpc"
      ? "OTLP over gRPC is not supported: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and name the backend's HTTP port, usually 4318 instead of 4317. Spans go out as http/protobuf."
      : `Spans go out as http/protobuf; OTEL_EXPORTER_OTLP_PROTOCOL says ${protocol}, which is none of http/protobuf and http/json.`,
  );
  return "http/protobuf";
}

/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/#configuration-options */
function readCertificates(environment: NodeJS.ProcessEnv): Certificates | undefined {
  const ca = readPem(environment, "CERTIFICATE");
  const cert = readPem(environment, "CLIENT_CERTIFICATE");
  const key = readPem(environment, "CLIENT_KEY");
  return ca === undefined && cert === undefined && key === undefined ? undefined : { ca, cert, key };
}

function readPem(environment: NodeJS.ProcessEnv, name: string): Buffer | undefined {
  const path = readOtlp(environment, name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new WeftError(
      "invalid_argument",
      `OTEL_EXPORTER_OTLP_${name} names a file that cannot be read: ${path}`,
      {
        cause: error,
      },
    );
  }
}

function otlpUrl(options: TracingOptions, environment: NodeJS.ProcessEnv): string | undefined {
  if (options.endpoint !== undefined) return withTracesPath(checkUrl(options.endpoint, "endpoint"));
  if (environment["OTEL_TRACES_EXPORTER"]?.trim() === "none") return undefined;
  const exact = text(environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);
  if (exact !== undefined) return checkUrl(exact, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = text(environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
  return base === undefined ? undefined : checkUrl(base, "OTEL_EXPORTER_OTLP_ENDPOINT") + tracesPath;
}

/** The variable for traces wins over the one for all signals. */
function readOtlp(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  return (
    text(environment[`OTEL_EXPORTER_OTLP_TRACES_${name}`]) ?? text(environment[`OTEL_EXPORTER_OTLP_${name}`])
  );
}

function withTracesPath(url: string): string {
  return url.endsWith(tracesPath) ? url : url + tracesPath;
}

function checkUrl(value: string, name: string): string {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new WeftError(
      "invalid_argument",
      `${name} must be an http or https URL, for example http://127.0.0.1:4318.`,
    );
  }
  return value.replace(/\/+$/, "");
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === "" ? undefined : trimmed;
}

function positive(value: string | undefined): number | undefined {
  const number = Number(value);
  return number > 0 ? number : undefined;
}

/** Whether a URL names this machine by its loopback address. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return (
    host === "localhost" ||
    host.endsWith(".localhost") ||
    host === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(host)
  );
}
