/** Paint the strip above a timeline: the whole session in small with the window on view, and the ruler below it. */

import { ERROR_CELL, type Overview } from "../layout/overview";
import { type Scale, ticks, tickStep, toX, type TimeWindow } from "../layout/scale";
import type { Gap } from "../model/gaps";
import type { Millis, Pixels } from "../model/units";
import { duration } from "../model/format";
import { textWidth } from "./canvas";
import type { Palette } from "./palette";

export const OVERVIEW_HEIGHT: Pixels = 44;
export const RULER_HEIGHT: Pixels = 24;
export const STRIP_HEIGHT: Pixels = OVERVIEW_HEIGHT + RULER_HEIGHT;

/** Paint an overview once into a bitmap of its own; frames then only copy it. */
export function overviewBitmap(raster: Overview, palette: Palette): HTMLCanvasElement {
  const bitmap = document.createElement("canvas");
  bitmap.width = raster.width;
  bitmap.height = raster.height;
  const context = bitmap.getContext("2d");
  if (!context) return bitmap;
  for (let y = 0; y < raster.height; y++) {
    let x = 0;
    while (x < raster.width) {
      const cell = raster.cells[y * raster.width + x];
      let end = x + 1;
      while (end < raster.width && raster.cells[y * raster.width + end] === cell) end++;
      if (cell !== 0) {
        context.fillStyle = cell === ERROR_CELL ? palette.fail : palette.kinds[cell - 1];
        context.fillRect(x, y, end - x, 1);
      }
      x = end;
    }
  }
  return bitmap;
}

export interface StripFrame {
  readonly scale: Scale;
  /** Everything the overview covers. */
  readonly bounds: TimeWindow;
  readonly bitmap: HTMLCanvasElement | null;
  /** How far the bitmap reaches: a running session has grown since. */
  readonly bitmapEnd: Millis;
  readonly palette: Palette;
  readonly gaps: readonly Gap[];
  readonly tickOrigin: Millis;
  /** A mark's text. */
  readonly tickText: (at: Millis, step: Millis) => string;
}

export function paintStrip(context: CanvasRenderingContext2D, frame: StripFrame): void {
  const { scale, bounds, bitmap, palette } = frame;
  const small: Scale = { ...bounds, width: scale.width, margin: scale.margin };
  context.fillStyle = palette.sunk;
  context.fillRect(0, 0, scale.width, OVERVIEW_HEIGHT);
  if (bitmap) {
    context.imageSmoothingEnabled = false;
    context.globalAlpha = 0.85;
    const reach = toX(small, Math.min(frame.bitmapEnd, bounds.to)) - scale.margin;
    context.drawImage(bitmap, scale.margin, 4, reach, OVERVIEW_HEIGHT - 8);
    context.globalAlpha = 1;
  }
  const left = toX(small, scale.from);
  const right = toX(small, scale.to);
  context.fillStyle = palette.sunk;
  context.globalAlpha = 0.65;
  context.fillRect(0, 0, left, OVERVIEW_HEIGHT);
  context.fillRect(right, 0, scale.width - right, OVERVIEW_HEIGHT);
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1;
  context.strokeRect(Math.round(left) + 0.5, 1.5, Math.max(2, Math.round(right - left) - 1), OVERVIEW_HEIGHT - 3);

  context.fillStyle = palette.line2;
  context.fillRect(0, STRIP_HEIGHT - 1, scale.width, 1);
  paintGaps(context, frame);
  context.font = `11px ${palette.font}`;
  context.textBaseline = "middle";
  const step = tickStep(scale, 90);
  for (const tick of ticks(scale, 90, frame.tickOrigin)) {
    context.fillStyle = palette.line;
    context.fillRect(Math.round(tick.x), OVERVIEW_HEIGHT, 1, RULER_HEIGHT);
    context.fillStyle = palette.faint;
    const text = frame.tickText(tick.at, step);
    if (tick.x + 4 + textWidth(context, text) <= scale.width) {
      context.fillText(text, tick.x + 4, OVERVIEW_HEIGHT + RULER_HEIGHT / 2);
    }
  }
}

/** Idle stretches are dotted on the ruler's edge. */
function paintGaps(context: CanvasRenderingContext2D, { scale, gaps, palette }: StripFrame): void {
  context.fillStyle = palette.faint;
  for (const gap of gaps) {
    const left = Math.max(0, toX(scale, gap.from));
    const right = Math.min(scale.width, toX(scale, gap.to));
    if (right - left < 24) continue;
    context.globalAlpha = 0.8;
    for (let x = left + 2; x < right - 2; x += 5) context.fillRect(x, STRIP_HEIGHT - 3, 2, 2);
    context.globalAlpha = 1;
  }
}

/** `idle 12.4 s` for a moment inside a gap, else nothing. */
export function gapText(gaps: readonly Gap[], at: Millis): string {
  const gap = gaps.find(({ from, to }) => at >= from && at <= to);
  return gap ? `idle ${duration(gap.to - gap.from)}` : "";
}
