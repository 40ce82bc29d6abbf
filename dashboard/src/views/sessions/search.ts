/** What the address of the Sessions page holds: filters and order, and nothing else. */

import type { SessionFilters, SessionOrder } from "../../api/queries";
import { STATES } from "../../model/kinds";

export const SORTS = ["started", "duration", "cost", "tokens", "errors", "events"] as const;
export type Sort = (typeof SORTS)[number];

export interface SessionsSearch extends SessionFilters {
  sort?: Sort;
  order?: "asc" | "desc";
}

type Raw = Record<string, unknown>;

const TEXTS = ["q", "since", "until", "min_cost", "min_duration"] as const;
/** What the server would refuse is no filter. */
const READABLE: Partial<Record<(typeof TEXTS)[number], RegExp>> = {
  since: /^\s*(\d|-)/,
  until: /^\s*(\d|-)/,
  min_cost: /^\d*\.?\d+(e-?\d+)?$/i,
  min_duration: /^\d{1,12}(\.\d{1,6})?(ms|s|m|h)?$/,
};
const LISTS = ["tag", "state", "model", "agent", "tool", "user", "name", "error", "also"] as const;

const ALSO = /^(model|agent|tool|error):/;

/** Read an address with suspicion: what is not understood is left out. */
export function readSessionsSearch(raw: Raw): SessionsSearch {
  const search: SessionsSearch = {};
  for (const name of TEXTS) {
    const [value] = list(raw[name]);
    if (value && READABLE[name]?.test(value) !== false) search[name] = value;
  }
  for (const name of LISTS) {
    const values = list(raw[name]).filter((value) => isOne(name, value));
    if (values.length > 0) search[name] = values;
  }
  const [sort] = list(raw.sort);
  if ((SORTS as readonly string[]).includes(sort)) search.sort = sort as Sort;
  const [order] = list(raw.order);
  if (order === "asc" || order === "desc") search.order = order;
  return search;
}

function isOne(name: (typeof LISTS)[number], value: string): boolean {
  return name === "state" ? (STATES as readonly string[]).includes(value) : name !== "also" || ALSO.test(value);
}

export function filtersOf({ sort: _sort, order: _order, ...filters }: SessionsSearch): SessionFilters {
  return filters;
}

export function orderOf({ sort = "started", order = "desc" }: SessionsSearch): SessionOrder {
  return { sort, order };
}

/** What else sessions must have, beside what is asked for already. */
export function withAlso({ also = [] }: SessionFilters, more: string): Pick<SessionsSearch, "also"> {
  return { also: [...new Set([...also, more])] };
}

let left: SessionsSearch = {};

/** Keep what the list showed when it was left: whoever is done with a session returns to it. */
export function leaveList(search: SessionsSearch): void {
  left = search;
}

export function leftList(): SessionsSearch {
  return left;
}

export function isFiltered(search: SessionsSearch): boolean {
  return Object.values(filtersOf(search)).some((value) => value !== undefined);
}

function list(value: unknown): string[] {
  const values = Array.isArray(value) ? value : value == null ? [] : [value];
  return values.map(String).filter((text) => text !== "");
}
