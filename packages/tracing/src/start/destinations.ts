import { WeftError } from "../errors/weft-error.ts";
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
    const protocol = readOtlp(environment, "PROTOCOL") ?? "http/protobuf";
    if (protocol !== "http/protobuf")
      warnOnce(`Spans go out as http/protobuf; OTEL_EXPORTER_OTLP_PROTOCOL says ${protocol}.`);
    const headers = { ...parsePairs(readOtlp(environment, "HEADERS")), ...options.headers };
    destinations.push({ kind: "otlp", url: endpoint, base: endpoint, headers, ...common });
  }
  return destinations;
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
