import { remoteAgent } from "@weft/agents";
import { fetchTrace, formatTrace } from "@weft/cli/internal";
import { flushTraces, WeftError } from "@weft/tracing";
import { startTracing } from "@weft/tracing/node";

import { createTeam } from "../agents/team.ts";
import { createWriter } from "../agents/writer.ts";
import { describeModel } from "../model/desk-model.ts";
import { bindingOf, type ServiceRole } from "../processes/service-role.ts";
import { startDesk, type Desk } from "../processes/start-desk.ts";
import type { DemoOptions } from "./options.ts";
import { readReport, type DemoReport } from "./report.ts";
import { TalkView, type Screen } from "./show-talk.ts";

/** The whole demo, from start to trace. */
const demoTimeoutMs = 120_000;
const viewerPort = 4318;

/**
 * Starts the desk, has the chat answer the question, and reads its trace back. With `once` everything is stopped
 * before it resolves; else it resolves when `stop` fires.
 */
export async function runDemo(options: DemoOptions, screen: Screen, stop: AbortSignal): Promise<DemoReport> {
  const deadline = AbortSignal.timeout(demoTimeoutMs);
  const signal = AbortSignal.any([stop, deadline]);
  screen.write(`Starting the collector and three services; they answer by ${describeModel()}.\n`);
  await using desk = await startDesk({ port: options.once ? 0 : viewerPort, signal });
  await using _tracing = startTracing({ serviceName: "desk", collector: desk.collector });
  const traceId = await talk(desk, options.question, screen, signal);
  await flushTraces();
  const report = await readReport(desk.collector, traceId, signal);
  const trace = await fetchTrace(traceId, { collector: desk.collector });
  screen.write(`\n${formatTrace(trace, { colour: screen.colours })}\n`);
  if (!options.once) {
    screen.write(`\nThe trace in the viewer: ${report.viewer}\nCtrl-C ends.\n`);
    await aborted(stop);
  }
  return report;
}

async function talk(desk: Desk, question: string, screen: Screen, signal: AbortSignal): Promise<string> {
  const remote = (role: ServiceRole) =>
    remoteAgent(desk.services[role], { name: role, binding: bindingOf[role] });
  const [planner, calculator, checker] = await Promise.all([
    remote("planner"),
    remote("calculator"),
    remote("checker"),
  ]);
  const team = createTeam({ planner, calculator, checker, writer: createWriter() });
  const view = new TalkView(screen);
  screen.write(`\n${question}\n\n`);
  const run = team.run(question, { signal });
  for await (const event of run) view.show(event);
  const { traceId } = await run.result;
  if (traceId === undefined) {
    throw new WeftError(
      "failed_precondition",
      "Tracing is switched off (WEFT_TRACING, OTEL_SDK_DISABLED): the demo shows a trace.",
    );
  }
  return traceId;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
