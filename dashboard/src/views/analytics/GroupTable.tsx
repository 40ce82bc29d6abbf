/** One dimension as a table: count, errors, durations, tokens, cost, share and a line over time; rows lead to lists. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type BreakdownGroup, breakdownQuery, type Bucketing } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import { csv } from "../../model/csv";
import { count, DASH, duration, grouped, plural, usd } from "../../model/format";
import { percent, placed } from "../../model/span";
import type { Millis } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Choice, Failure } from "../../ui/controls";
import { type SessionsSearch, withAlso } from "../sessions/search";
import { save } from "./save";
import { type AnalyticsSearch, type By, type Column, DIMENSIONS } from "./search";
import { Sparkline } from "./Sparkline";

const TITLES: Record<By, string> = { model: "Model", agent: "Agent", tool: "Tool", tag: "Tag", user: "User", session: "Session name" };
/** The list's filter for a value of the dimension. */
const FILTER: Record<By, "model" | "agent" | "tool" | "tag" | "user" | "name"> = { model: "model", agent: "agent", tool: "tool", tag: "tag", user: "user", session: "name" };

interface Props {
  search: AnalyticsSearch;
  filters: SessionFilters;
  bucketing: Bucketing;
  at: readonly Millis[];
  onChange: (change: Partial<AnalyticsSearch>, replace?: boolean) => void;
}

/** What the table of an address shows. */
export function tableQuery({ by = "model", by_sort = "cost", by_order = "desc" }: AnalyticsSearch, filters: SessionFilters, bucketing: Bucketing) {
  return breakdownQuery(filters, bucketing, by, by_sort, by_order);
}

export function GroupTable({ search, filters, bucketing, at, onChange }: Props) {
  const by = search.by ?? "model";
  const sort = search.by_sort ?? "cost";
  const order = search.by_order ?? "desc";
  const { data, error, refetch } = useQuery(tableQuery(search, filters, bucketing));
  const isStale = data !== undefined && data.by !== by;
  const columns: readonly (readonly [Column, string])[] = [
    ["value", TITLES[by]],
    ["count", data?.counts === "sessions" ? "Sessions" : "Events"],
    ["errors", data?.counts === "sessions" ? "Failed" : "Errors"],
    ["error_rate", data?.counts === "sessions" ? "Failed, %" : "Error rate"],
    ["p50", "p50"],
    ["p95", "p95"],
    ["tokens", "Tokens"],
    ["cost", "Cost"],
  ];
  const head = (column: Column) =>
    onChange({ by_sort: column, by_order: column === sort && order === "desc" ? "asc" : column === sort ? "desc" : column === "value" ? "asc" : "desc" }, true);
  return (
    <section className="card" aria-label={`By ${TITLES[by].toLowerCase()}`} data-by={by} aria-busy={!data && !error}>
      <header>
        <Choice
          label="Break down by"
          value={by}
          options={DIMENSIONS.map((one) => [one, TITLES[one]] as const)}
          onChange={(next) => onChange({ by: next === "model" ? undefined : next }, true)}
        />
        <span className="grow" />
        {data && data.total > data.groups.length && <span className="faint">{`the first ${data.groups.length} of ${grouped(data.total)}`}</span>}
        {data && data.groups.length > 0 && (
          <button type="button" className="chart-act" aria-label={`By ${TITLES[by].toLowerCase()} as CSV`} onClick={() => save(asCsv(TITLES[by], data.groups), `by-${by}.csv`)}>
            CSV
          </button>
        )}
      </header>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data && data.groups.length === 0 && <p className="dim card-empty">Nothing in this range has one.</p>}
      {data && data.groups.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key
        <div className="scroll" tabIndex={0} role="region" aria-label="Breakdown, scrolls">
          <table className={isStale ? "figures stale" : "figures"}>
            <thead>
              <tr>
                {columns.map(([column, name]) => (
                  <th
                    key={column}
                    className={column === "value" ? "" : "num"}
                    aria-sort={column === sort ? (order === "asc" ? "ascending" : "descending") : undefined}
                  >
                    <button type="button" onClick={() => head(column)}>
                      {name}
                      {column === sort && <span aria-hidden="true"> {order === "asc" ? "↑" : "↓"}</span>}
                    </button>
                  </th>
                ))}
                <th className="num">Share</th>
                <th>Over time</th>
              </tr>
            </thead>
            <tbody>
              {data.groups.map((group) => (
                <tr key={group.value} data-group={group.value}>
                  <td>
                    <Link to="/sessions" search={{ ...filters, ...narrowed(by, filters, group.value) }} title={group.value}>
                      {oneLine(group.value, 60)}
                    </Link>
                  </td>
                  <td className="num" title={plural(group.sessions, "session")}>
                    {grouped(group.count)}
                  </td>
                  <td className={group.errors > 0 ? "num bad" : "num faint"}>{grouped(group.errors)}</td>
                  <td className="num">{percent(group.error_rate)}</td>
                  <td className="num">{duration(group.duration_ms.p50)}</td>
                  <td className="num">{duration(group.duration_ms.p95)}</td>
                  <td className="num" title={grouped(group.tokens)}>
                    {count(group.tokens)}
                  </td>
                  <td className="num">{usd(group.cost_usd)}</td>
                  <td className="num share">
                    <i style={{ width: `${Math.max(1, group.share * 100)}%` }} />
                    {/* A share is one of the cost where anything is priced: of none known it is not known. */}
                    <span>{group.share === 0 && group.cost_usd === null ? DASH : percent(group.share)}</span>
                  </td>
                  <td>
                    <Sparkline values={placed(at, group.series, (index) => group.series[index].count, 0)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** A session must have all tags that are filtered by, one of the values of any other filter. */
function narrowed(by: By, filters: SessionFilters, value: string): Partial<SessionsSearch> {
  const { [FILTER[by]]: asked = [] } = filters;
  if (by === "tag") return { tag: [...new Set([...asked, value])] };
  // What stands beside the values that were asked for is not one of them.
  const isBeside = asked.length > 0 && !asked.includes(value);
  return isBeside ? withAlso(filters, `${FILTER[by]}:${value}`) : { [FILTER[by]]: [value] };
}

function asCsv(title: string, groups: readonly BreakdownGroup[]): string {
  return csv(
    [title, "count", "sessions", "errors", "error_rate", "p50_ms", "p95_ms", "tokens", "cost_usd", "share"],
    groups.map((one) => [
      one.value,
      one.count,
      one.sessions,
      one.errors,
      one.error_rate,
      one.duration_ms.p50,
      one.duration_ms.p95,
      one.tokens,
      one.cost_usd,
      one.share,
    ]),
  );
}
