/** Paint the rows of a timeline that are on view. Work grows with the height of the view, never with the session. */

import { BAR_HEIGHT, barOf, guides, indentOf, placeLabel, ROW_HEIGHT, visibleSpan } from "../layout/bars";
import { type Scale, ticks, toX } from "../layout/scale";
import { duration, usd } from "../model/format";
import type { Gap } from "../model/gaps";
import { isContainer, KINDS } from "../model/kinds";
import { modelOf } from "../model/naming";
import type { Rows } from "../model/outline";
import { type EventTable, STATUS_ERROR, STATUS_INTERRUPTED, STATUS_RUNNING } from "../model/table";
import type { Millis, Pixels } from "../model/units";
import { isolated, oneLine } from "../model/visible";
import { textWidth } from "./canvas";
import { inkOn, opacityOf, type Palette } from "./palette";

export interface RowsFrame {
  readonly table: EventTable;
  readonly rows: Rows;
  readonly scale: Scale;
  readonly height: Pixels;
  readonly scrollTop: Pixels;
  readonly now: Millis;
  readonly palette: Palette;
  /** Row of the table that is selected or under the pointer, or -1. */
  readonly selected: number;
  readonly hovered: number;
  /** Rows that match the search; null when nothing is searched. */
  readonly marks: Uint8Array | null;
  readonly tickOrigin: Millis;
  readonly gaps: readonly Gap[];
}

/** How far a nesting line reaches towards a child: longer ones would cross labels. */
const TWIG: Pixels = 9;
const CONTAINER = KINDS.map((kind) => isContainer(kind));

export function paintRows(context: CanvasRenderingContext2D, frame: RowsFrame): void {
  const { rows, scale, height, scrollTop, palette } = frame;
  const { first, last } = visibleSpan(rows.length, scrollTop, height);
  context.fillStyle = palette.line;
  for (const tick of ticks(scale, 90, frame.tickOrigin)) context.fillRect(Math.round(tick.x), 0, 1, height);
  paintGaps(context, frame);
  paintBands(context, frame, first, last);
  paintGuides(context, frame, first, last);
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  for (let position = first; position < last; position++) {
    paintRow(context, frame, rows[position], position * ROW_HEIGHT - scrollTop);
  }
  context.globalAlpha = 1;
}

/** Stretches in which nothing worked are shaded through all rows, and named at the bottom where there is room. */
function paintGaps(context: CanvasRenderingContext2D, { gaps, scale, height, palette }: RowsFrame): void {
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  for (const gap of gaps) {
    const left = Math.max(0, toX(scale, gap.from));
    const right = Math.min(scale.width, toX(scale, gap.to));
    if (right - left < 24) continue;
    context.fillStyle = palette.sunk;
    context.fillRect(left, 0, right - left, height);
    const text = `idle ${duration(gap.to - gap.from)}`;
    const width = textWidth(context, text);
    if (right - left < width + 12) continue;
    context.fillStyle = palette.faint;
    context.fillText(text, (left + right - width) / 2, height - 10);
  }
}

function paintBands(context: CanvasRenderingContext2D, frame: RowsFrame, first: number, last: number): void {
  const { rows, scale, scrollTop, palette } = frame;
  for (let position = first; position < last; position++) {
    const row = rows[position];
    if (row !== frame.selected && row !== frame.hovered) continue;
    context.fillStyle = row === frame.selected ? palette.accentSoft : palette.sunk;
    context.fillRect(0, position * ROW_HEIGHT - scrollTop, scale.width, ROW_HEIGHT);
  }
}

function paintGuides(context: CanvasRenderingContext2D, frame: RowsFrame, first: number, last: number): void {
  const { table, rows, scale, scrollTop, palette } = frame;
  context.globalAlpha = 0.4;
  for (const guide of guides(table, rows, first, last, scale)) {
    const x = Math.round(guide.x) - 0.5;
    const top = guide.fromPosition * ROW_HEIGHT - scrollTop - 3;
    const bottom = guide.toPosition * ROW_HEIGHT - scrollTop + ROW_HEIGHT / 2;
    context.fillStyle = palette.kinds[table.kinds[guide.row]];
    context.fillRect(x, top, 1, bottom - top);
    for (const position of guide.children) {
      const reach = toX(scale, table.starts[rows[position]]) - x;
      if (reach > 2) context.fillRect(x, position * ROW_HEIGHT - scrollTop + ROW_HEIGHT / 2 - 0.5, Math.min(reach, TWIG), 1);
    }
  }
  context.globalAlpha = 1;
}

function paintRow(context: CanvasRenderingContext2D, frame: RowsFrame, row: number, rowTop: Pixels): void {
  const { table, scale, palette, now } = frame;
  const bar = barOf(table, row, scale, now);
  const kind = table.kinds[row];
  const status = table.statuses[row];
  const failed = status === STATUS_ERROR;
  const open = status === STATUS_RUNNING || status === STATUS_INTERRUPTED;
  const color = failed && !CONTAINER[kind] ? palette.fail : palette.kinds[kind];
  const top = rowTop + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  const faded = frame.marks !== null && frame.marks[row] === 0 ? 0.22 : 1;

  if (bar.visible) {
    context.fillStyle = color;
    context.globalAlpha = faded * opacityOf(kind, status);
    rounded(context, bar.x, top, bar.width, BAR_HEIGHT, Math.min(3, bar.width / 2));
    context.globalAlpha = faded;
    if (CONTAINER[kind]) context.fillRect(bar.x, top, Math.min(3, bar.width), BAR_HEIGHT);
    if (open) paintOpenEnd(context, bar.x + bar.width, top, color, palette, status === STATUS_RUNNING);
    if (failed && CONTAINER[kind]) {
      context.fillStyle = palette.fail;
      context.fillRect(bar.x, top + BAR_HEIGHT - 2, bar.width, 2);
    }
  }
  context.globalAlpha = faded;
  paintLabel(context, frame, row, top + BAR_HEIGHT / 2 + 0.5, bar, failed);
}

/** An end that is not one: a running event's edge moves, an interrupted one's is torn. */
function paintOpenEnd(
  context: CanvasRenderingContext2D,
  x: Pixels,
  top: Pixels,
  color: string,
  palette: Palette,
  running: boolean,
): void {
  if (running) {
    context.fillStyle = color;
    context.beginPath();
    context.arc(x, top + BAR_HEIGHT / 2, 4, 0, Math.PI * 2);
    context.fill();
    return;
  }
  context.fillStyle = palette.panel;
  context.globalAlpha = 1;
  for (let notch = 0; notch < 4; notch++) {
    context.beginPath();
    context.moveTo(x + 1, top + notch * 4);
    context.lineTo(x - 4, top + notch * 4 + 2);
    context.lineTo(x + 1, top + notch * 4 + 4);
    context.fill();
  }
}

function paintLabel(
  context: CanvasRenderingContext2D,
  { table, scale, palette, now }: RowsFrame,
  row: number,
  middle: Pixels,
  bar: { x: Pixels; width: Pixels; visible: boolean },
  failed: boolean,
): void {
  const kind = table.kinds[row];
  const status = table.statuses[row];
  const name = oneLine(table.names.at(row), 60) || KINDS[kind];
  const model = oneLine(modelOf(table, row), 40);
  const label = [name, model, failed ? oneLine(table.errors.at(row), 70) : ""].filter(Boolean).map(isolated).join("  ");
  const running = status === STATUS_RUNNING;
  const length = running ? duration(Math.max(0, now - table.starts[row])) : duration(table.durations[row]);
  const state = running ? "running" : status === STATUS_INTERRUPTED ? "interrupted" : "";
  const cost = Number.isNaN(table.costs[row]) ? "" : usd(table.costs[row]);
  const facts = [state || length, state && running ? length : "", cost].filter(Boolean).join("  ");
  if (!bar.visible) {
    // The row's work lies outside the window: say where.
    context.fillStyle = palette.faint;
    const isLeft = bar.x + bar.width <= 0;
    const text = isLeft ? `‹ ${isolated(name)}` : `${isolated(name)} ›`;
    context.fillText(text, isLeft ? 6 : scale.width - textWidth(context, text) - 6, middle);
    return;
  }
  // What does not fit whole is tried without model and error, then cut.
  let shown = label;
  const least = indentOf(table.depths[row], scale.margin);
  let placed = placeLabel(bar, textWidth(context, shown), scale.width, least);
  if (placed.place === "none") {
    shown = isolated(name);
    placed = placeLabel(bar, textWidth(context, shown), scale.width, least);
  }
  if (placed.place === "none") {
    const room = scale.width - (bar.x + bar.width) - 12;
    shown = room > 40 ? isolated(oneLine(name, Math.floor(room / 6.5))) : "";
    placed = { place: "right", x: bar.x + bar.width + 6 };
  }
  const { place, x } = placed;
  const text = textWidth(context, shown);
  const inside = place === "inside";
  const onBar = inkOn(palette, kind, status);
  context.fillStyle = inside ? onBar : failed ? palette.fail : palette.dim;
  context.fillText(shown, x, middle);
  const factsWidth = textWidth(context, facts);
  if (inside) {
    const right = Math.min(bar.x + bar.width, scale.width) - 7;
    if (right - factsWidth < x + text + 12) return;
    context.fillStyle = CONTAINER[kind] ? palette.dim : onBar;
    context.fillText(facts, right - factsWidth, middle);
  } else if (place === "right" && x + text + 8 + factsWidth < scale.width - 4) {
    context.fillStyle = palette.faint;
    context.fillText(facts, x + text + 8, middle);
  }
}

function rounded(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  if (width < 3) {
    context.fillRect(x, y, width, height);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}
