import { WeftError } from "@weft/tracing";

import { bindingOf, type ServiceRole } from "./service-role.ts";
import { startProcess, type DeskProcess } from "./start-process.ts";

/** The demo's processes, all ready. Disposing stops them, services before the collector that keeps their spans. */
export interface Desk extends AsyncDisposable {
  readonly collector: string;
  readonly services: Readonly<Record<ServiceRole, string>>;
}

export interface StartDeskOptions {
  /** Where the collector should listen; if that port is taken, any free one. Default 0: any free one. */
  readonly port?: number;
  readonly signal: AbortSignal;
}

const collectorModule = new URL(`./collector-main${extension()}`, import.meta.url);
const serviceModule = new URL(`./service-main${extension()}`, import.meta.url);

/** Starts the collector, then every service at once. Rejects with `unavailable` when one does not come up. */
export async function startDesk({ port = 0, signal }: StartDeskOptions): Promise<Desk> {
  const collector = await startCollectorProcess(port, signal);
  const roles = Object.keys(bindingOf) as ServiceRole[];
  const starts = await Promise.allSettled(
    roles.map((role) =>
      startProcess({
        name: role,
        module: serviceModule,
        args: [role],
        environment: { WEFT_COLLECTOR: collector.url },
        signal,
      }),
    ),
  );
  const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((service) => service[Symbol.asyncDispose]()));
    await collector[Symbol.asyncDispose]();
  };
  const failure = starts.find((start) => start.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw WeftError.from(failure.reason);
  }
  const urls = Object.fromEntries(started.map((service) => [service.name, service.url]));
  return {
    collector: collector.url,
    services: urls as Record<ServiceRole, string>,
    [Symbol.asyncDispose]: stop,
  };
}

async function startCollectorProcess(port: number, signal: AbortSignal): Promise<DeskProcess> {
  const start = (at: number) =>
    startProcess({ name: "collector", module: collectorModule, args: [String(at)], signal });
  if (port === 0) return start(0);
  return start(port).catch((error: unknown) => (signal.aborted ? Promise.reject(error) : start(0)));
}

/** Sources start sources, what is built starts what is built. */
function extension(): string {
  return import.meta.url.endsWith(".ts") ? ".ts" : ".js";
}
