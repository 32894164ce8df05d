import { SpanKind } from "@opentelemetry/api";
import type { Attributes } from "@opentelemetry/api";
import type { RecordableMessage } from "../content/message-schema.ts";
import { describeContext, newMessageId, recordInput, recordOutput } from "../content/record-content.ts";
import { openSpan, stepOf } from "../spans/open-span.ts";
import type { OpenSpan } from "../spans/open-span.ts";
import type { TokenUsage } from "../spans/weft-span.ts";
import { IdleLimit } from "../spans/idle-limit.ts";
import { Attr, Operations, Outcomes, SpanTypes } from "../vocabulary.ts";
import { isAutologOn } from "./switches.ts";
import type { AutologName } from "./switches.ts";

export interface ModelCall {
  readonly operation: string;
  readonly provider: string;
  readonly model: string;
  readonly attributes: Attributes;
  /** In the order the model is sent them. */
  readonly messages: readonly RecordableMessage[];
}

export interface ModelAnswer {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
  readonly finishReasons?: readonly string[];
  readonly usage?: TokenUsage | undefined;
  readonly messages: readonly Omit<RecordableMessage, "id">[];
}

/** Undefined where nothing is to be recorded: switched off, or inside a model call that Weft's agents record. */
export function openModelCall(name: AutologName, call: ModelCall): OpenSpan | undefined {
  if (!isAutologOn(name) || stepOf() === SpanTypes.llm) return undefined;
  const open = openSpan({
    name: `${call.operation} ${call.model}`,
    type: call.operation === Operations.chat ? SpanTypes.llm : undefined,
    kind: SpanKind.CLIENT,
    attributes: {
      [Attr.operationName]: call.operation,
      [Attr.providerName]: call.provider,
      [Attr.requestModel]: call.model,
      ...call.attributes,
    },
  });
  if (open.span.isRecording()) {
    recordInput(open.span, call.messages);
    describeContext(
      open.span,
      call.messages.map(({ id }) => `id:${id}`),
    );
  }
  return open;
}

export function recordAnswer({ span }: OpenSpan, answer: ModelAnswer): void {
  if (!span.isRecording()) return;
  if (answer.id !== undefined) span.setAttribute(Attr.responseId, answer.id);
  if (answer.model !== undefined) span.setAttribute(Attr.responseModel, answer.model);
  const reasons = answer.finishReasons ?? [];
  if (reasons.length > 0) span.setAttribute(Attr.responseFinishReasons, [...reasons]);
  if (answer.usage !== undefined) span.setTokenUsage(answer.usage);
  recordOutput(
    span,
    answer.messages.map((message) => ({ ...message, id: newMessageId() })),
  );
}

/** A streamed answer that nobody reads on ends as abandoned, with what came of it. */
export function watchIdle(open: OpenSpan, finish: () => void): IdleLimit {
  return new IdleLimit(() => {
    finish();
    open.end(Outcomes.abandoned);
  });
}

const ids = new WeakMap<object, string>();

/** A message that is sent again is the same object in most programs: it keeps its id, so that its text is recorded once. */
export function idOf(message: object): string {
  let id = ids.get(message);
  if (id === undefined) {
    id = newMessageId();
    ids.set(message, id);
  }
  return id;
}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What of `fields` is a scalar, under the key it is renamed to. */
export function scalars(fields: Fields, names: Readonly<Record<string, string>>): Attributes {
  const attributes: Attributes = {};
  for (const [name, key] of Object.entries(names)) {
    const value = fields[name];
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
      attributes[key] = value;
    }
  }
  return attributes;
}
