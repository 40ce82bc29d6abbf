/** The slowest and the dearest sessions. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { foremostQuery } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import type { Session } from "../../api/types";
import { usd } from "../../model/format";
import { epochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { StateDot } from "../../ui/marks";
import { Ago, Duration } from "../../ui/time";

export function Foremost({ filters }: { filters: SessionFilters }) {
  return (
    <div className="pair">
      <Top title="Slowest sessions" sort="duration" filters={filters} />
      <Top title="Dearest sessions" sort="cost" filters={filters} />
    </div>
  );
}

function Took({ session }: { session: Session }) {
  return <Duration ms={session.duration_ms} from={epochMicros(session.started_at)} running={session.state === "running"} />;
}

interface Props {
  title: string;
  sort: "duration" | "cost";
  filters: SessionFilters;
}

function Top({ title, sort, filters }: Props) {
  const { data, error, refetch } = useQuery(foremostQuery(filters, sort));
  return (
    <section className="card tall" aria-label={title} aria-busy={!data && !error}>
      <header>
        <h2>{title}</h2>
        <span className="grow" />
        <Link to="/sessions" search={{ ...filters, sort, order: "desc" }} className="chart-act">
          All
        </Link>
      </header>
      {error && <Failure error={error} retry={() => void refetch()} />}
      <table className="figures">
        <tbody>
          {data?.sessions.map((session) => (
            <tr key={session.session_id} data-session={session.session_id}>
              <td className="wide">
                <StateDot state={session.state} />{" "}
                <Link to="/sessions/$sessionId" params={{ sessionId: session.session_id }}>
                  {oneLine(session.name || session.session_id, 60)}
                </Link>
              </td>
              <td className="dim">
                <Ago at={epochMicros(session.started_at)} />
              </td>
              <td className="num">{sort === "cost" ? usd(session.cost_usd) : <Took session={session} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
