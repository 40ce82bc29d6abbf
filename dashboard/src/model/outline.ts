/** Which rows of a table are shown: folding, kinds switched off, and search, each as a pure scan. */

import { kindCode } from "./kinds";
import { type EventTable, STATUS_ERROR } from "./table";

/** Rows on the page from top to bottom, as indexes into the table. */
export type Rows = Int32Array;

export interface Fold {
  /** Ids of closed events: their descendants are not shown. */
  closed: ReadonlySet<string>;
  /** Kinds that are not shown; their children move up. */
  hidden: ReadonlySet<string>;
  /** When given: rows that match, of which only those and their ancestors are shown. */
  only?: Uint8Array | null;
}

export function shownRows(table: EventTable, { closed, hidden, only }: Fold): Rows {
  const rows = new Int32Array(table.count);
  const isHidden = new Uint8Array(256);
  for (const kind of hidden) isHidden[kindCode(kind)] = 1;
  const keep = only ? withAncestors(table, only) : null;
  const isClosed = new Uint8Array(closed.size > 0 && !keep ? table.count : 0);
  if (isClosed.length > 0) {
    for (const id of closed) {
      const row = table.ids.rowOf(id);
      if (row >= 0) isClosed[row] = 1;
    }
  }
  let shown = 0;
  for (let row = 0; row < table.count; row++) {
    if (keep && !keep[row]) continue;
    if (!isHidden[table.kinds[row]]) rows[shown++] = row;
    if (isClosed[row] === 1) row += table.sizes[row] - 1;
  }
  return rows.slice(0, shown);
}

/** Mark the ancestors of marked rows too. */
export function withAncestors(table: EventTable, marks: Uint8Array): Uint8Array {
  const kept = marks.slice();
  for (let row = table.count - 1; row >= 0; row--) {
    if (kept[row] && table.parents[row] >= 0) kept[table.parents[row]] = 1;
  }
  return kept;
}

/** The position of a row among the shown ones, or -1. Shown rows ascend. */
export function positionOf(rows: Rows, row: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (rows[middle] === row) return middle;
    if (rows[middle] < row) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Mark the rows whose name, agent, model, kind or error contains every word of the query; null for no query. */
export function search(table: EventTable, query: string, also?: ReadonlySet<string>): Uint8Array | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  // Each distinct text is searched once; a row then holds the words that any of its texts holds (31 words at most).
  const sought = words.slice(0, 31);
  const all = 2 ** sought.length - 1;
  const columns = [table.names, table.agents, table.models, table.errors].map(({ codes, distinct }) => {
    const holds = Int32Array.from(distinct, (text) => {
      const lower = text.toLowerCase();
      return sought.reduce((bits, word, index) => (lower.includes(word) ? bits | (1 << index) : bits), 0);
    });
    return { codes, holds };
  });
  const [names, agents, models, errors] = columns;
  const marks = new Uint8Array(table.count);
  for (let row = 0; row < table.count; row++) {
    const held =
      names.holds[names.codes[row]] |
      agents.holds[agents.codes[row]] |
      models.holds[models.codes[row]] |
      errors.holds[errors.codes[row]];
    if (held === all) marks[row] = 1;
  }
  for (const id of also ?? []) {
    const row = table.ids.rowOf(id);
    if (row >= 0) marks[row] = 1;
  }
  return marks;
}

/** The ids to close so that nothing deeper than `depth` shows. */
export function closedBelow(table: EventTable, depth: number): Set<string> {
  const closed = new Set<string>();
  for (let row = 0; row < table.count; row++) {
    if (table.depths[row] >= depth && table.sizes[row] > 1) closed.add(table.ids.at(row));
  }
  return closed;
}

/** The ids to close so that nothing inside an event of the kind shows. */
export function closedOfKind(table: EventTable, kind: string): Set<string> {
  const code = kindCode(kind);
  const closed = new Set<string>();
  for (let row = 0; row < table.count; row++) {
    if (table.kinds[row] === code && table.sizes[row] > 1) closed.add(table.ids.at(row));
  }
  return closed;
}

/** The kinds of events that hold others, in the order of their first. */
export function holdingKinds(table: EventTable): number[] {
  const found = new Set<number>();
  for (let row = 0; row < table.count; row++) if (table.sizes[row] > 1) found.add(table.kinds[row]);
  return [...found];
}

/** The ids to keep open so that every event in error shows; all others with children are closed. */
export function closedButErrors(table: EventTable): Set<string> {
  const closed = new Set<string>();
  for (let row = 0; row < table.count; row++) {
    if (table.sizes[row] === 1) continue;
    const own = table.statuses[row] === STATUS_ERROR ? 1 : 0;
    if (table.sumErrors[row] - own === 0) closed.add(table.ids.at(row));
  }
  return closed;
}
