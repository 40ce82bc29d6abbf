/**
 * The rows a reader has loaded, and how news enters them without moving what the reader holds: rows change where
 * they stand; a new order is taken only at the top of the list.
 */

export interface Row {
  readonly session_id: string;
}

export interface Loaded<T extends Row> {
  readonly rows: readonly T[];
  readonly cursor: string | null;
  readonly total: number;
}

/** Append a page; a row that moved between pages meanwhile is not shown twice. */
export function append<T extends Row>(loaded: Loaded<T>, page: Loaded<T>): Loaded<T> {
  const known = new Set(loaded.rows.map((row) => row.session_id));
  return {
    rows: [...loaded.rows, ...page.rows.filter((row) => !known.has(row.session_id))],
    cursor: page.cursor,
    total: page.total,
  };
}

/**
 * Take a fresh first page in its own order. What it pushed down and what was loaded beyond follow as they stood; a page
 * of nothing but new rows stands alone: what lies between it and the others is not known.
 */
export function mergeHead<T extends Row>(loaded: Loaded<T>, head: Loaded<T>): Loaded<T> {
  const fresh = new Set(head.rows.map((row) => row.session_id));
  const isAlone = !loaded.rows.some((row) => fresh.has(row.session_id));
  if (head.cursor === null || loaded.rows.length <= head.rows.length || isAlone) return head;
  const kept = loaded.rows.slice(0, head.rows.length).findLastIndex((row) => fresh.has(row.session_id));
  return {
    rows: [...head.rows, ...loaded.rows.slice(kept + 1).filter((row) => !fresh.has(row.session_id))],
    cursor: loaded.cursor,
    total: head.total,
  };
}

/** Replace known rows where they stand; rows not loaded are left out. */
export function updateInPlace<T extends Row>(loaded: Loaded<T>, news: readonly T[]): Loaded<T> {
  const by = new Map(news.map((row) => [row.session_id, row]));
  if (!loaded.rows.some((row) => by.has(row.session_id))) return loaded;
  return { ...loaded, rows: loaded.rows.map((row) => by.get(row.session_id) ?? row) };
}

/** Leave out rows that are gone. */
export function without<T extends Row>(loaded: Loaded<T>, gone: ReadonlySet<string>): Loaded<T> {
  return gone.size === 0 ? loaded : { ...loaded, rows: loaded.rows.filter((row) => !gone.has(row.session_id)) };
}

/** Rows that wait above the loaded ones; `isMore` when at least so many do. */
export interface Waiting {
  readonly count: number;
  readonly isMore: boolean;
}

export const NONE_WAITS: Waiting = { count: 0, isMore: false };

/** How many of a fresh first page are not among the loaded rows: after a page of nothing but new ones there may be others. */
export function unseen<T extends Row>(loaded: Loaded<T>, head: Loaded<T>): Waiting {
  const known = new Set(loaded.rows.map((row) => row.session_id));
  const count = head.rows.filter((row) => !known.has(row.session_id)).length;
  return { count, isMore: count === head.rows.length && head.cursor !== null };
}

/** How many of the chosen are not among the rows. */
export function unshown<T extends Row>(rows: readonly T[], chosen: ReadonlySet<string>): number {
  if (chosen.size === 0) return 0;
  return chosen.size - rows.reduce((sum, row) => sum + (chosen.has(row.session_id) ? 1 : 0), 0);
}

/** The ids from one row to another, both included, whichever stands first; only the second when the first is gone. */
export function chosenRange<T extends Row>(rows: readonly T[], from: string, to: string): string[] {
  const a = rows.findIndex((row) => row.session_id === from);
  const b = rows.findIndex((row) => row.session_id === to);
  if (a < 0 || b < 0) return [to];
  return rows.slice(Math.min(a, b), Math.max(a, b) + 1).map((row) => row.session_id);
}

/** The cost at which a bar is full: the 95th percentile, so that one dear session does not make all others look free. */
export function dearCost(rows: readonly { readonly cost_usd: number | null }[]): number {
  const costs = rows.flatMap(({ cost_usd: cost }) => (cost !== null && cost > 0 ? [cost] : [])).sort((a, b) => a - b);
  return costs[Math.min(costs.length - 1, Math.floor(costs.length * 0.95))] ?? 1;
}
