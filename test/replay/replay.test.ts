/**
 * Real recorded conversations, replayed: every agent is a service of its own that answers from the record, a group
 * chat asks them in the recorded order, and what the collector gives back is the record, in one trace with one root.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";

import { GroupChat, remoteAgent } from "@weft/agents";
import { startCollector } from "@weft/collector";
import { serve } from "@weft/runtime";
import { flushTraces } from "@weft/tracing";
import type { Transcript } from "@weft/tracing/http";
import { startTracing } from "@weft/tracing/node";

import { recordings, speakersOf, type Recording } from "../support/conversations.ts";
import { recordedAgent } from "../support/recorded-agent.ts";
import { locate, requires } from "../support/requires.ts";
import { startService } from "../support/start-service.ts";
import { waitForTrace } from "../support/trace-check.ts";

const skip = requires("conversations");
let collector: Awaited<ReturnType<typeof startCollector>>;
let tracing: ReturnType<typeof startTracing>;

before(async () => {
  collector = await startCollector({ port: 0 });
  tracing = startTracing({ serviceName: "chat", collector: collector.url });
});
after(async () => {
  await tracing[Symbol.asyncDispose]();
  await collector.close();
});

async function replay(recording: Recording, urls: ReadonlyMap<string, string>): Promise<string> {
  const members = await Promise.all(
    speakersOf(recording).map((name) => remoteAgent(urls.get(name)!, { name })),
  );
  const { history } = recording;
  const team = new GroupChat({
    name: recording.id,
    agents: members,
    speakerSelection: ({ messages }) => history[messages.length]?.name ?? null,
    maxRound: history.length,
    isTerminationMessage: () => false,
  });
  const result = await team.run(history[0]!, { signal: AbortSignal.timeout(60_000) }).result;
  assert.equal(result.history.length, history.length);
  await flushTraces();
  return result.traceId!;
}

async function assertRecorded(recording: Recording, traceId: string): Promise<void> {
  const servers = recording.history.length - 1;
  const trace = await waitForTrace(
    collector.url,
    traceId,
    ({ roots, orphans, spans }) =>
      roots.length === 1 &&
      orphans.length === 0 &&
      spans.filter((span) => span.kind === "server").length === servers,
  );
  assert.deepEqual(trace.strayServers, []);
  const response = await fetch(`${collector.url}/api/traces/${traceId}/transcript`);
  const { messages } = (await response.json()) as Transcript;
  assert.deepEqual(
    messages.map(({ from, text }) => ({ name: from, content: text })),
    recording.history.map(({ name, content }) => ({ name, content })),
  );
}

test("recordings are there to be replayed", { skip }, () => {
  assert.ok(recordings().length >= 24);
});

for (const recording of recordings()) {
  test(`${recording.id} comes back from the collector as it was recorded`, { skip }, async (t) => {
    const urls = new Map<string, string>();
    for (const name of speakersOf(recording)) {
      const service = await serve(recordedAgent(name, recording), { port: 0, bindings: ["jsonrpc"] });
      t.after(() => service[Symbol.asyncDispose]());
      urls.set(name, service.url);
    }
    await assertRecorded(recording, await replay(recording, urls));
  });
}

test("agents in processes of their own give the same trace", { skip }, async (t: TestContext) => {
  const recording = recordings().find(({ id }) => id === "ag-113") ?? recordings()[0]!;
  const file = join(locate("conversations")!, `${recording.id}.json`);
  const module = new URL("./agent-service.ts", import.meta.url);
  const started = speakersOf(recording).map(async (name) => {
    const { url } = await startService(t, module, [file, name], { WEFT_COLLECTOR: collector.url });
    return [name, url] as const;
  });
  await assertRecorded(recording, await replay(recording, new Map(await Promise.all(started))));
});
