import { useEffect, useMemo, useState } from "react";
import type { RefObject } from "react";
import { announce } from "../ui/announcer.tsx";
import { narrowQuery, useMedia } from "../ui/use-media.ts";
import { WindowedRows } from "../ui/windowed-rows.tsx";
import { SpanRow, WaterfallHead } from "./span-row.tsx";
import { createTimeScale } from "./time-scale.ts";
import { reveal, rowOf, toggled, visibleRows } from "./trace-tree.ts";
import type { TraceTree } from "./trace-tree.ts";
import { treeCommand } from "./tree-keys.ts";
import type { RowCommand } from "./tree-keys.ts";

const rowHeight = 30;
const narrowRowHeight = 46;

export interface WaterfallProps {
  readonly tree: TraceTree;
  readonly selected: string | undefined;
  readonly gridRef: RefObject<HTMLDivElement | null>;
  readonly onShow: (
    spanId: string,
    options?: { readonly replace?: boolean; readonly focus?: boolean },
  ) => void;
  readonly onClose: () => void;
}

export function Waterfall(props: WaterfallProps) {
  const { tree, selected, gridRef, onShow } = props;
  const narrow = useMedia(narrowQuery);
  const scale = useMemo(() => createTimeScale(tree.durationMs, narrow ? 3 : 6), [tree, narrow]);
  const view = useTreeView(tree, selected);
  const { rows, active, idAt, isFolded, activate, toggle } = view;
  return (
    <WindowedRows
      role="treegrid"
      label="Spans of the trace"
      className="waterfall"
      count={rows.length}
      columns={3}
      rowHeight={narrow ? narrowRowHeight : rowHeight}
      active={active}
      rowKey={idAt}
      gridRef={gridRef}
      header={<WaterfallHead scale={scale} />}
      onKey={(key, page) => {
        const command = treeCommand({ key, page, active, count: rows.length, tree, rows, isFolded });
        if (command !== undefined) obey(command, view, props);
        return command !== undefined;
      }}
      onEnter={() => active < 0 && rows.length > 0 && activate(idAt(0))}
      renderRow={(row, rowProps) => (
        <SpanRow
          key={rowProps.id}
          tree={tree}
          index={rows[row] ?? 0}
          scale={scale}
          props={rowProps}
          folded={isFolded(rows[row] ?? 0)}
          selected={idAt(row) === selected}
          onToggle={toggle}
          onShow={(spanId) => {
            activate(spanId);
            onShow(spanId, { focus: narrow });
          }}
        />
      )}
    />
  );
}

interface TreeView {
  readonly rows: Uint32Array;
  /** The row that keys move from, or -1. */
  readonly active: number;
  readonly idAt: (row: number) => string;
  readonly isFolded: (index: number) => boolean;
  readonly activate: (spanId: string) => void;
  readonly toggle: (spanId: string) => void;
}

/** What is folded and where the keys are; both are kept by span id, so that a growing trace moves neither. */
function useTreeView(tree: TraceTree, selected: string | undefined): TreeView {
  const { skeleton } = tree;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [activeId, activate] = useState(selected);
  const rows = useMemo(() => visibleRows(tree, folded), [tree, folded]);
  useEffect(() => {
    if (selected === undefined) return;
    activate(selected);
    setFolded((folded) => reveal(tree, folded, selected));
  }, [selected, tree]);
  const activeIndex = activeId === undefined ? -1 : skeleton.indexOf(activeId);
  return {
    rows,
    active: activeIndex < 0 ? -1 : rowOf(rows, activeIndex),
    idAt: (row) => skeleton.spanId(rows[row] ?? 0),
    isFolded: (index) => folded.has(skeleton.spanId(index)),
    activate,
    toggle: (spanId) => {
      announce(folded.has(spanId) ? "Opened" : "Folded");
      setFolded((folded) => toggled(folded, spanId));
    },
  };
}

function obey(
  command: RowCommand,
  { idAt, activate, toggle }: TreeView,
  { selected, onShow, onClose }: WaterfallProps,
): void {
  switch (command.type) {
    case "move":
      activate(idAt(command.row));
      // With the details open, they follow.
      if (selected !== undefined) onShow(idAt(command.row), { replace: true });
      return;
    case "toggle":
      toggle(idAt(command.row));
      return;
    case "open":
      onShow(idAt(command.row), { focus: true });
      return;
    case "close":
      if (selected !== undefined) onClose();
  }
}
