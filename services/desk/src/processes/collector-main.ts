/**
 * The demo's collector in a process of its own: `collector-main <port>`. Keeps traces in memory, writes one line of
 * JSON when it is ready, `{"url":"http://127.0.0.1:4318"}`, and stops when its standard input ends.
 */
import { startCollector } from "@weft/collector";

import { untilStdinEnds } from "./until-stdin-ends.ts";

const collector = await startCollector({ port: Number(process.argv[2] ?? 0) });
process.stdout.write(`${JSON.stringify({ url: collector.url })}\n`);
await untilStdinEnds();
await collector.close();
