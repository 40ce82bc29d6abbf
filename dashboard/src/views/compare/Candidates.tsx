/** One session is chosen: what it could be compared with, those of the same name first. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { alikeQuery } from "../../api/insights";
import { sessionQuery } from "../../api/queries";
import { duration, usd } from "../../model/format";
import { epochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { StateDot } from "../../ui/marks";
import { Ago } from "../../ui/time";

export function Candidates({ chosen, side }: { chosen: string; side: "a" | "b" }) {
  const { data: session, error, refetch } = useQuery(sessionQuery(chosen));
  const { data: named } = useQuery({ ...alikeQuery(session?.name ?? ""), enabled: session !== undefined });
  const { data: latest } = useQuery(alikeQuery(""));
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const all = [...(named?.sessions ?? []), ...(latest?.sessions ?? [])];
  const others = all.filter(
    (one, index) => one.session_id !== chosen && all.findIndex(({ session_id }) => session_id === one.session_id) === index,
  );
  return (
    <section className="card" aria-label="Compare with">
      <header>
        <h2>Compare with</h2>
        <span className="dim">{oneLine(session?.name || chosen, 60)} is {side === "a" ? "A; choose B" : "B; choose A"}, or name it above.</span>
      </header>
      {others.length === 0 && <p className="dim card-empty">There is no other session yet.</p>}
      <table className="figures">
        <tbody>
          {others.map((one) => (
            <tr key={one.session_id}>
              <td className="wide">
                <StateDot state={one.state} />{" "}
                <Link to="/compare" search={side === "a" ? { a: chosen, b: one.session_id } : { a: one.session_id, b: chosen }}>
                  {oneLine(one.name || one.session_id, 60)}
                </Link>
              </td>
              <td className="dim">
                <Ago at={epochMicros(one.started_at)} />
              </td>
              <td className="num">{duration(one.duration_ms)}</td>
              <td className="num">{usd(one.cost_usd)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
