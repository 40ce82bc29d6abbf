/** Where in a session nothing worked. */

import { endOf, type EventTable } from "./table";
import type { Millis } from "./units";

/** A stretch in which nothing was recorded to work. */
export interface Gap {
  readonly from: Millis;
  readonly to: Millis;
}

/** Stretches longer than `least` that no event without children covers: waiting, or work that was not recorded. */
export function gaps(table: EventTable, least: Millis, now: Millis): Gap[] {
  const all = new Int32Array(table.count);
  let count = 0;
  let isSorted = true;
  for (let row = 0; row < table.count; row++) {
    if (table.sizes[row] !== 1) continue;
    if (count > 0 && table.starts[row] < table.starts[all[count - 1]]) isSorted = false;
    all[count++] = row;
  }
  const leaves = all.subarray(0, count);
  // What one program did one after the other stands so already.
  if (!isSorted) leaves.sort((a, b) => table.starts[a] - table.starts[b]);
  const found: Gap[] = [];
  let covered = Number.NaN;
  for (let at = 0; at < count; at++) {
    const row = leaves[at];
    const start = table.starts[row];
    if (start - covered > least) found.push({ from: covered, to: start });
    const end = endOf(table, row, now);
    covered = Number.isNaN(covered) ? end : Math.max(covered, end);
  }
  return found;
}

/** The gaps worth showing: longer than 3% of the session. */
export function longGaps(table: EventTable): Gap[] {
  return gaps(table, Math.max(table.end * 0.03, 1), table.end);
}
