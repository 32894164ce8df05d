/** `npm run demo`: arguments in, talk and tree on the screen, one JSON document with `--json`. */
import { WeftError } from "@weft/tracing";

import { parseDemoOptions, usage } from "./demo/options.ts";
import { runDemo } from "./demo/run-demo.ts";
import type { Screen } from "./demo/show-talk.ts";

/** With `--json` the talk goes to stderr, so that stdout is one JSON document. */
function screenOn(stream: NodeJS.WriteStream): Screen {
  return { write: (text) => void stream.write(text), colours: stream.isTTY && !process.env["NO_COLOR"] };
}

async function main(): Promise<void> {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(signal));
  const report = await runDemo(
    options,
    screenOn(options.json ? process.stderr : process.stdout),
    stop.signal,
  );
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
}

try {
  await main();
} catch (error) {
  const failure = WeftError.from(error);
  process.stderr.write(`${failure.message}\n`);
  process.exitCode = failure.code === "invalid_argument" ? 2 : 1;
}
