/** What was going on: events without an end that hold no other such event. */

import { type EventTable, STATUS_INTERRUPTED, STATUS_RUNNING } from "./table";

/** Rows of the innermost events that run, or were interrupted; the latest first. */
export function unfinished(table: EventTable): number[] {
  const rows: number[] = [];
  let inner = table.count;
  for (let row = table.count - 1; row >= 0; row--) {
    if (table.statuses[row] !== STATUS_RUNNING && table.statuses[row] !== STATUS_INTERRUPTED) continue;
    if (inner >= row + table.sizes[row]) rows.push(row);
    inner = row;
  }
  return rows.toSorted((a, b) => table.starts[b] - table.starts[a]);
}
