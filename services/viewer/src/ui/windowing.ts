/** Which rows of equal height stand in a scrolled window. */
export interface RowWindow {
  /** The first row to draw. */
  readonly from: number;
  /** The row after the last to draw. */
  readonly to: number;
}

export interface WindowMeasure {
  readonly scrollTop: number;
  readonly viewHeight: number;
  readonly rowHeight: number;
  readonly count: number;
}

/** Rows are drawn in blocks of this many, so that most scroll events change nothing. */
const block = 8;

/** What is seen, and at least a block before and after it. */
export function windowRows({ scrollTop, viewHeight, rowHeight, count }: WindowMeasure): RowWindow {
  if (rowHeight <= 0 || count <= 0) return { from: 0, to: 0 };
  const first = Math.floor(scrollTop / rowHeight / block) - 1;
  const last = Math.ceil((scrollTop + viewHeight) / rowHeight / block) + 1;
  const to = Math.min(count, Math.max(0, last * block));
  return { from: Math.min(to, Math.max(0, first * block)), to };
}

/** The scroll position that shows `row` with the least movement. `margin`: rows kept in sight around it. */
export function scrollToRow(measure: WindowMeasure, row: number, margin = 1): number {
  const { scrollTop, viewHeight, rowHeight, count } = measure;
  const top = Math.max(0, row - margin) * rowHeight;
  const bottom = Math.min(count, row + 1 + margin) * rowHeight;
  if (top < scrollTop) return top;
  return bottom > scrollTop + viewHeight ? bottom - viewHeight : scrollTop;
}

/** The row at the top of the view, by the key it keeps while rows come and go. */
export interface Place {
  readonly row: number;
  readonly key: string;
}

/** How far from its place a row is looked for; one that went further is let go. */
const reach = 500;

/** By how many rows the row at the top has moved, as rows came in or left above it; 0 when it is gone. */
export function movedBy(place: Place, count: number, rowKey: (row: number) => string): number {
  for (let distance = 0; distance <= reach; distance++) {
    for (const row of [place.row + distance, place.row - distance]) {
      if (row >= 0 && row < count && rowKey(row) === place.key) return row - place.row;
    }
  }
  return 0;
}

/** Rows of a page: what is seen at once, less one, at least one. */
export function rowsPerPage(viewHeight: number, rowHeight: number): number {
  return Math.max(1, Math.floor(viewHeight / rowHeight) - 1);
}
