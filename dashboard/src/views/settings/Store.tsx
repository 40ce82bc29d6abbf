/** What the store holds and how it grows, how long sessions are kept, and what calls to models are priced by. */

import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../../api/client";
import type { components } from "../../api/schema";
import { bytes, grouped } from "../../model/format";
import { Failure } from "../../ui/controls";

type Schemas = components["schemas"];
const storeQuery = queryOptions({
  queryKey: ["store"],
  queryFn: ({ signal }) => request<Schemas["StoreSizes"]>("/api/store", { signal }),
  retry: false,
});
const pricesQuery = queryOptions({
  queryKey: ["prices"],
  queryFn: ({ signal }) => request<Schemas["Prices"]>("/api/prices", { signal }),
});

export function Store() {
  const { data, error } = useQuery(storeQuery);
  const client = useQueryClient();
  const keeping = useMutation({
    mutationFn: (days: number) => request("/api/store/retention", { method: "PUT", body: { days } }),
    onSettled: () => client.invalidateQueries({ queryKey: storeQuery.queryKey }),
  });
  // Who may not know of the whole store is told nothing of it.
  if (error || !data) return null;
  const most = Math.max(1, ...data.growth.map(({ spans }) => spans));
  return (
    <>
      <section aria-label="Store">
        <h2>Store</h2>
        <p data-store-bytes={data.bytes}>
          <b>{bytes(data.bytes)}</b> on disk: {grouped(data.sessions)} sessions, {grouped(data.spans)} spans.
        </p>
        {data.growth.length > 0 && (
          <ul className="growth" aria-label="Records of spans that arrived, by day">
            {data.growth.map(({ day, spans }) => (
              <li key={day} title={`${day} (UTC): ${grouped(spans)} records`} aria-label={`${day}: ${grouped(spans)}`}>
                <i style={{ height: `${Math.max(2, (spans / most) * 44)}px` }} />
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
            ? `Sessions are deleted ${grouped(data.retention_days)} days after their last sign of life.`
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
          <input name="days" type="number" min={0} max={36500} required defaultValue={data.retention_days} aria-label="Days that sessions are kept; 0 for good" />
          <span className="dim">days; 0 keeps them for good</span>
          <button type="submit" className="btn" disabled={keeping.isPending}>
            Keep so long
          </button>
        </form>
        {keeping.error && <Failure error={keeping.error} />}
      </section>
    </>
  );
}

const SOURCES = { own: "your own", built_in: "built in", unknown: "not known" } as const;

export function Prices() {
  const { data, error } = useQuery(pricesQuery);
  if (!data && !error) return null;
  return (
    <section className="account" aria-label="Prices">
      <h2>Prices</h2>
      <p className="dim">
        Dollars for a million tokens, of the models that were called. Prices of your own stand in <code className="mono">prices.toml</code> in the
        folder of this server (AGENTOPS_HOME) and win; <code className="mono">agentops reprice</code> then computes what was recorded anew.
        {data?.file && ` In use: ${data.file} with ${grouped(data.own.length)} of your own.`}
      </p>
      {error && <Failure error={error} />}
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
                <th className="num">Output</th>
                <th>Source</th>
              </tr>
            </thead>
            <tbody>
              {data.models.map((one) => (
                <tr key={`${one.provider} ${one.model}`} data-model={one.model}>
                  <td className="mono">{one.model}</td>
                  <td>{one.provider ?? "–"}</td>
                  <td className="num">{dollars(one.input)}</td>
                  <td className="num">{dollars(one.cache_read)}</td>
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

function dollars(value: number | null): string {
  return value === null ? "–" : `$${Number(value.toFixed(4))}`;
}
