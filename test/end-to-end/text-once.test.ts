/**
 * A process writes each text once (SPANS.md, Content), the results of tools included; and what any model call was sent can be put
 * together again from the stored trace alone, also when a span of it is missing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversableAgent, tool } from "@weft/agents";
import type { ModelRequest } from "@weft/agents";
import { scriptedModel } from "@weft/agents/testing";
import type { ScriptedStep } from "@weft/agents/testing";
import { startCollector } from "@weft/collector";
import type { OtlpSpan, OtlpTraces, SpanDetails, Transcript } from "@weft/tracing/http";
import { startTracing } from "@weft/tracing/node";
import { TraceViews, withNamedTexts } from "@weft/tracing/view";
import type { ViewItem } from "@weft/tracing/view";
import { Attr, Operations } from "@weft/tracing/vocabulary";

const turns = 40;

function words(count: number, seed: number): string {
  const known = ["history", "place", "trace", "message", "reader", "collector", "turn"];
  return Array.from({ length: count }, (_, at) => known[(at * seed + at) % 7]! + String(at ^ seed)).join(" ");
}

/** Alice talks; Bob looks things up first: with one tool call, with two at once, or with one that fails. */
async function talk(sent: ModelRequest[]) {
  const note = (request: ModelRequest): void =>
    void sent.push({ ...request, messages: [...request.messages] });
  let seed = 1;
  const say: ScriptedStep = (request) => (note(request), words(30, seed++));
  const call = (name: string) => ({ name, arguments: { question: words(seed % 2 ? 4 : 12, seed++) } });
  const ask =
    (...names: readonly string[]): ScriptedStep =>
    (request) => (note(request), { toolCalls: names.map(call) });
  const rounds = Array.from({ length: turns / 2 }, (_, at) => {
    const asked = at % 5 === 4 ? ask("fail") : at % 3 === 2 ? ask("search", "search") : ask("search");
    return [asked, say];
  });
  const parameters = {
    type: "object",
    properties: { question: { type: "string" } },
    required: ["question"],
  } as const;
  const search = tool({
    name: "search",
    description: "Searches.",
    parameters,
    execute: ({ question }) => `${question as string}: ${words(80, seed++)}`,
  });
  const fail = tool({
    name: "fail",
    description: "Fails.",
    parameters,
    execute: () => {
      throw new RangeError("there is nothing to be found");
    },
  });
  const settings = { humanInputMode: "NEVER" } as const;
  const alice = new ConversableAgent({
    name: "alice",
    systemMessage: `You are Alice. ${words(20, 3)}`,
    model: scriptedModel(Array.from({ length: turns / 2 }, () => say)),
    ...settings,
  });
  const bob = new ConversableAgent({
    name: "bob",
    systemMessage: `You are Bob. ${words(20, 5)}`,
    model: scriptedModel(rounds.flat()),
    tools: [search, fail],
    ...settings,
  });
  return alice.initiateChat(bob, { message: words(30, 99), maxTurns: turns / 2 });
}

/** The talk as a collector has it, with what each model call was sent, by its span. */
async function recordTalk() {
  await using collector = await startCollector({ port: 0, viewer: false });
  const sent: ModelRequest[] = [];
  const tracing = startTracing({ serviceName: "talk", collector: collector.url });
  const chat = await talk(sent);
  await tracing.shutdown();
  const read = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${collector.url}/api/traces/${chat.traceId}${path}`)).json()) as T;
  const trace = await read<OtlpTraces>("");
  const spans = spansOf(trace);
  const calls = spans.filter((span) => textOf(span, Attr.operationName) === Operations.chat);
  assert.equal(calls.length, sent.length);
  const ids = [...calls, ...spans.filter((span) => span.name.startsWith(Operations.executeTool))];
  const details = await read<SpanDetails>(`/spans?ids=${ids.map(({ spanId }) => spanId).join(",")}`);
  const transcript = await read<Transcript>("/transcript");
  return {
    chat,
    trace,
    details,
    transcript,
    sent: new Map(calls.map((span, at) => [span.spanId, sent[at]!])),
  };
}

function spansOf(trace: OtlpTraces): readonly OtlpSpan[] {
  const spans = trace.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return spans.toSorted((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1));
}

function textOf(span: OtlpSpan, key: string): string | undefined {
  return span.attributes?.find((pair) => pair.key === key)?.value.stringValue;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a record says, as texts: of a message its parts, of an instruction its content; roles are the reader's own. */
function textsIn(recorded: Fields | undefined): readonly unknown[] {
  const parts = (recorded?.["parts"] as readonly Fields[] | undefined) ?? [recorded ?? {}];
  return parts.map((part) => part["content"] ?? part["arguments"] ?? part["response"]);
}

function textsSent(request: ModelRequest): readonly (readonly unknown[])[] {
  const messages = request.messages.map(({ content, toolCalls = [], toolResponses = [] }) => [
    ...(content === null ? [] : [content]),
    ...toolCalls.map((call) => call.arguments),
    ...toolResponses.map((response) => response.content),
  ]);
  return request.system === undefined ? messages : [[request.system], ...messages];
}

const recordedTalk = recordTalk();

test("A process writes each text of a chat with tools once: at most 1.1 times the text", async (t) => {
  const { trace, sent } = await recordedTalk;
  const said = new Map<string, string>();
  for (const request of sent.values()) {
    for (const { id, content, toolCalls = [], toolResponses = [] } of request.messages) {
      const texts = [
        content,
        ...toolCalls.map((each) => each.arguments),
        ...toolResponses.map((each) => each.content),
      ];
      said.set(id, texts.filter((each) => typeof each === "string").join(""));
    }
    if (request.system !== undefined) said.set(request.system, request.system);
  }
  const last = [...sent.keys()].at(-1);
  let text = [...said.values()].reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  let written = 0;
  let framing = 0;
  const count = (value: unknown): void =>
    void (written += typeof value === "string" ? Buffer.byteLength(value) : 0);
  for (const span of spansOf(trace)) {
    for (const key of [Attr.inputMessages, Attr.outputMessages, Attr.systemInstructions]) {
      const json = textOf(span, key);
      if (json === undefined) continue;
      const texts = (JSON.parse(json) as readonly Fields[]).flatMap(textsIn);
      for (const each of texts) count(each);
      framing +=
        Buffer.byteLength(json) -
        texts.reduce<number>((sum, each) => sum + Buffer.byteLength(String(each)), 0);
      // The last answer was sent to nobody.
      if (span.spanId === last && key === Attr.outputMessages) text += Buffer.byteLength(String(texts[0]));
    }
    for (const key of [Attr.toolCallArguments, Attr.toolCallResult, Attr.chatSummary])
      count(textOf(span, key));
  }
  const ids = spansOf(trace)
    .flatMap(({ attributes = [] }) => attributes)
    .filter(({ key }) => key === Attr.context || key === Attr.historyAppends)
    .reduce((sum, { value }) => sum + JSON.stringify(value.arrayValue?.values).length, 0);
  t.diagnostic(
    `${String(text)} bytes of text, written ${(written / text).toFixed(3)} times; beside it ${String(framing)} bytes of JSON around messages, ${String(ids)} of ids and places`,
  );
  assert.ok(written / text <= 1.1);
  assert.ok(written >= text, "nothing is left out");
});

test("Every model call's view is rebuilt from the stored trace as the model was sent it", async () => {
  const { trace, sent, details } = await recordedTalk;
  const views = new TraceViews(trace);
  for (const [spanId, request] of sent) {
    const view = views.of(spanId);
    assert.deepEqual(
      view?.items.map(({ recorded }) => textsIn(recorded)),
      textsSent(request),
    );
    assert.equal(view?.complete, true);
    const context = details.spans.find(({ span }) => span.spanId === spanId)?.context ?? [];
    const messages = context.map((id) => textsIn(details.messages[id] as Fields | undefined));
    assert.deepEqual(
      messages.slice(-request.messages.length),
      textsSent(request).slice(-request.messages.length),
    );
  }
});

test("With any one span missing a view is as it was, but for the texts that it names as lost", async () => {
  const { trace, sent } = await recordedTalk;
  for (const gone of spansOf(trace)) {
    const views = new TraceViews(without(trace, gone.spanId));
    for (const [spanId, request] of sent) {
      if (spanId === gone.spanId) continue;
      const view = views.of(spanId);
      const texts = textsSent(request);
      assert.equal(view?.items.length, texts.length);
      for (const [at, item] of view.items.entries()) assertRight(item, texts[at]!);
    }
  }
});

function assertRight({ recorded, missing }: ViewItem, texts: readonly unknown[]): void {
  if (recorded === undefined) assert.equal(missing?.reason, "lost");
  else assert.deepEqual(textsIn(recorded), texts);
}

function without(trace: OtlpTraces, spanId: string): OtlpTraces {
  return {
    resourceSpans: trace.resourceSpans.map((resource) => ({
      ...resource,
      scopeSpans: resource.scopeSpans.map((scope) => ({
        ...scope,
        spans: scope.spans.filter((span) => span.spanId !== spanId),
      })),
    })),
  };
}

test("What spans only name can be put back on them", async () => {
  const { trace, chat } = await recordedTalk;
  const whole = spansOf(withNamedTexts(trace));
  const calls = whole.filter((span) => span.name.startsWith(Operations.executeTool));
  const asked = calls.map((span) => textOf(span, Attr.toolCallArguments) ?? "");
  assert.ok(asked.some((text) => text.length > 64));
  assert.ok(asked.every((text) => typeof JSON.parse(text).question === "string"));
  const conversation = whole.find((span) => span.name.startsWith("conversation"));
  assert.equal(textOf(conversation!, Attr.chatSummary), chat.summary);
  assert.equal(spansOf(trace).filter((span) => textOf(span, Attr.chatSummary) !== undefined).length, 0);
});

test("The collector's transcript and its tool spans say the texts that stand elsewhere", async () => {
  const { chat, transcript, details } = await recordedTalk;
  const spoken = chat.history.map(({ id }) => id);
  const shown = transcript.messages.filter(({ id }) => spoken.includes(id));
  assert.deepEqual(
    shown.map(({ id }) => id),
    spoken,
  );
  assert.ok(transcript.messages.every(({ missing }) => missing === undefined));
  const answers = transcript.messages.filter(({ role }) => role === "tool");
  assert.equal(answers.length, turns / 2);
  assert.ok(
    answers.every(
      ({ from, toolResponses = [] }) =>
        from === "bob" && toolResponses.every(({ content }) => content !== ""),
    ),
  );
  const calls = details.spans.filter(({ span }) => span.name.startsWith(Operations.executeTool));
  const named = calls.filter(({ span }) => textOf(span, Attr.toolCallArguments) === undefined);
  assert.ok(named.length > 0 && named.length < calls.length, "short arguments stand on the call as well");
  for (const { span } of named) {
    const message = details.messages[textOf(span, Attr.toolAskedIn) ?? ""] as {
      readonly parts: readonly Fields[];
    };
    assert.ok(message.parts.some(({ id }) => id === textOf(span, Attr.toolCallId)));
  }
});
