/** The most frequent errors: alike ones together, when they began, when last, and the latest of them. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Failures, failuresQuery } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import { grouped } from "../../model/format";
import { epochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { withAlso } from "../sessions/search";
import { Ago } from "../../ui/time";

export function ErrorTable({ filters }: { filters: SessionFilters }) {
  const { data, error, refetch } = useQuery(failuresQuery(filters));
  return (
    <section className="card" aria-label="Most frequent errors" aria-busy={!data && !error}>
      <header>
        <h2>Most frequent errors</h2>
        <span className="grow" />
        {data && data.total > data.errors.length && <span className="faint">{`the first ${data.errors.length} of ${grouped(data.total)}`}</span>}
      </header>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data && data.errors.length === 0 && <p className="dim card-empty">No event of this range has an error.</p>}
      {data && data.errors.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key
        <div className="scroll" tabIndex={0} role="region" aria-label="Errors, scrolls">
          <table className="figures">
            <thead>
              <tr>
                <th>Error</th>
                <th className="num">Events</th>
                <th className="num">Sessions</th>
                <th>In</th>
                <th>First</th>
                <th>Last</th>
                <th>Latest</th>
              </tr>
            </thead>
            <tbody>
              {data.errors.map((one) => (
                <tr key={`${one.error_type} ${one.message}`} data-error={one.error_type}>
                  <td className="wide" title={one.example.message}>
                    <Link to="/sessions" search={{ ...filters, ...withAlso(filters, `error:${said(one)}`) }}>
                      <bdi>{oneLine(one.error_type || "error", 60)}</bdi>
                    </Link>{" "}
                    <bdi className="dim">{oneLine(one.message, 120)}</bdi>
                  </td>
                  <td className="num">{grouped(one.count)}</td>
                  <td className="num">{grouped(one.sessions)}</td>
                  <td className="dim">{oneLine(one.names.join(", "), 40)}</td>
                  <td>
                    <Ago at={epochMicros(one.first_at)} />
                  </td>
                  <td>
                    <Ago at={epochMicros(one.last_at)} />
                  </td>
                  <td>
                    <Link to="/sessions/$sessionId" params={{ sessionId: one.example.session_id }} search={{ event: one.example.event_id }}>
                      show
                    </Link>
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

/** An error as the list is asked for it. */
function said({ error_type, message }: Failures["errors"][number]): string {
  return error_type && message ? `${error_type}: ${message}` : error_type || message;
}
