import { useEffect } from "react";
import type { Ref } from "react";
import { Button } from "react-aria-components/Button";
import { Attr } from "@weft/tracing/vocabulary";
import { textAt, toAttributes } from "../data/otlp-value.ts";
import { SpanFlags } from "../data/skeleton.ts";
import type { DetailState, SpanDetailsStore } from "../data/span-details-store.ts";
import { isError } from "../trace/trace-tree.ts";
import type { TraceTree } from "../trace/trace-tree.ts";
import { formatDuration } from "../ui/format.ts";
import { Icon, iconOfType } from "../ui/icon.tsx";
import { FailureNotice, Loading } from "../ui/notice.tsx";
import { ServiceChip, useTone } from "../ui/service-chip.tsx";
import { useStore } from "../ui/use-store.ts";
import { SpanContent } from "./span-content.tsx";
import { SpanFactsView } from "./span-facts-view.tsx";

export interface DetailsPanelProps {
  readonly ref: Ref<HTMLElement>;
  readonly tree: TraceTree;
  readonly spanId: string;
  readonly details: SpanDetailsStore;
  readonly onShow: (spanId: string) => void;
  readonly onClose: () => void;
}

export function DetailsPanel({ ref, tree, spanId, details, onShow, onClose }: DetailsPanelProps) {
  const index = tree.skeleton.indexOf(spanId);
  const state = useStore(details).get(spanId);
  useEffect(() => details.ask(spanId), [details, spanId, tree]);
  const { name, service, type } =
    index < 0 ? { name: "Unknown span", service: "", type: "" } : tree.skeleton.shape(index);
  const tone = useTone(service);
  return (
    <aside
      ref={ref}
      className="details tone"
      style={tone}
      tabIndex={-1}
      aria-label={`Details of ${name}`}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header className="details-head">
        <span className="details-icon">
          <Icon name={iconOfType(type)} size={18} />
        </span>
        <h2>{name}</h2>
        <Button className="icon-button" aria-label="Close the details" onPress={onClose}>
          <Icon name="close" />
        </Button>
        {index >= 0 && <Timing tree={tree} index={index} service={service} state={state} />}
      </header>
      <div key={spanId} className="details-body" tabIndex={0} role="region" aria-label="Span">
        <Body state={state} tree={tree} index={index} onShow={onShow} onRetry={() => details.ask(spanId)} />
      </div>
    </aside>
  );
}

interface TimingProps {
  readonly tree: TraceTree;
  readonly index: number;
  readonly service: string;
  readonly state: DetailState | undefined;
}

function Timing({ tree, index, service, state }: TimingProps) {
  const { skeleton } = tree;
  const open = (skeleton.flags(index) & SpanFlags.open) !== 0;
  const outcome =
    state?.status === "ready" ? textAt(toAttributes(state.detail.span.attributes), Attr.outcome) : "";
  return (
    <p className="details-sub">
      <ServiceChip service={service} />
      <span>{open ? "running" : formatDuration(skeleton.duration(index))}</span>
      <span className="quiet">at {formatDuration(skeleton.start(index))}</span>
      {isError(skeleton, index) && <span className="bad">failed</span>}
      {outcome !== "" && <span className="quiet">{outcome}</span>}
    </p>
  );
}

interface BodyProps {
  readonly state: DetailState | undefined;
  readonly tree: TraceTree;
  readonly index: number;
  readonly onShow: (spanId: string) => void;
  readonly onRetry: () => void;
}

function Body({ state, tree, index, onShow, onRetry }: BodyProps) {
  if (state === undefined || state.status === "loading") return <Loading what="the span" />;
  if (state.status === "failed")
    return <FailureNotice heading="h2" failure={state.failure} onRetry={onRetry} />;
  return (
    <>
      <SpanContent
        detail={state.detail}
        messages={state.messages}
        tree={tree}
        index={index}
        onShow={onShow}
      />
      <SpanFactsView detail={state.detail} tree={tree} onShow={onShow} />
    </>
  );
}
