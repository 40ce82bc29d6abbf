/** How a cost came about, as arithmetic one can check by hand. */

import { grouped, plural, usd } from "./format";

export interface CostTerm {
  readonly class: string;
  readonly tokens: number;
  readonly perMillion: number;
  readonly usd: number;
}

export interface CostStory {
  readonly terms: readonly CostTerm[];
  /** `gpt-4o · price of 2026-08-06`, as far as known. */
  readonly source: string;
}

/** Read the server's `cost_detail`: a list of terms, each with the price it was counted by. */
export function readCost(detail: unknown): CostStory {
  const list = (Array.isArray(detail) ? detail : []).filter(isObject);
  const terms = list.flatMap((term): CostTerm[] => {
    const tokens = Number(term.tokens);
    const perMillion = Number(term.usd_per_million);
    if (!Number.isFinite(tokens) || !Number.isFinite(perMillion)) return [];
    return [{ class: String(term.class ?? ""), tokens, perMillion, usd: Number(term.usd ?? 0) }];
  });
  const { price, date, source } = list[0] ?? {};
  return {
    terms,
    source: [price, date && `price of ${text(date)}`, source].filter(Boolean).map(text).join(" · "),
  };
}

/** `752 × $2.50 + 217 × $10.00 per million`; what is billed by the request or the search stands apart. */
export function arithmetic(terms: readonly CostTerm[]): string {
  const classes = terms.filter((term) => term.tokens > 0 && term.class !== "request" && term.class !== "web_search");
  const requests = terms.filter((term) => term.class === "request");
  const sum = classes.map((term) => `${grouped(term.tokens)} × ${rate(term.perMillion)}`).join(" + ");
  const searches = terms.filter((term) => term.class === "web_search");
  return [
    sum && `${sum} per million`,
    ...requests.map((term) => `${usd(term.usd)} per request`),
    ...searches.map((term) => `${plural(term.tokens, "search", "searches")} × ${rate(term.perMillion / 1e6)}`),
  ].filter(Boolean).join(", ");
}

/** A price with all its digits: rounded, the arithmetic would not come out. */
export function rate(perMillion: number): string {
  const exact = String(Number(perMillion.toPrecision(10)));
  if (exact.includes("e")) return usd(perMillion);
  return `$${perMillion.toFixed(Math.max(2, exact.split(".")[1]?.length ?? 0))}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
