/**
 * A whole session in a strip: every event becomes a run of cells in a small raster, whatever their number.
 * The cell holds the event's kind + 1, or ERROR; 0 is empty. Errors win, then calls and tools over their containers.
 */

import { isContainer, KINDS } from "../model/kinds";
import { endOf, type EventTable, STATUS_ERROR } from "../model/table";
import type { Millis } from "../model/units";

export const ERROR_CELL = 255;

export interface Overview {
  readonly width: number;
  readonly height: number;
  readonly cells: Uint8Array;
}

const RANKS = KINDS.map((kind) => (isContainer(kind) ? 1 : 2));

export function overview(table: EventTable, end: Millis, now: Millis, width: number, height: number): Overview {
  const cells = new Uint8Array(width * height);
  const perPixel = Math.max(end, 1) / width;
  const thick = table.count <= height ? 2 : 1;
  for (let row = 0; row < table.count; row++) {
    const top = Math.min(height - thick, Math.floor((row / Math.max(table.count, height / 2)) * height));
    const left = Math.max(0, Math.min(width - 1, Math.floor(table.starts[row] / perPixel)));
    const right = Math.min(width, Math.max(left + 1, Math.ceil(endOf(table, row, now) / perPixel)));
    const isError = table.statuses[row] === STATUS_ERROR;
    const cell = isError ? ERROR_CELL : table.kinds[row] + 1;
    const rank = isError ? 3 : RANKS[table.kinds[row]];
    for (let y = top; y < top + thick; y++) {
      for (let at = y * width + left; at < y * width + right; at++) {
        const there = cells[at];
        const thereRank = there === 0 ? 0 : there === ERROR_CELL ? 3 : RANKS[there - 1];
        if (rank >= thereRank) cells[at] = cell;
      }
    }
  }
  return { width, height, cells };
}
