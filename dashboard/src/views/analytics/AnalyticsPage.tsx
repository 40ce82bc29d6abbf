/** Where did money and time go? The filtered sessions of a range as figures, charts and tables; each mark leads on. */

import { type Query, usePrefetchQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { analyticsQuery, breakdownQuery, type Bucketing, failuresQuery, foremostQuery, wasteQuery } from "../../api/insights";
import { live } from "../../api/live";
import { type SessionFilters, totalQuery } from "../../api/queries";
import { INTERVAL_MS, type Interval } from "../../model/histogram";
import { Pace } from "../../model/pace";
import { fittingInterval, isDrawable, spanOf, starts, within } from "../../model/span";
import { Choice, Failure, Menu } from "../../ui/controls";
import { useNow, useTitle } from "../../ui/hooks";
import { useKeys } from "../../ui/keys";
import { usePreference } from "../../ui/preferences";
import { SearchField } from "../../ui/SearchField";
import { FilterBar } from "../sessions/FilterBar";
import { FirstRun } from "../sessions/FirstRun";
import type { SessionsSearch } from "../sessions/search";
import { Charts } from "./Charts";
import { ErrorTable } from "./ErrorTable";
import { Foremost } from "./Foremost";
import { GroupTable, tableQuery } from "./GroupTable";
import { RangeMenu } from "./RangeMenu";
import { ALL_TIME, type AnalyticsSearch, filtersOf } from "./search";
import { Totals } from "./Totals";
import { Waste } from "./Waste";
import "uplot/dist/uPlot.min.css";
import "./analytics.css";

const route = getRouteApi("/analytics");
const LOCAL_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const REST_MS = 10_000;
const FRESH_MS = 2_000;
const KINDS_OF_ANSWER = ["analytics", "breakdown", "failures", "foremost", "waste", "total"];

export function AnalyticsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const zone = usePreference("zone");
  const find = useRef<HTMLInputElement>(null);
  useTitle("Analytics");
  const change = (next: Partial<AnalyticsSearch>, replace = false) =>
    void navigate({ search: (old: AnalyticsSearch) => ({ ...old, ...next }), replace });
  const filtersText = JSON.stringify(filtersOf(search));
  const filters = useMemo(() => JSON.parse(filtersText) as SessionFilters, [filtersText]);
  const now = useNow(30_000);
  const asked = spanOf(filters.since, filters.until, now);
  // How far back all time reaches is known from the first answer.
  const [reach, setReach] = useState({ of: filtersText, ms: 60 * INTERVAL_MS.day });
  const length = asked.from !== null ? asked.to - asked.from : reach.of === filtersText ? reach.ms : 60 * INTERVAL_MS.day;
  const interval = search.interval && isDrawable(search.interval, length) ? search.interval : fittingInterval(length);
  const tz = zone === "utc" ? "UTC" : LOCAL_ZONE;
  const bucketing = { interval, tz };
  // A query that is used waits for the page to be drawn; what the page stands on goes first.
  usePrefetchQuery(analyticsQuery(filters, bucketing));
  const { data, error, refetch, isPlaceholderData } = useQuery(analyticsQuery(filters, bucketing));
  const earliest = data?.series[0]?.at;
  const told = asked.from === null && earliest && !isPlaceholderData ? asked.to - Date.parse(earliest) : 0;
  if (told > Math.max(0, length)) setReach({ of: filtersText, ms: told });
  const isEmpty = data !== undefined && data.totals.sessions.total === 0 && !isPlaceholderData;
  const { data: everything } = useQuery({ ...totalQuery, enabled: isEmpty });
  useLiveAnswers();
  useKeys("Analytics", [
    { keys: "/", does: "Search sessions", run: () => find.current?.select() },
    { keys: "Escape", does: "Leave the search", run: () => find.current?.blur() },
  ]);

  const hidden = useMemo(() => new Set(search.hide), [search.hide]);
  const at = useMemo(() => {
    if (!data) return { starts: [], end: 0 };
    const span = spanOf(filters.since, filters.until, now);
    const shown = data.interval as Interval;
    const first = data.series[0]?.at;
    const from = span.from ?? (first ? Date.parse(first) : span.to);
    return { starts: starts(from, span.to, shown, zone), end: span.to };
  }, [data, filters, zone, now]);
  const sessionsIn = (from: number, to: number): SessionsSearch => ({
    ...filters,
    ...within(filters, now, from, to),
  });

  return (
    <>
      {search.view === "waste" ? <WasteAhead filters={filters} /> : <OverviewAhead search={search} filters={filters} bucketing={bucketing} />}
      <header className="top">
        <h1>Analytics</h1>
        <Choice
          label="View"
          value={search.view ?? "overview"}
          options={[
            ["overview", "Overview"],
            ["waste", "Waste"],
          ]}
          onChange={(view) => change({ view: view === "waste" ? view : undefined })}
        />
        <span className="grow" />
        <SearchField
          name="Search names, prompts, errors"
          value={search.q ?? ""}
          input={find}
          restMs={300}
          onChange={(q) => change({ q: q || undefined }, true)}
        />
        <RangeMenu search={search} onChange={change} />
        {search.view !== "waste" && <IntervalMenu interval={interval} length={length} onChange={(chosen) => change({ interval: chosen })} />}
      </header>
      <div className="filters" role="group" aria-label="Filters">
        <FilterBar
          search={filters}
          onChange={({ sort: _sort, order: _order, ...next }) => change(next)}
        />
        <span className="grow" />
        <Link to="/sessions" search={filters} className="btn quiet">
          Show these sessions
        </Link>
        {Object.keys(search).some((name) => name !== "view") && (
          <button type="button" className="btn quiet" onClick={() => void navigate({ search: search.view ? { view: search.view } : {} })}>
            Clear all
          </button>
        )}
      </div>
      <div className="analytics" data-stale={isPlaceholderData || undefined}>
        {error && !data ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : isEmpty && everything === 0 ? (
          <FirstRun />
        ) : isEmpty ? (
          <div className="empty">
            <h2>No session in this range</h2>
            <p className="dim">Nothing that was recorded fits the range and all of these filters.</p>
            <button type="button" className="btn" onClick={() => void navigate({ search: { since: ALL_TIME } })}>
              Show all time
            </button>
          </div>
        ) : search.view === "waste" ? (
          <Waste filters={filters} />
        ) : (
          data && (
            <>
              <Totals now={data.totals} before={data.previous ?? null} filters={filters} />
              <Charts
                data={data}
                filters={filters}
                bucketing={bucketing}
                at={at.starts}
                end={at.end}
                hidden={hidden}
                onHide={(line) => change({ hide: toggled(search.hide ?? [], line) }, true)}
                onZoom={(from, to) => change({ ...within(filters, now, from, to), interval: undefined })}
                onOpen={(from, to) => void navigate({ to: "/sessions", search: sessionsIn(from, to) })}
              />
              <GroupTable search={search} filters={filters} bucketing={bucketing} at={at.starts} onChange={change} />
              <ErrorTable filters={filters} />
              <Foremost filters={filters} />
            </>
          )
        )}
      </div>
    </>
  );
}

/** Everything is asked for at once, before anything is drawn: beside the charts what stands below. */
function OverviewAhead({ search, filters, bucketing }: { search: AnalyticsSearch; filters: SessionFilters; bucketing: Bucketing }) {
  usePrefetchQuery(breakdownQuery(filters, bucketing, "model", "cost", "desc"));
  usePrefetchQuery(tableQuery(search, filters, bucketing));
  usePrefetchQuery(failuresQuery(filters));
  usePrefetchQuery(foremostQuery(filters, "duration"));
  usePrefetchQuery(foremostQuery(filters, "cost"));
  return null;
}

function WasteAhead({ filters }: { filters: SessionFilters }) {
  usePrefetchQuery(wasteQuery(filters));
  return null;
}

function toggled(all: readonly string[], one: string): string[] | undefined {
  const next = all.includes(one) ? all.filter((other) => other !== one) : [...all, one];
  return next.length > 0 ? next : undefined;
}

/** What is recorded moves the page along, at a pace that can be read. */
function useLiveAnswers(): void {
  const client = useQueryClient();
  useEffect(() => {
    const isAnswer = ({ queryKey }: Query) => KINDS_OF_ANSWER.includes(String(queryKey[0]));
    const pace = new Pace(() => client.invalidateQueries({ predicate: isAnswer }), REST_MS);
    // News that may have been missed concerns what was told before: when the page opens, nothing yet.
    const isKnown = () =>
      client
        .getQueryCache()
        .findAll({ type: "active", predicate: isAnswer })
        .some(({ state }) => state.dataUpdatedAt > 0 && Date.now() - state.dataUpdatedAt > FRESH_MS);
    const stop = live.subscribe((changed) => {
      if (changed !== null || isKnown()) pace.ask();
    });
    return () => {
      stop();
      pace.stop();
    };
  }, [client]);
}

const NAMES: readonly (readonly [Interval, string])[] = [
  ["minute", "By minute"],
  ["hour", "By hour"],
  ["day", "By day"],
  ["week", "By week"],
];

function IntervalMenu({ interval, length, onChange }: { interval: Interval; length: number; onChange: (interval: Interval) => void }) {
  const name = NAMES.find(([one]) => one === interval)![1];
  return (
    <Menu label={<>{name} <span aria-hidden="true">▾</span></>} align="right" name={`Interval: ${name}`}>
      {(close) => (
        <div className="facet-list">
          {NAMES.filter(([one]) => isDrawable(one, length)).map(([one, text]) => (
            <button
              key={one}
              type="button"
              className="option"
              aria-pressed={one === interval}
              onClick={() => {
                onChange(one);
                close();
              }}
            >
              {text}
            </button>
          ))}
        </div>
      )}
    </Menu>
  );
}
