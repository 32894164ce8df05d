import { useCallback, useEffect, useRef } from "react";
import { usePageServices } from "../app/page-services.ts";
import { formatNumberOf } from "../ui/format.ts";
import { announce } from "../ui/announcer.tsx";
import { FailureLine, FailureNotice, Loading, Notice } from "../ui/notice.tsx";
import { useStore } from "../ui/use-store.ts";
import { TraceTable } from "./trace-table.tsx";

export function ListPage() {
  const { list } = usePageServices();
  const state = useStore(list);
  const { status, traces, failure } = state;
  const refresh = (): void => void list.refresh();
  const loadMore = useCallback(() => void list.loadMore(), [list]);
  useEffect(() => {
    document.title = "Traces · Weft";
    void list.refresh();
  }, [list]);
  useArrivals(status === "ready" ? traces.length : undefined, state.loadingMore);

  if (status === "loading") return <Loading what="traces" />;
  if (status === "failed" && failure !== undefined)
    return <FailureNotice heading="h1" failure={failure} onRetry={refresh} />;
  if (traces.length === 0) return <NoTraces />;
  return (
    <div className="list-page">
      <div className="page-head">
        <h1>Traces</h1>
        <p className="page-note">
          {formatNumberOf(traces.length, "trace")}
          {state.nextPageToken === undefined ? "" : ", older ones follow"} · newest first
        </p>
      </div>
      {failure !== undefined && <FailureLine failure={failure} onRetry={refresh} />}
      <TraceTable traces={traces} onReachEnd={loadMore} />
    </div>
  );
}

function NoTraces() {
  return (
    <Notice heading="h1" title="No traces yet">
      <p>They appear here as their first spans end. To see one, run in the repository</p>
      <pre className="command">
        <code>npm run demo</code>
      </pre>
      <p>
        or point a program of yours here: <code>WEFT_COLLECTOR={location.origin}</code>
      </p>
    </Notice>
  );
}

/** Says how many traces came in, but not how many an older page brought. */
function useArrivals(count: number | undefined, loadingMore: boolean): void {
  const before = useRef(count);
  const paged = useRef(loadingMore);
  useEffect(() => {
    const added = (count ?? 0) - (before.current ?? count ?? 0);
    if (added > 0 && !paged.current) announce(formatNumberOf(added, "new trace"));
    before.current = count;
    paged.current = loadingMore;
  }, [count, loadingMore]);
}
