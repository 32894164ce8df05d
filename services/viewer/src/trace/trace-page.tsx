import { useEffect, useMemo, useRef, useState } from "react";
import type { RefObject } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components/Tabs";
import { usePageServices } from "../app/page-services.ts";
import type { PageServices } from "../app/page-services.ts";
import { createSpanDetailsStore } from "../data/span-details-store.ts";
import type { SpanDetailsStore } from "../data/span-details-store.ts";
import { createTraceStore } from "../data/trace-store.ts";
import type { TraceState, TraceStore } from "../data/trace-store.ts";
import { DetailsPanel } from "../details/details-panel.tsx";
import type { Route, TraceTab } from "../router/route.ts";
import { linkTo, navigate } from "../router/use-route.ts";
import { FailureLine, FailureNotice, Loading, Notice } from "../ui/notice.tsx";
import { HuesContext } from "../ui/service-chip.tsx";
import { throttle } from "../ui/throttle.ts";
import { useStore } from "../ui/use-store.ts";
import { assignHues } from "./service-hues.ts";
import { Talk } from "./talk.tsx";
import { TraceHeader } from "./trace-header.tsx";
import { buildTraceTree } from "./trace-tree.ts";
import type { TraceTree } from "./trace-tree.ts";
import { Waterfall } from "./waterfall.tsx";

type TraceRoute = Extract<Route, { readonly page: "trace" }>;

export function TracePage({ route }: { readonly route: TraceRoute }) {
  const { traceId } = route;
  const services = usePageServices();
  const [stores, setStores] = useState<{ readonly trace: TraceStore; readonly details: SpanDetailsStore }>();
  useEffect(() => {
    const trace = createTraceStore(services.client, traceId);
    const details = createSpanDetailsStore(services.client, traceId);
    setStores({ trace, details });
    void trace.refresh();
    const silence = followTrace(services, traceId, trace);
    return () => {
      silence();
      trace.dispose();
      details.dispose();
    };
  }, [services, traceId]);
  return stores === undefined ? <Loading what="the trace" /> : <LoadedTrace route={route} {...stores} />;
}

interface LoadedTraceProps {
  readonly route: TraceRoute;
  readonly trace: TraceStore;
  readonly details: SpanDetailsStore;
}

function LoadedTrace({ route, trace, details }: LoadedTraceProps) {
  const state = useStore(trace);
  const { skeleton, failure } = state;
  const tree = useMemo(() => (skeleton === undefined ? undefined : buildTraceTree(skeleton)), [skeleton]);
  const hues = useMemo(() => assignHues((skeleton?.shapes ?? []).map(({ service }) => service)), [skeleton]);
  const retry = (): void => void trace.refresh();
  const name = tree === undefined ? "" : nameOf(tree);
  useEffect(() => {
    document.title = name === "" ? "Trace · Weft" : `${name} · Weft`;
  }, [name]);
  if (tree === undefined) {
    if (failure === undefined) return <Loading what="the trace" />;
    return failure.kind === "notFound" ? (
      <UnknownTrace traceId={route.traceId} />
    ) : (
      <FailureNotice heading="h1" failure={failure} onRetry={retry} />
    );
  }
  return (
    <HuesContext value={hues}>
      <div className="trace-page">
        <TraceHeader name={name} state={state} tree={tree} services={[...hues.keys()]} />
        {failure !== undefined && <FailureLine failure={failure} onRetry={retry} />}
        <TraceBody route={route} state={state} tree={tree} details={details} onRetry={retry} />
      </div>
    </HuesContext>
  );
}

interface TraceBodyProps {
  readonly route: TraceRoute;
  readonly state: TraceState;
  readonly tree: TraceTree;
  readonly details: SpanDetailsStore;
  readonly onRetry: () => void;
}

function TraceBody({ route, state, tree, details, onRetry }: TraceBodyProps) {
  const { spanId } = route;
  const view = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLElement>(null);
  const { show, showTab, close } = useMoves(route, view, panel);
  const { skeleton } = tree;
  return (
    <div className="trace-body" data-details={spanId !== undefined}>
      <Tabs
        className="trace-views"
        selectedKey={route.tab}
        onSelectionChange={(key) => showTab(key as TraceTab)}
      >
        <TabList className="tabs" aria-label="Views of the trace">
          <Tab id="waterfall">
            Waterfall
            <Count of={skeleton.count} />
          </Tab>
          <Tab id="transcript">
            Transcript
            {state.transcript?.ok === true && <Count of={state.transcript.value.messages.length} />}
          </Tab>
        </TabList>
        <TabPanel id="waterfall" className="tab-panel">
          <Waterfall tree={tree} selected={spanId} gridRef={view} onShow={show} onClose={close} />
        </TabPanel>
        <TabPanel id="transcript" className="tab-panel">
          <Talk
            regionRef={view}
            skeleton={skeleton}
            transcript={state.transcript}
            details={details}
            selected={spanId}
            onShow={show}
            onRetry={onRetry}
          />
        </TabPanel>
      </Tabs>
      {spanId !== undefined && (
        <DetailsPanel
          ref={panel}
          tree={tree}
          spanId={spanId}
          details={details}
          onShow={(next) => show(next, { focus: true })}
          onClose={close}
        />
      )}
    </div>
  );
}

function Count({ of }: { readonly of: number }) {
  return <span className="tab-count">{of.toLocaleString("en")}</span>;
}

interface Moves {
  readonly show: (spanId: string, options?: { readonly replace?: boolean; readonly focus?: boolean }) => void;
  readonly showTab: (tab: TraceTab) => void;
  readonly close: () => void;
}

/** Every move is a change of the address; focus goes where the reader goes. */
function useMoves(
  { traceId, tab, spanId }: TraceRoute,
  view: RefObject<HTMLElement | null>,
  panel: RefObject<HTMLElement | null>,
): Moves {
  const here = { page: "trace", traceId, tab } as const;
  return {
    show: (next, { replace = false, focus = false } = {}) => {
      navigate({ ...here, spanId: next }, { replace });
      if (focus) requestAnimationFrame(() => panel.current?.focus());
    },
    showTab: (next) => navigate({ ...here, tab: next, ...(spanId === undefined ? {} : { spanId }) }),
    close: () => {
      navigate(here);
      requestAnimationFrame(() => view.current?.focus({ preventScroll: true }));
    },
  };
}

function UnknownTrace({ traceId }: { readonly traceId: string }) {
  return (
    <Notice heading="h1" title="This collector has no such trace">
      <p>
        <code>{traceId}</code>
      </p>
      <p>
        Its first span may still be on its way, then it appears here by itself. It may also have been deleted,
        or sent to another collector.
      </p>
      <a className="button" {...linkTo({ page: "list" })}>
        To the traces
      </a>
    </Notice>
  );
}

function nameOf({ skeleton }: TraceTree): string {
  return skeleton.count === 0 ? "Empty trace" : skeleton.shape(0).name || "unnamed";
}

/** A trace that ended longer ago than this does not grow any more, unless the live feed says so. */
const mayGrowMs = 60_000;
const refreshEveryMs = 500;

function followTrace({ live }: PageServices, traceId: string, trace: TraceStore): () => void {
  const refresh = throttle(() => void trace.refresh(), refreshEveryMs);
  const silence = live.listen({
    onEvent: (event) => {
      if ((event.type === "trace" ? event.trace : event.span).traceId === traceId) refresh.ask();
    },
    onPoll: () => {
      if (mayGrow(trace.get())) refresh.ask();
    },
  });
  return () => {
    refresh.cancel();
    silence();
  };
}

function mayGrow({ skeleton, health, summary, status }: TraceState): boolean {
  if (status === "loading") return false;
  if (skeleton === undefined || health?.ok !== true || !health.value.ok || summary?.ok !== true) return true;
  return Date.parse(summary.value.startTime) + summary.value.durationMs > Date.now() - mayGrowMs;
}
