import type { CSSProperties } from "react";
import { SpanFlags } from "../data/skeleton.ts";
import { formatDuration, formatNumberOf, formatTick } from "../ui/format.ts";
import { Icon, iconOfType } from "../ui/icon.tsx";
import { useTone } from "../ui/service-chip.tsx";
import type { RowProps } from "../ui/windowed-rows.tsx";
import { barOf } from "./time-scale.ts";
import type { TimeScale } from "./time-scale.ts";
import { isError } from "./trace-tree.ts";
import type { TraceTree } from "./trace-tree.ts";

export interface SpanRowProps {
  readonly tree: TraceTree;
  readonly index: number;
  readonly scale: TimeScale;
  readonly props: RowProps;
  readonly folded: boolean;
  readonly selected: boolean;
  readonly onToggle: (spanId: string) => void;
  readonly onShow: (spanId: string) => void;
}

export function SpanRow({ tree, index, scale, props, folded, selected, onToggle, onShow }: SpanRowProps) {
  const { skeleton } = tree;
  const { service, type, name } = skeleton.shape(index);
  const depth = tree.depth(index);
  const folds = tree.hasChildren(index);
  const failed = isError(skeleton, index);
  const spanId = skeleton.spanId(index);
  const tone = useTone(service);
  return (
    <div
      {...props}
      className="span-row tone"
      style={{ ...tone, "--depth": depth } as CSSProperties}
      aria-level={depth + 1}
      aria-expanded={folds ? !folded : undefined}
      aria-selected={selected}
      data-failed={failed}
      onClick={() => onShow(spanId)}
    >
      <span role="gridcell" className="cell-name">
        <Fold folds={folds} folded={folded} onToggle={() => onToggle(spanId)} />
        <span className="span-icon">
          <Icon name={iconOfType(type)} size={15} />
        </span>
        <span className="span-name" title={name}>
          {name || "unnamed"}
        </span>
        {failed && (
          <span className="failed">
            <Icon name="warning" size={13} />
            <span className="visually-hidden">failed</span>
          </span>
        )}
        {folded && <Hidden tree={tree} index={index} />}
      </span>
      <span role="gridcell" className="cell-service" title={service}>
        {service}
      </span>
      <Timing tree={tree} index={index} scale={scale} />
    </div>
  );
}

function Fold({
  folds,
  folded,
  onToggle,
}: {
  readonly folds: boolean;
  readonly folded: boolean;
  readonly onToggle: () => void;
}) {
  if (!folds) return <span className="fold" />;
  return (
    <span
      className="fold"
      data-folded={folded}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onToggle();
      }}
    >
      <Icon name="chevron" size={14} />
    </span>
  );
}

/** What a folded row hides must not hide that something failed. */
function Hidden({ tree, index }: { readonly tree: TraceTree; readonly index: number }) {
  const errors = tree.errorsBelow(index);
  return (
    <span
      className="hidden-below"
      data-failed={errors > 0}
      title={formatNumberOf(tree.end(index) - index - 1, "span") + " below"}
    >
      +{tree.end(index) - index - 1}
      {errors > 0 && `, ${errors} failed`}
    </span>
  );
}

function Timing({ tree, index, scale }: Pick<SpanRowProps, "tree" | "index" | "scale">) {
  const { skeleton } = tree;
  const open = (skeleton.flags(index) & SpanFlags.open) !== 0;
  const { left, width } = barOf(scale, skeleton.start(index), skeleton.duration(index), open);
  return (
    <span role="gridcell" className="cell-time">
      <span className="track">
        <Gridlines scale={scale} />
        <span className="bar" data-open={open} style={{ left: `${left * 100}%`, width: `${width * 100}%` }} />
        <span className="bar-label" style={{ left: `${(left + width) * 100}%` }}>
          {open ? "running" : formatDuration(skeleton.duration(index))}
        </span>
      </span>
    </span>
  );
}

function Gridlines({ scale }: { readonly scale: TimeScale }) {
  return scale.ticks
    .slice(1)
    .map((tick) => (
      <span key={tick} className="gridline" style={{ left: `${scale.position(tick) * 100}%` }} />
    ));
}

export function WaterfallHead({ scale }: { readonly scale: TimeScale }) {
  return (
    <div role="row" aria-rowindex={1} className="span-row span-head">
      <span role="columnheader" className="cell-name">
        Span
      </span>
      <span role="columnheader" className="cell-service">
        Service
      </span>
      <span role="columnheader" className="cell-time" aria-label="Time">
        <span className="track">
          {scale.ticks.map((tick) => (
            <span key={tick} className="tick" style={{ left: `${scale.position(tick) * 100}%` }}>
              {formatTick(tick, scale.durationMs)}
            </span>
          ))}
        </span>
      </span>
    </div>
  );
}
