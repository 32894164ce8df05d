import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { configureContent } from "../src/content/content-settings.ts";
import type { ContentSettings } from "../src/content/content-settings.ts";
import { forgetRecorded } from "../src/content/recorded-ids.ts";
import type { OtlpTraces } from "../src/http.ts";
import {
  captureSpans,
  describeAppends,
  describeContext,
  newShortId,
  openSpan,
  recordInput,
  recordOutput,
  recordSystem,
  recordToolCall,
  ROOT_CONTEXT,
} from "../src/internal.ts";
import type { CapturedSpan, Context, RecordableMessage, WeftSpan } from "../src/internal.ts";
import { redactors } from "../src/index.ts";
import { rebuildView, TraceViews } from "../src/view.ts";
import type { ModelView } from "../src/view.ts";
import { toOtlp } from "./support/to-otlp.ts";

interface Sent {
  readonly spanId: string;
  /** The very texts the model was sent, in order. */
  readonly texts: readonly string[];
}

interface Message {
  readonly id: string;
  readonly text: string;
}

/** A service with a history, as agents keep one: it says places when it appends, and runs of places when it asks a model. */
class Service {
  readonly name: string;
  readonly history: string;
  readonly settings: Partial<ContentSettings>;
  readonly messages: Message[] = [];
  readonly sent: Sent[] = [];
  spans: readonly CapturedSpan[] = [];

  constructor(name: string, settings: Partial<ContentSettings> = {}, history: string = newShortId()) {
    this.name = name;
    this.settings = { policy: "delta", redact: [], attributeBytes: 1 << 17, spanBytes: 1 << 18, ...settings };
    this.history = history;
  }

  append(span: WeftSpan, message: Message): void {
    describeAppends(span, [`${this.history}:${this.messages.push(message) - 1}=${message.id}`]);
  }

  receive(span: WeftSpan, message: Message): void {
    recordInput(span, [toRecordable(message, "user")]);
    this.append(span, message);
  }

  /** Asks a model about the system text and the messages from `from` on; the reply is appended by `turn`. */
  ask(turn: WeftSpan, reply: string, from = 0, parent: Context = turn.context): Message {
    const { span } = openSpan({ name: "chat", type: "llm", parent });
    const system = { id: `system of ${this.name}`, text: `You are ${this.name}.` };
    recordSystem(span, system);
    describeContext(span, [`id:${system.id}`, `${this.history}:${from}-${this.messages.length - 1}`]);
    this.sent.push({
      spanId: span.spanId,
      texts: [system.text, ...this.messages.slice(from).map(({ text }) => text)],
    });
    const message = { id: newShortId(), text: reply };
    recordOutput(span, [toRecordable(message, "assistant")]);
    span.end();
    return message;
  }
}

function toRecordable({ id, text }: Message, role: "user" | "assistant"): RecordableMessage {
  return { id, role, content: text };
}

/** Runs `work` as that service, which is another process: it knows nothing of what others recorded. */
function as(service: Service, work: () => void): void {
  using capture = captureSpans();
  forgetRecorded();
  configureContent(service.settings);
  work();
  service.spans = [...service.spans, ...capture.spans()];
}

function turn(service: Service, parent: Context, work: (span: WeftSpan) => void): Context {
  let context = parent;
  as(service, () => {
    const { span } = openSpan({ name: `invoke_agent ${service.name}`, type: "agent", parent });
    context = span.context;
    work(span);
    span.end();
  });
  return context;
}

function traceOf(...services: readonly Service[]): OtlpTraces {
  return toOtlp(
    services.map(({ name, settings, spans }) => ({ service: name, policy: settings.policy ?? "", spans })),
  );
}

function textsOf(view: ModelView | undefined): readonly (string | undefined)[] {
  return (view?.items ?? []).map(({ recorded }) => {
    const parts = recorded?.["parts"] as { content?: string }[] | undefined;
    return parts?.[0]?.content ?? (recorded?.["content"] as string | undefined);
  });
}

function assertRebuilt(trace: OtlpTraces, service: Service): void {
  const views = new TraceViews(trace);
  assert.ok(service.sent.length > 0);
  for (const { spanId, texts } of service.sent) {
    assert.deepEqual(textsOf(views.of(spanId)), texts);
    assert.equal(views.of(spanId)?.complete, true);
  }
}

/** Two services talk for `rounds`; each keeps its own history of the talk. */
function talk(first: Service, second: Service, rounds: number, window = Number.POSITIVE_INFINITY): void {
  let message: Message = { id: newShortId(), text: "opening words" };
  let context: Context = ROOT_CONTEXT;
  for (let round = 0; round < rounds * 2; round += 1) {
    const service = round % 2 === 0 ? first : second;
    context = turn(service, context, (span) => {
      service.receive(span, message);
      const from = Math.max(0, service.messages.length - window);
      message = service.ask(span, `${service.name} says ${round}`, from);
      service.append(span, message);
    });
  }
}

test("Every model call of a talk over two services is rebuilt as it was sent, each text recorded once a process", () => {
  const alice = new Service("alice");
  const bob = new Service("bob");
  talk(alice, bob, 10);
  const trace = traceOf(alice, bob);
  assertRebuilt(trace, alice);
  assertRebuilt(trace, bob);
  for (const { spans } of [alice, bob]) {
    const recorded =
      JSON.stringify(spans.map(({ attributes }) => attributes)).split("alice says 0").length - 1;
    assert.equal(recorded, 1);
  }
});

test("A truncated view is the runs that were sent, no more", () => {
  const alice = new Service("alice");
  const bob = new Service("bob");
  talk(alice, bob, 8, 3);
  assert.deepEqual(alice.sent.at(-1)?.texts.length, 4);
  assertRebuilt(traceOf(alice, bob), alice);
});

test("Parallel calls of one turn each have their own view", () => {
  const alice = new Service("alice");
  turn(alice, ROOT_CONTEXT, (span) => {
    alice.receive(span, { id: "m1", text: "one" });
    const first = alice.ask(span, "reply a");
    alice.receive(span, { id: "m2", text: "two" });
    const second = alice.ask(span, "reply b", 1);
    alice.append(span, second);
    alice.append(span, first);
    alice.ask(span, "reply c");
  });
  assertRebuilt(traceOf(alice), alice);
  assert.deepEqual(alice.sent.at(-1)?.texts.slice(1), ["one", "two", "reply b", "reply a"]);
});

test("After a takeover the second process's calls are rebuilt from what both recorded", () => {
  const before = new Service("worker");
  turn(before, ROOT_CONTEXT, (span) => {
    before.receive(span, { id: "m1", text: "task" });
    before.append(span, before.ask(span, "half done"));
  });
  const after = new Service("worker", {}, before.history);
  after.messages.push(...before.messages);
  turn(after, ROOT_CONTEXT, (span) => after.append(span, after.ask(span, "done")));
  assertRebuilt(traceOf(before, after), after);
  const alone = rebuildView(traceOf(after), after.sent[0]?.spanId ?? "");
  assert.deepEqual(
    alone?.items.map(({ missing }) => missing?.reason),
    [undefined, "lost", "lost"],
  );
});

test("A mirrored run leads to the other history's messages", () => {
  const chat = new Service("chat");
  const member = new Service("member");
  turn(chat, ROOT_CONTEXT, (span) => {
    chat.receive(span, { id: "m1", text: "one" });
    chat.receive(span, { id: "m2", text: "two" });
    describeAppends(span, [`${member.history}:0-1=${chat.history}:0-1`]);
  });
  member.messages.push(...chat.messages);
  turn(member, ROOT_CONTEXT, (span) => member.append(span, member.ask(span, "three")));
  assertRebuilt(traceOf(chat, member), member);
});

test("What a service with content off said is named as off there, and stands where it stood", () => {
  const alice = new Service("alice");
  const silent = new Service("silent", { policy: "none" });
  talk(silent, alice, 2);
  const view = rebuildView(traceOf(alice, silent), silent.sent[1]?.spanId ?? "");
  assert.equal(view?.complete, false);
  assert.deepEqual(
    view?.items.map(({ missing }) => missing),
    [{ reason: "off", service: "silent" }, { reason: "off", service: "silent" }, undefined, undefined],
    "its own system text and the opening are off; what crossed the hop stands at alice's",
  );
  assertRebuilt(traceOf(alice, silent), alice);
});

test("Redacted and cut texts say so in their place", () => {
  const alice = new Service("alice", { attributeBytes: 2000, redact: [redactors.secrets] });
  turn(alice, ROOT_CONTEXT, (span) => {
    alice.receive(span, { id: "m1", text: "password: sesame" });
    alice.receive(span, { id: "m2", text: "long ".repeat(1000) });
    alice.receive(span, { id: "m3", text: "no room" });
    alice.ask(span, "reply");
  });
  const view = rebuildView(traceOf(alice), alice.sent[0]?.spanId ?? "");
  assert.equal(view?.complete, false);
  assert.deepEqual(
    view?.items.map(({ redacted, cutBytes, missing }) => [redacted, cutBytes !== undefined, missing?.reason]),
    [
      [undefined, false, undefined],
      [1, false, undefined],
      [undefined, true, undefined],
      [undefined, false, "cut"],
    ],
  );
});

test("With any one span missing every other view is right, or names what it lacks; nothing is wrong or out of order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 2, max: 6 }),
      fc.nat(),
      (rounds, window, pick) => {
        const alice = new Service("alice");
        const bob = new Service("bob");
        talk(alice, bob, rounds, window);
        const all = [...alice.spans, ...bob.spans];
        const gone = all[pick % all.length];
        for (const service of [alice, bob]) service.spans = service.spans.filter((span) => span !== gone);
        const views = new TraceViews(traceOf(alice, bob));
        for (const { spanId, texts } of [...alice.sent, ...bob.sent]) {
          if (spanId === gone?.spanId) continue;
          const view = views.of(spanId);
          assert.equal(view?.items.length, texts.length);
          for (const [at, text] of textsOf(view).entries()) {
            if (text === undefined) assert.equal(view?.items[at]?.missing?.reason, "lost");
            else assert.equal(text, texts[at]);
          }
          assert.equal(view?.complete, !textsOf(view).includes(undefined));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("An id that nobody in a whole trace knows was not sampled", () => {
  const alice = new Service("alice");
  turn(alice, ROOT_CONTEXT, (span) => {
    describeContext(span, ["id:elsewhere", "nonsense"]);
    alice.sent.push({ spanId: span.spanId, texts: [] });
  });
  const view = rebuildView(traceOf(alice), alice.sent[0]?.spanId ?? "");
  assert.deepEqual(view?.items, [{ id: "elsewhere", place: undefined, missing: { reason: "not_sampled" } }]);
});

test("A call of another producer, which knows no weft.context, is what stands on it; a span without any has no view", () => {
  const messages = [{ role: "user", parts: [{ type: "text", content: "hello" }] }];
  const attributes = [{ key: "gen_ai.input.messages", value: { stringValue: JSON.stringify(messages) } }];
  const times = { startTimeUnixNano: "1", endTimeUnixNano: "2" };
  const ids = { traceId: "a".repeat(32), name: "chat" };
  const spans = [
    { ...ids, ...times, spanId: "1".repeat(16), attributes },
    { ...ids, ...times, spanId: "2".repeat(16) },
  ];
  const trace = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
  assert.deepEqual(textsOf(rebuildView(trace, "1".repeat(16))), ["hello"]);
  assert.equal(rebuildView(trace, "2".repeat(16)), undefined);
  assert.equal(rebuildView(trace, "3".repeat(16)), undefined);
});

/** A round of tool calls, each on a span of its own; the model is then sent the message that answers them. */
function toolRound(service: Service, results: readonly string[], parent: Context): void {
  as(service, () => {
    const { span } = openSpan({ name: "invoke_agent", type: "agent", parent });
    const answer = { id: newShortId(), role: "tool" as const, content: null };
    const toolResponses = results.map((content, place) => ({
      toolCallId: `c${place}`,
      name: "look",
      content,
    }));
    for (const [place, { toolCallId, content }] of toolResponses.entries()) {
      const call = openSpan({ name: "execute_tool look", type: "tool", parent: span.context });
      call.span.setAttributes({ "gen_ai.tool.call.id": toolCallId, "gen_ai.tool.name": "look" });
      recordToolCall(call.span, {
        result: content,
        answeredIn: { messageId: answer.id, place, count: results.length },
      });
      call.end();
    }
    const { span: chat } = openSpan({ name: "chat", type: "llm", parent: span.context });
    recordInput(chat, [{ ...answer, toolResponses }]);
    describeAppends(span, [`${service.history}:0=${answer.id}`]);
    describeContext(chat, [`${service.history}:0-0`]);
    service.sent.push({ spanId: chat.spanId, texts: results });
    chat.end();
    span.end();
  });
}

function responsesOf(view: ModelView | undefined): readonly unknown[] {
  const [item] = view?.items ?? [];
  return ((item?.recorded?.["parts"] ?? []) as readonly { response: string }[]).map(
    ({ response }) => response,
  );
}

test("Results of tools stand on their calls, once, and the message that answers is put together from them", () => {
  const alice = new Service("alice");
  toolRound(alice, ["first result", "second result"], ROOT_CONTEXT);
  const all = JSON.stringify(alice.spans.map(({ attributes }) => attributes));
  assert.equal(all.split("first result").length - 1, 1);
  const view = rebuildView(traceOf(alice), alice.sent[0]?.spanId ?? "");
  assert.deepEqual([responsesOf(view), view?.complete], [["first result", "second result"], true]);
  alice.spans = alice.spans.filter(({ attributes }) => attributes["gen_ai.tool.call.id"] !== "c0");
  const without = rebuildView(traceOf(alice), alice.sent[0]?.spanId ?? "");
  assert.deepEqual(
    without?.items.map(({ missing }) => missing),
    [{ reason: "lost", service: "alice" }],
    "half an answer is none",
  );
});

test("In mode full the message that answers stands on the model's call as well", () => {
  const alice = new Service("alice", { policy: "full" });
  toolRound(alice, ["first result"], ROOT_CONTEXT);
  const all = JSON.stringify(alice.spans.map(({ attributes }) => attributes));
  assert.equal(all.split("first result").length - 1, 2);
  const off = new Service("silent", { policy: "none" });
  toolRound(off, ["first result"], ROOT_CONTEXT);
  assert.ok(!JSON.stringify(off.spans.map(({ attributes }) => attributes)).includes("first result"));
  const view = rebuildView(traceOf(off), off.sent[0]?.spanId ?? "");
  assert.deepEqual(view?.items[0]?.missing, { reason: "off", service: "silent" });
});

test("Redaction and cuts of a tool's result are said where its message is sent", () => {
  const alice = new Service("alice", { attributeBytes: 400, redact: [redactors.secrets] });
  toolRound(alice, ["password: sesame", "long ".repeat(200)], ROOT_CONTEXT);
  const view = rebuildView(traceOf(alice), alice.sent[0]?.spanId ?? "");
  assert.equal(view?.complete, false);
  assert.deepEqual([view.items[0]?.redacted, view.items[0]?.cutBytes], [1, 600]);
});
