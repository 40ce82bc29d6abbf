/** Where the bars and labels of a timeline stand, and what lies under a point. Pure: values in, values out. */

import type { Rows } from "../model/outline";
import { endOf, type EventTable } from "../model/table";
import type { Millis, Pixels } from "../model/units";
import { type Scale, toX, type TimeWindow } from "./scale";

export const ROW_HEIGHT: Pixels = 22;
export const BAR_HEIGHT: Pixels = 16;
const NARROWEST: Pixels = 2;

export interface Bar {
  readonly x: Pixels;
  readonly width: Pixels;
  /** False when the bar lies wholly outside the view. */
  readonly visible: boolean;
}

/** The bar of a row, clipped to a little beyond the view so that no coordinate overflows when zoomed far in. */
export function barOf(table: EventTable, row: number, scale: Scale, now: Millis): Bar {
  const left = toX(scale, table.starts[row]);
  const right = Math.max(toX(scale, endOf(table, row, now)), left + NARROWEST);
  const x = Math.max(left, -8);
  const end = Math.min(right, scale.width + 8);
  return { x, width: Math.max(end - x, 0), visible: right >= 0 && left <= scale.width };
}

/** The positions among the shown rows that a scrolled view touches: first included, last excluded. */
export function visibleSpan(count: number, scrollTop: Pixels, height: Pixels): { first: number; last: number } {
  const first = Math.min(count, Math.max(0, Math.floor(scrollTop / ROW_HEIGHT)));
  const last = Math.min(count, Math.ceil((scrollTop + height) / ROW_HEIGHT));
  return { first, last: Math.max(first, last) };
}

/** The position of the row at `y` (from the top of the view), or -1. */
export function positionAt(count: number, scrollTop: Pixels, y: Pixels): number {
  const position = Math.floor((scrollTop + y) / ROW_HEIGHT);
  return position >= 0 && position < count ? position : -1;
}

/** Where to scroll so that a position is wholly on view; the present place when it is already. */
export function scrollFor(position: number, scrollTop: Pixels, height: Pixels): Pixels {
  const top = position * ROW_HEIGHT;
  if (top < scrollTop + ROW_HEIGHT) return Math.max(0, top - ROW_HEIGHT);
  if (top + 2 * ROW_HEIGHT > scrollTop + height) return top + 2 * ROW_HEIGHT - height;
  return scrollTop;
}

export type LabelPlace = "inside" | "right" | "left" | "none";

const INDENT: Pixels = 10;
const DEEPEST = 12;

/**
 * Where the label of a row this deep stands at the least: where bars begin together, or are too thin to show which is
 * inside which, labels show it.
 */
export function indentOf(depth: number, margin: Pixels): Pixels {
  return margin + 6 + INDENT * Math.min(depth, DEEPEST);
}

/** Where a label of `text` pixels stands: inside its bar when it fits, else after it, neither before `least`; else before it. */
export function placeLabel(bar: Bar, text: Pixels, width: Pixels, least: Pixels = 0): { place: LabelPlace; x: Pixels } {
  const from = Math.max(bar.x, 0);
  const to = Math.min(bar.x + bar.width, width);
  const inside = Math.max(from + 8, least);
  if (inside + text + 6 <= to) return { place: "inside", x: inside };
  const after = Math.max(to + 6, least);
  if (after + text <= width - 4) return { place: "right", x: after };
  if (from - 6 - text >= 4) return { place: "left", x: from - 6 - text };
  return { place: "none", x: 0 };
}

/** A line that shows nesting: from an event down to its last direct child, and the children it passes. */
export interface Guide {
  readonly row: number;
  readonly x: Pixels;
  readonly fromPosition: number;
  readonly toPosition: number;
  /** Positions of direct children on view. */
  readonly children: readonly number[];
}

/** The guides of every ancestor of the rows on view. */
export function guides(table: EventTable, rows: Rows, first: number, last: number, scale: Scale): Guide[] {
  const found = new Map<number, { from: number; to: number; children: number[] }>();
  for (let position = first; position < last; position++) {
    let child = rows[position];
    for (let level = 0; level < 64; level++) {
      const at = table.parents[child];
      if (at < 0) break;
      const guide = found.get(at) ?? { from: position, to: position, children: [] };
      found.set(at, guide);
      if (level === 0) guide.children.push(position);
      // Below its last child an event's line would lead nowhere.
      if (level === 0 || child !== table.lastChildren[at]) guide.to = position;
      child = at;
    }
  }
  return Array.from(found, ([row, { from, to, children }]) => ({
    row,
    x: toX(scale, table.starts[row]) + 1.5,
    fromPosition: from,
    toPosition: to,
    children,
  })).filter(({ x }) => x >= 0 && x <= scale.width);
}

/**
 * The position to scroll to when none of the rows on view works inside the window: the first row that starts in it,
 * else the last one that reaches into it. -1 when the view shows something already, or there is nothing to show.
 */
export function positionInside(table: EventTable, rows: Rows, shown: TimeWindow, scrollTop: Pixels, height: Pixels, now: Millis): number {
  const reaches = (row: number) => table.starts[row] <= shown.to && endOf(table, row, now) >= shown.from;
  const { first, last } = visibleSpan(rows.length, scrollTop, height);
  for (let position = first; position < last; position++) {
    if (table.sizes[rows[position]] === 1 && reaches(rows[position])) return -1;
  }
  let reaching = -1;
  for (let position = 0; position < rows.length; position++) {
    const start = table.starts[rows[position]];
    if (start >= shown.from && start <= shown.to) return position;
    if (reaches(rows[position])) reaching = position;
  }
  return reaching >= first && reaching < last ? -1 : reaching;
}
