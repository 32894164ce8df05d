import { trace } from "@opentelemetry/api";
import type { Attributes, Carrier, Context, Link, OpenSpan } from "@weft/tracing/internal";
import {
  activeContext,
  contextFrom,
  injectCarrier,
  openSpan,
  readRemote,
  setConversation,
} from "@weft/tracing/internal";
import { Attr, LinkKinds } from "@weft/tracing/vocabulary";
import type { ChatState } from "./chat-state.ts";

export interface RunSpanOptions {
  readonly conversationId: string;
  readonly runId: string;
  readonly state: ChatState | undefined;
}

/**
 * The span of a run's stretch, and its home: the context it came from or, if none, its own first span. A later stretch
 * hangs under a waking request of its own trace, else under home, with a link to the request (SPANS.md, "Home").
 */
export function openRunSpan(
  span: { readonly name: string; readonly type: string; readonly attributes: Attributes },
  { conversationId, runId, state }: RunSpanOptions,
): { readonly opened: OpenSpan; readonly home: Carrier } {
  const active = activeContext();
  const { parent, links } = state ? parentOfStretch(state.home, active) : { parent: active, links: [] };
  const opened = openSpan({
    ...span,
    attributes: {
      ...span.attributes,
      [Attr.runId]: runId,
      ...(state ? { [Attr.stretch]: state.stretch + 1 } : {}),
    },
    parent: setConversation(parent, conversationId),
    links,
  });
  const isInTrace = trace.getSpanContext(active) !== undefined;
  return { opened, home: state?.home ?? injectCarrier(isInTrace ? active : opened.span.context) };
}

function parentOfStretch(
  home: Carrier,
  active: Context,
): { readonly parent: Context; readonly links: Link[] } {
  const waking = trace.getSpanContext(active);
  const isWaking = waking !== undefined && trace.isSpanContextValid(waking);
  const remote = readRemote(home);
  if (!remote || (isWaking && waking.traceId === remote.traceId)) return { parent: active, links: [] };
  const links = isWaking ? [{ context: waking, attributes: { [Attr.linkKind]: LinkKinds.wokenBy } }] : [];
  return { parent: contextFrom(home, trace.deleteSpan(active)), links };
}
