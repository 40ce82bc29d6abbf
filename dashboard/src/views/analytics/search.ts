/** What the address of the Analytics page holds: the filters of the list, the charts' interval, the table's order. */

import type { SessionFilters } from "../../api/queries";
import type { Interval } from "../../model/histogram";
import { filtersOf as listFilters, readSessionsSearch } from "../sessions/search";

export const DIMENSIONS = ["model", "agent", "tool", "tag", "user", "session"] as const;
export type By = (typeof DIMENSIONS)[number];
export const COLUMNS = ["value", "count", "errors", "error_rate", "p50", "p95", "tokens", "cost"] as const;
export type Column = (typeof COLUMNS)[number];
const INTERVALS = ["minute", "hour", "day", "week"] as const;

/** The range of a page that names none; `all` has no beginning. */
export const DEFAULT_SINCE = "7d";
export const ALL_TIME = "all";

export interface AnalyticsSearch extends SessionFilters {
  interval?: Interval;
  by?: By;
  by_sort?: Column;
  by_order?: "asc" | "desc";
  /** Lines that are switched off, as `chart:line`. */
  hide?: string[];
  view?: "waste";
}

type Raw = Record<string, unknown>;

/** Read an address with suspicion: what is not understood is left out. */
export function readAnalyticsSearch(raw: Raw): AnalyticsSearch {
  const search: AnalyticsSearch = listFilters(readSessionsSearch(raw));
  // The one word for a time that only this page knows: the server has no name for it.
  if (among(raw.since, [ALL_TIME])) search.since = ALL_TIME;
  search.interval = among(raw.interval, INTERVALS);
  search.by = among(raw.by, DIMENSIONS);
  search.by_sort = among(raw.by_sort, COLUMNS);
  search.by_order = among(raw.by_order, ["asc", "desc"] as const);
  search.view = among(raw.view, ["waste"] as const);
  const hide = [raw.hide].flat().filter((one): one is string => typeof one === "string" && one !== "");
  if (hide.length > 0) search.hide = hide;
  for (const name of Object.keys(search) as (keyof AnalyticsSearch)[]) if (search[name] === undefined) delete search[name];
  return search;
}

/** The filters that the server is asked with: the page's own default range filled in. */
export function filtersOf(search: AnalyticsSearch): SessionFilters {
  const { interval: _i, by: _b, by_sort: _s, by_order: _o, hide: _h, view: _v, ...filters } = search;
  if (filters.since === ALL_TIME) return { ...filters, since: undefined };
  return filters.since || filters.until ? filters : { ...filters, since: DEFAULT_SINCE };
}

function among<T extends string>(given: unknown, known: readonly T[]): T | undefined {
  const value = Array.isArray(given) ? given[0] : given;
  return known.find((one) => one === value);
}
