/**
 * A desk service in a process of its own: `service-main <role>`. Writes one line of JSON when it is ready,
 * `{"url":"http://127.0.0.1:4001"}`, and stops when its standard input ends.
 */
import { serve } from "@weft/runtime";
import { WeftError } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

import { createCalculator } from "../agents/calculator.ts";
import { createChecker } from "../agents/checker.ts";
import { createPlanner } from "../agents/planner.ts";
import { bindingOf, isServiceRole } from "./service-role.ts";
import { untilStdinEnds } from "./until-stdin-ends.ts";

const agents = { planner: createPlanner, calculator: createCalculator, checker: createChecker };

async function main(role: string | undefined): Promise<void> {
  if (!isServiceRole(role)) {
    throw new WeftError(
      "invalid_argument",
      `No desk service is called "${role}": ${Object.keys(agents).join(", ")}.`,
    );
  }
  await using _tracing = startTracing({ serviceName: role });
  await using service = await serve(agents[role](), { port: 0, bindings: [bindingOf[role]] });
  process.stdout.write(`${JSON.stringify({ url: service.url })}\n`);
  await untilStdinEnds();
}

await main(process.argv[2]);
