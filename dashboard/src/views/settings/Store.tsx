/** What the store holds and how it grows, how long sessions are kept, and what calls to models are priced by. */

import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, request } from "../../api/client";
import type { components } from "../../api/schema";
import { bytes, grouped, plural } from "../../model/format";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { useNow } from "../../ui/hooks";

type Schemas = components["schemas"];
export const storeQuery = queryOptions({
  queryKey: ["store"],
  queryFn: ({ signal }) => request<Schemas["StoreSizes"]>("/api/store", { signal }),
  retry: false,
});
export const pricesQuery = queryOptions({
  queryKey: ["prices"],
  queryFn: ({ signal }) => request<Schemas["Prices"]>("/api/prices", { signal }),
});

export function Store() {
  const { data, error, refetch } = useQuery(storeQuery);
  const client = useQueryClient();
  const now = useNow(60_000);
  const keeping = useMutation({
    mutationFn: (days: number) => request("/api/store/retention", { method: "PUT", body: { days } }),
    onSettled: () => client.invalidateQueries({ queryKey: storeQuery.queryKey }),
  });
  const zero = data?.default_retention_days ? "0 as the setting retention_days says" : "0 keeps them for good";
  // Who may not know of the whole store is told nothing of it.
  if (error instanceof ApiError && error.status === 403) return null;
  if (!data) return error ? <Failure error={error} retry={() => void refetch()} /> : null;
  const days = lately(data.growth, now);
  const most = Math.max(1, ...days.map(({ spans }) => spans));
  return (
    <>
      <section aria-label="Store">
        <h2>Store</h2>
        <p data-store-bytes={data.bytes}>
          <b>{bytes(data.bytes)}</b> on disk: {plural(data.sessions, "session")}, {plural(data.spans, "span")}.
        </p>
        {data.growth.length > 0 && (
          <ul className="growth" aria-label="Records of spans that arrived, by day">
            {days.map(({ day, spans }) => (
              <li key={day} title={`${day} (UTC): ${grouped(spans)} records`} aria-label={`${day}: ${grouped(spans)}`}>
                <i style={{ height: `${spans === 0 ? 1 : Math.max(2, (spans / most) * 44)}px` }} />
                <small className="faint" aria-hidden="true">
                  {day.slice(8)}
                </small>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="account" aria-label="Retention">
        <h2>Retention</h2>
        <p className="dim">
          {data.retention_days > 0
            ? `Sessions are deleted ${plural(data.retention_days, "day")} after their last sign of life.`
            : data.default_retention_days > 0
              ? `The setting retention_days applies: sessions are deleted ${plural(data.default_retention_days, "day")} after their last sign of life.`
              : "Sessions are kept for good."}
        </p>
        <form
          className="wish"
          key={data.retention_days}
          onSubmit={(event) => {
            event.preventDefault();
            keeping.mutate(Number(new FormData(event.currentTarget).get("days")));
          }}
        >
          <input name="days" type="number" min={0} max={36500} required defaultValue={data.retention_days} aria-label={`Days that sessions are kept; ${zero}`} />
          <span className="dim">days; {zero}</span>
          <button type="submit" className="btn" disabled={keeping.isPending}>
            Keep so long
          </button>
        </form>
        {keeping.error && <Failure error={keeping.error} />}
      </section>
    </>
  );
}

const DAYS = 14;
const DAY_MS = 86_400_000;

/** The last two weeks, days on which nothing came included. */
function lately(growth: Schemas["StoreSizes"]["growth"], now: number): { day: string; spans: number }[] {
  const known = new Map(growth.map(({ day, spans }) => [day, spans]));
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return { day, spans: known.get(day) ?? 0 };
  });
}

const SOURCES = { own: "your own", built_in: "built in", unknown: "not known" } as const;

export function Prices() {
  const { data, error, refetch } = useQuery(pricesQuery);
  if (!data && !error) return null;
  return (
    <section className="account" aria-label="Prices">
      <h2>Prices</h2>
      <p className="dim">
        Dollars for a million tokens, of the models that were called. Prices of your own stand in <code className="mono">prices.toml</code> in the
        folder of this server (AGENTOPS_HOME) and win; <code className="mono">agentops reprice</code> then computes what was recorded anew.
      </p>
      {data && data.own.length > 0 && (
        <ul className="own-prices" aria-label="Prices of your own">
          {data.own.map((one, index) => (
            <li key={index}>
              <span className="mono">{oneLine(one.model, 60)}</span>
              {one.provider && <span className="dim"> {oneLine(one.provider, 40)}</span>}
              <span className="dim">: {told(one.rates)}</span>
            </li>
          ))}
          <li className="faint">from {data.file}; the last entry that fits wins</li>
        </ul>
      )}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data && data.models.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key
        <div className="scroll" tabIndex={0} role="region" aria-label="Prices, scrolls">
          <table>
            <thead>
              <tr>
                <th>Model</th>
                <th>Provider</th>
                <th className="num">Input</th>
                <th className="num">From cache</th>
                <th className="num">Into cache</th>
                <th className="num">Output</th>
                <th>Source</th>
              </tr>
            </thead>
            <tbody>
              {data.models.map((one) => (
                <tr key={`${one.provider} ${one.model}`} data-model={one.model}>
                  <td className="mono">{oneLine(one.model, 60)}</td>
                  <td>{one.provider ?? "–"}</td>
                  <td className="num">{dollars(one.input)}</td>
                  <td className="num">{dollars(one.cache_read)}</td>
                  <td className="num">{dollars(one.cache_write)}</td>
                  <td className="num">{dollars(one.output)}</td>
                  <td className="dim">{SOURCES[one.source]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** `input $0.4, output $1.2`. */
function told(rates: Record<string, number>): string {
  return Object.entries(rates)
    .map(([name, rate]) => `${name.replaceAll("_", " ")} ${dollars(rate)}`)
    .join(", ");
}

function dollars(value: number | null): string {
  if (value === null) return "–";
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: Number.isInteger(value) ? 0 : 2, maximumFractionDigits: 10 })}`;
}
