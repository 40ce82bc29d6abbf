/** What took the most of something, by name and model. Containers repeat what they hold, so only what does work counts. */

import { isContainer, KINDS } from "./kinds";
import type { EventTable } from "./table";

export interface Share {
  /** The largest of the group, to be shown for it. */
  readonly row: number;
  readonly count: number;
  readonly sum: number;
  /** Of the total, 0 to 1. */
  readonly share: number;
}

const CONTAINER = KINDS.map((kind) => isContainer(kind));

/** Groups of rows of one kind, name and model, the largest sum first. An event that holds others counts as their container. */
export function shares(table: EventTable, values: Float64Array): Share[] {
  const groups = new Map<number, { row: number; count: number; sum: number }>();
  const models = table.models.distinct.length;
  let total = 0;
  for (let row = 0; row < table.count; row++) {
    const value = values[row];
    if (!(value > 0) || CONTAINER[table.kinds[row]] || table.sizes[row] > 1) continue;
    total += value;
    const key = (table.names.codes[row] * models + table.models.codes[row]) * KINDS.length + table.kinds[row];
    const group = groups.get(key);
    if (!group) groups.set(key, { row, count: 1, sum: value });
    else {
      group.count++;
      group.sum += value;
      if (value > values[group.row]) group.row = row;
    }
  }
  return Array.from(groups.values(), (group) => ({ ...group, share: group.sum / total })).toSorted((a, b) => b.sum - a.sum);
}
