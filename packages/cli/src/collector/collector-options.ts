import type { Terminal } from "../command/command.ts";
import { defaultCollector } from "./collector-client.ts";
import type { CollectorTarget } from "./collector-client.ts";

/** Options of the commands that read traces. */
export const collectorOptions = { collector: { type: "string" }, token: { type: "string" } } as const;

export const collectorHelp = `  --collector <url>  the collector to read (WEFT_COLLECTOR; ${defaultCollector})
  --token <token>    its token (WEFT_TOKEN)`;

export function toTarget(
  values: { readonly collector?: string | undefined; readonly token?: string | undefined },
  { env, signal }: Terminal,
): CollectorTarget {
  const token = values.token ?? env["WEFT_TOKEN"];
  return {
    collector: values.collector ?? env["WEFT_COLLECTOR"] ?? defaultCollector,
    signal,
    ...(token === undefined || token === "" ? {} : { token }),
  };
}
