/** The figures of the range, each with its change against the equally long range before. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Measures } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import { count, duration, grouped, usd } from "../../model/format";
import { change, changed, percent } from "../../model/span";
import type { SessionsSearch } from "../sessions/search";

interface Figure {
  readonly name: string;
  readonly title: string;
  readonly of: (measures: Measures) => number | null;
  readonly shown: (value: number | null) => string;
  /** How the list it leads to differs from the page's; null where that would hold what the figure does not count. */
  readonly leads: (filters: SessionFilters) => Partial<SessionsSearch> | null;
}

const FIGURES: readonly Figure[] = [
  { name: "sessions", title: "Sessions", of: ({ sessions }) => sessions.total, shown: grouped, leads: () => ({}) },
  {
    name: "failed",
    title: "Failed sessions",
    of: ({ sessions }) => sessions.fail ?? null,
    shown: grouped,
    leads: ({ state }) => (!state || state.includes("fail") ? { state: ["fail"] } : null),
  },
  { name: "events", title: "Events", of: ({ events }) => events.total, shown: grouped, leads: () => ({ sort: "events" }) },
  { name: "error-rate", title: "Error rate", of: ({ error_rate }) => error_rate, shown: percent, leads: ({ error }) => withErrors(error) },
  { name: "cost", title: "Cost", of: ({ cost_usd }) => cost_usd, shown: usd, leads: () => ({ sort: "cost" }) },
  { name: "tokens", title: "Tokens", of: ({ tokens }) => tokens.total, shown: count, leads: () => ({ sort: "tokens" }) },
  {
    name: "latency-p50",
    title: "Latency p50",
    of: ({ latency_ms }) => latency_ms?.p50 ?? null,
    shown: duration,
    leads: () => ({ sort: "duration" }),
  },
  {
    name: "latency-p95",
    title: "Latency p95",
    of: ({ latency_ms }) => latency_ms?.p95 ?? null,
    shown: duration,
    leads: () => ({ sort: "duration" }),
  },
];

export function Totals({ now, before, filters }: { now: Measures; before: Measures | null; filters: SessionFilters }) {
  return (
    <section className="totals" aria-label="Totals">
      {FIGURES.map((figure) => {
        const value = figure.of(now);
        const was = before ? figure.of(before) : null;
        const leads = figure.leads(filters);
        const shown = { className: "total", "data-total-of": figure.name, "data-value": value ?? "" };
        const told = (
          <>
            <span className="faint">{figure.title}</span>
            <b>{figure.shown(value)}</b>
            <Against hasBefore={before !== null}>
              {was === null || before === null || before.sessions.total === 0 ? null : (
                <>
                  {changed(change(value, was)) || "new"} <span className="faint">from {figure.shown(was)}</span>
                </>
              )}
            </Against>
          </>
        );
        return leads ? (
          <Link key={figure.name} to="/sessions" search={{ ...filters, ...leads }} {...shown}>
            {told}
          </Link>
        ) : (
          <div key={figure.name} {...shown}>
            {told}
          </div>
        );
      })}
    </section>
  );
}

/** Of the sessions that are shown, those with errors: whoever asked for some types of them sees no others. */
function withErrors(asked: readonly string[] | undefined): Partial<SessionsSearch> | null {
  if (!asked) return { error: ["true"] };
  const types = asked.filter((one) => one !== "false");
  return types.length > 0 ? { error: types } : null;
}

function Against({ hasBefore, children }: { hasBefore: boolean; children: ReactNode }) {
  if (!hasBefore) return <small className="faint">of all time</small>;
  return <small className="dim">{children ?? <span className="faint">nothing before</span>}</small>;
}
