import { randomBytes } from "node:crypto";
import type { OtlpSpan, OtlpTraces } from "@weft/tracing/http";
import { Attr, EventNames, LinkKinds, Operations, SpanTypes } from "@weft/tracing/vocabulary";
import { toKeyValues } from "./otlp-json.ts";
import type { Value } from "./otlp-json.ts";

/** What the trace below says, for tests to look for. */
export const groupChat = {
  name: "invoke_workflow desk",
  services: ["calculator", "checker", "desk", "planner"],
  agents: ["planner", "calculator", "checker"],
  question: "What is (44231 + 13312 / (230 - 20)) * 4?",
  texts: [
    "Plan: 1. subtract inside the brackets. 2. divide. 3. add. 4. multiply. Calculator, please begin.",
    "The division by 210 leaves a fraction, so I keep it: 63.390476. The product is 177177.561905.",
    "Checked by another way: 4 × 44231 = 176924 and 4 × 63.390476 = 253.561905. The sum agrees.",
    "The answer is 177177.561905. TERMINATE",
  ],
  withheld: "checker",
  failedTool: "execute_tool divide",
  toolError: 'the tool was given a text where a number was wanted: b = "two hundred and ten"',
  excludedBecause: "spoke last, and may not speak twice in a row",
  reason: "The plan names the calculator as the one to begin.",
} as const;

interface SpanInput {
  readonly service: string;
  readonly name: string;
  readonly parent?: OtlpSpan;
  readonly kind?: number;
  readonly type: string;
  /** Milliseconds after the trace's start. */
  readonly at: number;
  readonly ms: number;
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly error?: { readonly type: string; readonly message: string };
  readonly events?: OtlpSpan["events"];
  readonly links?: OtlpSpan["links"];
}

export interface GroupChatOptions {
  /** Milliseconds since 1970; default: so that it has just ended. */
  readonly startMs?: number;
  /** No service records content. Default: only `groupChat.withheld` does not. */
  readonly contentOff?: boolean;
  /** In place of the question. */
  readonly question?: string;
}

const contentKeys: readonly string[] = [
  Attr.inputMessages,
  Attr.outputMessages,
  Attr.systemInstructions,
  Attr.toolCallArguments,
  Attr.toolCallResult,
];

const internal = 1;
const server = 2;
const client = 3;

/**
 * A group chat over four services, as they would send it: a desk that chooses speakers, and three agents in processes of their own, each
 * asked over A2A, with model calls, tools (one of which fails) and one service whose content is off.
 */
export class GroupChatTrace {
  readonly traceId = randomBytes(16).toString("hex");
  private readonly start: bigint;
  private readonly byService = new Map<string, OtlpSpan[]>();
  private spans = 0;
  private place = 0;

  private readonly options: GroupChatOptions;

  constructor(options: GroupChatOptions = {}) {
    this.options = options;
    this.start = BigInt(Math.round(options.startMs ?? Date.now() - 9_000)) * 1_000_000n;
    this.build();
  }

  /** The id of the span with this name, the first one of the service if one is given. */
  spanId(name: string, service?: string): string {
    for (const [owner, spans] of this.byService) {
      const found =
        service === undefined || owner === service ? spans.find((span) => span.name === name) : undefined;
      if (found !== undefined) return found.spanId;
    }
    throw new TypeError(`the trace has no span ${name}`);
  }

  get spanCount(): number {
    return this.spans;
  }

  /** One export request, of all services or one. */
  toOtlp(only?: string): OtlpTraces {
    const services = [...this.byService].filter(([service]) => only === undefined || service === only);
    return {
      resourceSpans: services.map(([service, spans]) => ({
        resource: {
          attributes: toKeyValues({
            [Attr.serviceName]: service,
            [Attr.serviceVersion]: "0.1.0",
            [Attr.contentPolicy]: this.isOff(service) ? "none" : "delta",
          }),
        },
        scopeSpans: [{ scope: { name: "@weft/tracing", version: "0.1.0" }, spans }],
      })),
    };
  }

  private isOff(service: string): boolean {
    return this.options.contentOff === true || service === groupChat.withheld;
  }

  private build(): void {
    const chat = this.add({
      service: "desk",
      name: groupChat.name,
      type: SpanTypes.workflow,
      at: 0,
      ms: 8_120,
      attributes: {
        [Attr.operationName]: Operations.invokeWorkflow,
        [Attr.workflowName]: "desk",
        [Attr.chatParticipants]: groupChat.agents,
        [Attr.chatMethod]: "auto",
        [Attr.chatRounds]: 5,
        [Attr.chatEndedBy]: "termination",
        [Attr.inputMessages]: messages(
          said("m0", "user", this.options.question ?? groupChat.question, "user"),
        ),
        [Attr.historyAppends]: ["h1:0=m0"],
      },
    });
    this.place = 1;
    this.selection(chat, 40, {
      chosen: "planner",
      candidates: ["planner", "calculator", "checker"],
      excluded: [],
      reason: "A question without a plan: the planner opens.",
    });
    this.turn(chat, {
      agent: "planner",
      at: 700,
      ms: 1_500,
      id: "m1",
      text: groupChat.texts[0],
      context: ["m0"],
    });
    this.selection(chat, 2_230, {
      chosen: "calculator",
      candidates: ["calculator", "checker"],
      excluded: [`planner: ${groupChat.excludedBecause}`],
      reason: groupChat.reason,
      retry: true,
    });
    this.turn(chat, {
      agent: "calculator",
      at: 3_260,
      ms: 2_300,
      id: "m2",
      text: groupChat.texts[1],
      context: ["m0", "m1"],
      tools: true,
    });
    this.selection(chat, 5_590, {
      chosen: "checker",
      candidates: ["checker"],
      excluded: [
        `planner: ${groupChat.excludedBecause.replace("spoke last", "has had its say")}`,
        "calculator: not among those it may hand to",
      ],
      reason: "The only one left: no model was asked.",
      single: true,
    });
    this.turn(chat, {
      agent: "checker",
      at: 5_640,
      ms: 1_200,
      id: "m3",
      text: groupChat.texts[2],
      context: ["m0", "m1", "m2"],
    });
    this.turn(chat, {
      agent: "planner",
      at: 6_900,
      ms: 1_180,
      id: "m4",
      text: groupChat.texts[3],
      context: ["m0", "m1", "m2", "m3"],
    });
  }

  private selection(
    chat: OtlpSpan,
    at: number,
    outcome: {
      chosen: string;
      candidates: readonly string[];
      excluded: readonly string[];
      reason: string;
      retry?: boolean;
      single?: boolean;
    },
  ): void {
    const ms = outcome.single ? 2 : outcome.retry ? 980 : 610;
    const attempt = (number: number, mentioned: readonly string[]) => ({
      timeUnixNano: this.time(at + number * 300),
      name: EventNames.attempt,
      attributes: toKeyValues({ [Attr.selectionAttempts]: number, [Attr.selectionCandidates]: mentioned }),
    });
    const first = outcome.retry ? ["planner", "calculator"] : [outcome.chosen];
    const attempts = outcome.retry ? [attempt(1, first), attempt(2, ["calculator"])] : [attempt(1, first)];
    const span = this.add({
      service: "desk",
      name: "select_speaker desk",
      type: SpanTypes.speakerSelection,
      parent: chat,
      at,
      ms,
      attributes: {
        [Attr.operationName]: Operations.selectSpeaker,
        [Attr.selectionMethod]: "auto",
        [Attr.selectionCandidates]: outcome.candidates,
        [Attr.selectionExcluded]: outcome.excluded,
        [Attr.selectionChosen]: outcome.chosen,
        [Attr.selectionReason]: outcome.reason,
        [Attr.selectionFallback]: false,
      },
      ...(outcome.single ? {} : { events: attempts }),
    });
    if (outcome.single) return;
    for (let number = 0; number < attempts.length; number++) {
      this.model(span, "desk", {
        at: at + 12 + number * 460,
        ms: 420,
        context: ["m0"],
        output: said(`s${this.spans}`, "assistant", outcome.chosen),
        system: "You choose who speaks next. Answer with one name.",
      });
    }
  }

  private turn(
    chat: OtlpSpan,
    turn: {
      agent: string;
      at: number;
      ms: number;
      id: string;
      text: string;
      context: readonly string[];
      tools?: boolean;
    },
  ): void {
    const { agent, at, ms, id, text, context } = turn;
    const call = this.add({
      service: "desk",
      name: `invoke_agent ${agent}`,
      type: SpanTypes.agent,
      kind: client,
      parent: chat,
      at,
      ms,
      attributes: {
        [Attr.operationName]: Operations.invokeAgent,
        [Attr.agentName]: agent,
        [Attr.serverAddress]: "127.0.0.1",
        [Attr.serverPort]: 4001,
        [Attr.historyAppends]: [`h1:${this.place++}=${id}`],
        [Attr.outputMessages]: messages(said(id, "assistant", text, agent)),
      },
    });
    const method = {
      [Attr.a2aMethodName]: "SendStreamingMessage",
      [Attr.a2aProtocolVersion]: "1.0",
      [Attr.a2aBinding]: agent === "planner" ? "ws" : "JSONRPC",
      [Attr.a2aTaskId]: `task-${id}`,
    };
    const wire = this.add({
      service: "desk",
      name: "SendStreamingMessage",
      type: SpanTypes.a2a,
      kind: client,
      parent: call,
      at: at + 4,
      ms: ms - 8,
      attributes: method,
    });
    const served = this.add({
      service: agent,
      name: "SendStreamingMessage",
      type: SpanTypes.a2a,
      kind: server,
      parent: wire,
      at: at + 9,
      ms: ms - 19,
      attributes: { ...method, [Attr.a2aTaskState]: "COMPLETED" },
    });
    const answer = said(id, "assistant", text, agent);
    const reply = this.add({
      service: agent,
      name: `invoke_agent ${agent}`,
      type: SpanTypes.agent,
      parent: served,
      at: at + 14,
      ms: ms - 30,
      attributes: {
        [Attr.operationName]: Operations.invokeAgent,
        [Attr.agentName]: agent,
        [Attr.agentDescription]: `The ${agent} of the desk.`,
        [Attr.outputMessages]: messages(answer),
      },
    });
    if (turn.tools) this.calculatorWork(reply, at, context);
    else
      this.model(reply, agent, {
        at: at + 20,
        ms: ms - 60,
        context,
        system: `You are the ${agent}. Be brief.`,
      });
  }

  private calculatorWork(reply: OtlpSpan, at: number, context: readonly string[]): void {
    const agent = "calculator";
    const asks = {
      id: "t1",
      role: "assistant",
      name: agent,
      parts: [
        { type: "tool_call", id: "c1", name: "divide", arguments: '{"a":13312,"b":"two hundred and ten"}' },
      ],
    };
    const first = this.model(reply, agent, {
      at: at + 20,
      ms: 620,
      context,
      output: asks,
      system: "You are the calculator. Use your tools.",
      finish: "tool_calls",
    });
    const asked = [
      {
        traceId: this.traceId,
        spanId: first.spanId,
        attributes: toKeyValues({ [Attr.linkKind]: LinkKinds.askedBy }),
      },
    ];
    this.add({
      service: agent,
      name: groupChat.failedTool,
      type: SpanTypes.tool,
      parent: reply,
      at: at + 660,
      ms: 3.4,
      links: asked,
      attributes: {
        [Attr.operationName]: Operations.executeTool,
        [Attr.toolName]: "divide",
        [Attr.toolType]: "function",
        [Attr.toolCallId]: "c1",
        [Attr.toolCallArguments]: '{"a":13312,"b":"two hundred and ten"}',
        [Attr.errorType]: "tool_failed",
      },
      error: { type: "tool_failed", message: groupChat.toolError },
    });
    const again = {
      id: "t2",
      role: "assistant",
      name: agent,
      parts: [
        { type: "tool_call", id: "c2", name: "divide", arguments: '{"a":13312,"b":210}' },
        { type: "tool_call", id: "c3", name: "multiply", arguments: '{"a":44294.390476,"b":4}' },
      ],
    };
    this.model(reply, agent, {
      at: at + 680,
      ms: 540,
      context: [...context, "t1"],
      output: again,
      finish: "tool_calls",
    });
    for (const [order, [name, args, result]] of [
      ["divide", '{"a":13312,"b":210}', '{"value":63.390476,"exact":"1331200/21000"}'],
      ["multiply", '{"a":44294.390476,"b":4}', '{"value":177177.561905}'],
    ].entries()) {
      this.add({
        service: agent,
        name: `execute_tool ${name}`,
        type: SpanTypes.tool,
        parent: reply,
        at: at + 1_236 + order * 4,
        ms: 2.6 + order,
        attributes: {
          [Attr.operationName]: Operations.executeTool,
          [Attr.toolName]: name ?? "",
          [Attr.toolCallArguments]: args ?? "",
          [Attr.toolCallResult]: result ?? "",
        },
      });
    }
    this.model(reply, agent, {
      at: at + 1_260,
      ms: 980,
      context: [...context, "t1", "t2"],
      output: said("m2", "assistant", groupChat.texts[1], agent),
    });
  }

  private model(
    parent: OtlpSpan,
    service: string,
    call: {
      at: number;
      ms: number;
      context: readonly string[];
      output?: object;
      system?: string;
      finish?: string;
    },
  ): OtlpSpan {
    return this.add({
      service,
      name: "chat gpt-5-mini",
      type: SpanTypes.llm,
      kind: client,
      parent,
      at: call.at,
      ms: call.ms,
      attributes: {
        [Attr.operationName]: Operations.chat,
        [Attr.providerName]: "openai",
        [Attr.requestModel]: "gpt-5-mini",
        [Attr.responseModel]: "gpt-5-mini-2026-08-01",
        [Attr.responseFinishReasons]: [call.finish ?? "stop"],
        [Attr.usageInputTokens]: 210 + call.context.length * 120,
        [Attr.usageOutputTokens]: 46,
        [Attr.cost]: 0.00042,
        [Attr.context]: call.context.map((id) => `id:${id}`),
        ...(call.system === undefined
          ? {}
          : { [Attr.systemInstructions]: JSON.stringify([{ type: "text", content: call.system }]) }),
        ...(call.output === undefined ? {} : { [Attr.outputMessages]: messages(call.output) }),
      },
    });
  }

  private add(input: SpanInput): OtlpSpan {
    const { service, name, parent, at, ms, error, attributes = {}, events = [] } = input;
    const end = this.time(at + ms);
    const exception = error && {
      timeUnixNano: end,
      name: EventNames.exception,
      attributes: toKeyValues({ [Attr.exceptionType]: error.type, [Attr.exceptionMessage]: error.message }),
    };
    const span: OtlpSpan = {
      traceId: this.traceId,
      spanId: this.traceId.slice(0, 12) + (++this.spans).toString(16).padStart(4, "0"),
      ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
      name,
      kind: input.kind ?? internal,
      startTimeUnixNano: this.time(at),
      endTimeUnixNano: end,
      attributes: toKeyValues({
        ...(this.isOff(service) ? withoutContent(attributes) : attributes),
        [Attr.spanType]: input.type,
        [Attr.conversationId]: `c-${this.traceId.slice(0, 8)}`,
      }),
      events: exception === undefined ? events : [...events, exception],
      ...(input.links === undefined ? {} : { links: input.links }),
      ...(error === undefined ? {} : { status: { code: 2, message: error.message } }),
    };
    this.byService.set(service, [...(this.byService.get(service) ?? []), span]);
    return span;
  }

  private time(ms: number): string {
    return String(this.start + BigInt(Math.round(ms * 1e6)));
  }
}

function said(id: string, role: string, content: string, name?: string): object {
  return { id, role, ...(name === undefined ? {} : { name }), parts: [{ type: "text", content }] };
}

function messages(...list: readonly object[]): string {
  return JSON.stringify(list);
}

function withoutContent(attributes: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !contentKeys.includes(key)));
}
