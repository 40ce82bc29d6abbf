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

/** What is billed by something else than tokens, and how that is told. */
const APART: Record<string, (term: CostTerm) => string> = {
  request: (term) => `${usd(term.usd)} per request`,
  web_search: (term) => `${plural(term.tokens, "search", "searches")} × ${rate(term.perMillion / 1e6)}`,
  character: (term) => `${plural(term.tokens, "character")} × ${rate(term.perMillion)} per million`,
  audio_second: (term) => `${plural(term.tokens, "second")} × ${rate((term.perMillion / 1e6) * 3600)} per hour`,
};

/** `752 × $2.50 + 217 × $10.00 per million`; what is billed by the request or the search stands apart. */
export function arithmetic(terms: readonly CostTerm[]): string {
  const classes = terms.filter((term) => term.tokens > 0 && !Object.hasOwn(APART, term.class));
  const sum = classes.map((term) => `${grouped(term.tokens)} × ${rate(term.perMillion)}`).join(" + ");
  const apart = Object.entries(APART).flatMap(([name, tell]) => terms.filter((term) => term.class === name).map(tell));
  return [sum && `${sum} per million`, ...apart].filter(Boolean).join(", ");
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
