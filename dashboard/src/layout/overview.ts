/**
 * A whole session in a strip: every event becomes a run of cells in a small raster, whatever their number.
 * The cell holds the event's kind + 1, or ERROR; 0 is empty. Errors win, then calls and tools over their containers.
 *
 * Few events step down the strip in the order of their rows. Many would only draw a diagonal; they are laid in lanes
 * by depth instead, which shows where work was dense and where nothing happened, with a lane of errors on top: of what
 * holds others the moment when it had failed, or one failed session would hide every error in it.
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

/** More rows than this for each pixel of height are laid in lanes. */
const CROWD = 4;
const LANES = 6;
const ERROR_LANE = 4;

export function overview(table: EventTable, end: Millis, now: Millis, width: number, height: number): Overview {
  return table.count > height * CROWD
    ? lanes(table, end, now, width, height)
    : steps(table, end, now, width, height);
}

function steps(table: EventTable, end: Millis, now: Millis, width: number, height: number): Overview {
  const cells = new Uint8Array(width * height);
  const thick = table.count <= height ? 2 : 1;
  const share = height / Math.max(table.count, height / 2);
  for (let row = 0; row < table.count; row++) {
    const top = Math.min(height - thick, Math.floor(row * share));
    const run = runOf(table, row, end, now, width);
    for (let y = top; y < top + thick; y++) fill(cells, y * width, run);
  }
  return { width, height, cells };
}

function lanes(table: EventTable, end: Millis, now: Millis, width: number, height: number): Overview {
  const deepest = table.depths.reduce((most, depth) => Math.max(most, depth), 0);
  const count = Math.min(deepest + 1, LANES);
  // One row of cells for each lane first, so that work does not grow with their height.
  const thin = new Uint8Array(width * (count + 1));
  for (let row = 0; row < table.count; row++) {
    const run = runOf(table, row, end, now, width);
    if (run.cell === ERROR_CELL) fill(thin, 0, table.sizes[row] > 1 ? { ...run, left: run.right - 1 } : run);
    fill(thin, (1 + Math.min(table.depths[row], count - 1)) * width, { ...run, cell: table.kinds[row] + 1 });
  }
  const cells = new Uint8Array(width * height);
  const each = Math.floor((height - ERROR_LANE) / count);
  for (let lane = 0; lane <= count; lane++) {
    const top = lane === 0 ? 0 : ERROR_LANE + (lane - 1) * each;
    const thick = lane === 0 ? ERROR_LANE - 1 : Math.max(1, each - 1);
    const line = thin.subarray(lane * width, (lane + 1) * width);
    for (let y = top; y < top + thick; y++) cells.set(line, y * width);
  }
  return { width, height, cells };
}

interface Run {
  left: number;
  right: number;
  cell: number;
}

function runOf(table: EventTable, row: number, end: Millis, now: Millis, width: number): Run {
  const perPixel = Math.max(end, 1) / width;
  const left = Math.max(0, Math.min(width - 1, Math.floor(table.starts[row] / perPixel)));
  const right = Math.min(width, Math.max(left + 1, Math.ceil(endOf(table, row, now) / perPixel)));
  return { left, right, cell: table.statuses[row] === STATUS_ERROR ? ERROR_CELL : table.kinds[row] + 1 };
}

function fill(cells: Uint8Array, from: number, { left, right, cell }: Run): void {
  const rank = rankOf(cell);
  for (let at = from + left; at < from + right; at++) if (rank >= rankOf(cells[at])) cells[at] = cell;
}

function rankOf(cell: number): number {
  return cell === 0 ? 0 : cell === ERROR_CELL ? 3 : RANKS[cell - 1];
}
