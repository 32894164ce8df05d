import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode, RefObject } from "react";
import { movedBy, rowsPerPage, scrollToRow, windowRows } from "./windowing.ts";
import type { Place, RowWindow } from "./windowing.ts";

export interface RowProps {
  readonly id: string;
  readonly role: "row";
  readonly "aria-rowindex": number;
  readonly "data-active": boolean;
}

export interface WindowedRowsProps {
  readonly role: "grid" | "treegrid";
  readonly label: string;
  readonly count: number;
  readonly columns: number;
  readonly rowHeight: number;
  /** The row that keys move from, or -1. */
  readonly active: number;
  /** Stays the same while rows come and go around it. */
  readonly rowKey: (row: number) => string;
  readonly renderRow: (row: number, props: RowProps) => ReactNode;
  readonly header: ReactNode;
  readonly className: string;
  /** True when the key was used. `page`: rows a page key moves by. */
  readonly onKey: (key: string, page: number) => boolean;
  /** Told when focus comes in. */
  readonly onEnter?: () => void;
  /** Told when the last row comes in sight, and again when there are more rows; keep it the same from drawing to drawing. */
  readonly onReachEnd?: () => void;
  readonly gridRef?: RefObject<HTMLDivElement | null>;
}

/**
 * Rows of one height, of which only those in sight are in the document. Focus stays on the grid; `aria-activedescendant` names the
 * active row, so that a row that is scrolled away takes no focus with it.
 */
export function WindowedRows(props: WindowedRowsProps) {
  const { count, rowHeight, active, rowKey, onKey, onEnter, onReachEnd } = props;
  const ownRef = useRef<HTMLDivElement>(null);
  const grid = props.gridRef ?? ownRef;
  const id = useId();
  const window = useWindow(grid, rowHeight, count);
  useKeepPlace(grid, rowHeight, count, rowKey);
  useFollow(grid, active, rowHeight, count, rowKey);
  useEffect(() => {
    if (count > 0 && window.to >= count) onReachEnd?.();
  }, [window.to, count, onReachEnd]);

  const idOf = (row: number): string => `${id}${rowKey(row)}`;
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    if (onKey(event.key, rowsPerPage(bodyHeight(event.currentTarget), rowHeight))) event.preventDefault();
  };
  return (
    <div
      ref={grid}
      role={props.role}
      aria-label={props.label}
      aria-rowcount={count + 1}
      aria-colcount={props.columns}
      aria-activedescendant={active >= window.from && active < window.to ? idOf(active) : undefined}
      tabIndex={0}
      className={`rows ${props.className}`}
      onKeyDown={onKeyDown}
      onFocus={(event) => event.target === event.currentTarget && onEnter?.()}
    >
      <div role="rowgroup" className="rows-head">
        {props.header}
      </div>
      <div role="rowgroup" className="rows-body" style={{ height: count * rowHeight }}>
        <div role="presentation" style={{ transform: `translateY(${window.from * rowHeight}px)` }}>
          {drawRows(props, window, idOf)}
        </div>
      </div>
    </div>
  );
}

function drawRows(
  { active, renderRow }: WindowedRowsProps,
  { from, to }: RowWindow,
  idOf: (row: number) => string,
): ReactNode {
  return Array.from({ length: to - from }, (_, offset) => {
    const row = from + offset;
    return renderRow(row, {
      id: idOf(row),
      role: "row",
      "aria-rowindex": row + 2,
      "data-active": row === active,
    });
  });
}

function useWindow(grid: RefObject<HTMLDivElement | null>, rowHeight: number, count: number): RowWindow {
  const [window, setWindow] = useState<RowWindow>({ from: 0, to: Math.min(count, 40) });
  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return;
    const measure = (): void => {
      const next = windowRows({
        scrollTop: element.scrollTop,
        viewHeight: element.clientHeight,
        rowHeight,
        count,
      });
      setWindow((last) => (last.from === next.from && last.to === next.to ? last : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [grid, rowHeight, count]);
  // Fewer rows than at the last measure: never draw one that is gone.
  return { from: Math.min(window.from, count), to: Math.min(window.to, count) };
}

/** Rows that come in above the view push nothing down: what is read stays where it is. At the very top new rows show. */
function useKeepPlace(
  grid: RefObject<HTMLDivElement | null>,
  rowHeight: number,
  count: number,
  rowKey: (row: number) => string,
): void {
  const place = useRef<Place>(undefined);
  const latest = useRef({ count, rowKey });
  useLayoutEffect(() => {
    latest.current = { count, rowKey };
  });
  // Asking where the view is costs a layout: only when rows came or left.
  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return;
    const last = place.current;
    if (last !== undefined) element.scrollTop += movedBy(last, count, latest.current.rowKey) * rowHeight;
    place.current = placeOf(element, rowHeight, latest.current);
  }, [grid, rowHeight, count]);
  useEffect(() => {
    const element = grid.current;
    const remember = (): void => {
      if (element !== null) place.current = placeOf(element, rowHeight, latest.current);
    };
    element?.addEventListener("scroll", remember, { passive: true });
    return () => element?.removeEventListener("scroll", remember);
  }, [grid, rowHeight]);
}

function placeOf(
  { scrollTop }: HTMLElement,
  rowHeight: number,
  { count, rowKey }: Pick<WindowedRowsProps, "count" | "rowKey">,
): Place | undefined {
  const row = Math.floor(scrollTop / rowHeight);
  return scrollTop < rowHeight || row >= count ? undefined : { row, key: rowKey(row) };
}

/** Keeps the active row in sight when it becomes another; rows that come in above it do not move the view. */
function useFollow(
  grid: RefObject<HTMLDivElement | null>,
  active: number,
  rowHeight: number,
  count: number,
  rowKey: (row: number) => string,
): void {
  const key = active < 0 || active >= count ? undefined : rowKey(active);
  const latest = useRef({ active, count });
  latest.current = { active, count };
  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null || key === undefined) return;
    const { active, count } = latest.current;
    const measure = { scrollTop: element.scrollTop, viewHeight: bodyHeight(element), rowHeight, count };
    const scrollTop = scrollToRow(measure, active);
    if (scrollTop !== element.scrollTop) element.scrollTop = scrollTop;
  }, [grid, key, rowHeight]);
}

/** The header is sticky: what it covers is not seen. */
function bodyHeight(element: HTMLElement): number {
  const head = element.firstElementChild instanceof HTMLElement ? element.firstElementChild.offsetHeight : 0;
  return element.clientHeight - head;
}
