/** What was paid and waited for in vain: under which heading, by which calls, in which sessions, and how it adds up. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type WasteHeading, wasteQuery } from "../../api/insights";
import type { SessionFilters } from "../../api/queries";
import { rate } from "../../model/cost";
import { duration, grouped, plural, usd } from "../../model/format";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { KindMark } from "../../ui/marks";

const HEADINGS: Record<WasteHeading["heading"], readonly [string, string]> = {
  loop: ["Loops", "The same call with the same input, five times or more in one session: all but the first."],
  retry: ["Retries", "Calls that failed and were made again with the same input: the attempts that failed."],
  failed: ["Failed tool calls", "Tool calls that failed and were not tried again."],
  repeat: ["Identical calls", "Calls that had already succeeded in the same session with the same input."],
  uncached: [
    "Prompts not cached",
    "Prompts that begin as an earlier one of the session did, none of which was read from the cache, at providers that price cached tokens lower.",
  ],
};

export function Waste({ filters }: { filters: SessionFilters }) {
  const { data, error, refetch } = useQuery(wasteQuery(filters));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <p className="dim waste-sum late">Adding up what was spent in vain…</p>;
  if (data.headings.length === 0) {
    return (
      <div className="empty">
        <h2>Nothing wasted</h2>
        <p className="dim">No retry, no failed tool, no loop, no identical call and no uncached prompt in this range.</p>
      </div>
    );
  }
  return (
    <>
      <p className="waste-sum" data-waste-cost={data.cost_usd ?? ""}>
        {data.cost_usd !== null && (
          <>
            <b>{usd(data.cost_usd)}</b> and{" "}
          </>
        )}
        <b>{duration(data.duration_ms)}</b> spent in vain.{" "}
        <span className="dim">Each call is counted under one heading only, so that the parts add up.</span>
        {data.cut_off && <span className="warn"> There is more than is counted here: choose a shorter range.</span>}
      </p>
      {data.headings.map((one) => (
        <Heading key={one.heading} one={one} />
      ))}
    </>
  );
}

function Heading({ one }: { one: WasteHeading }) {
  const [title, means] = HEADINGS[one.heading];
  const isTokens = one.heading === "uncached";
  return (
    <section className="card" aria-label={title} data-waste={one.heading}>
      <header>
        <h2 className="waste-figure">{title}</h2>
        <span className="dim">{means}</span>
        <span className="grow" />
        {one.cost_usd !== null && <b className="waste-figure">{usd(one.cost_usd)}</b>}
        {!isTokens && <b className="waste-figure">{duration(one.duration_ms)}</b>}
        <span className="faint waste-figure">
          {plural(one.count, "call")} in {plural(one.sessions, "session")}
        </span>
      </header>
      <div className="waste-parts">
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
        <div className="scroll" tabIndex={0} role="region" aria-label={`Calls of ${title}, scrolls`}>
          <table className="figures">
            <thead>
              <tr>
                <th>Call</th>
                <th className="num">{isTokens ? "Saved" : "Cost"}</th>
                <th>How it adds up</th>
              </tr>
            </thead>
            <tbody>
              {one.calls.slice(0, 8).map((call) => (
                <tr key={`${call.kind} ${call.name} ${call.model}`}>
                  <td>
                    <KindMark kind={call.kind} /> {oneLine(call.name, 40)}
                    {call.model && !call.name.includes(call.model) && <span className="dim"> {oneLine(call.model, 30)}</span>}
                  </td>
                  <td className="num">{usd(call.cost_usd)}</td>
                  <td className="dim">{sum(call)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a table that scrolls must be reached by key */}
        <div className="scroll" tabIndex={0} role="region" aria-label={`Sessions of ${title}, scrolls`}>
          <table className="figures">
            <thead>
              <tr>
                <th>Session</th>
                <th className="num">Calls</th>
                {!isTokens && <th className="num">Time</th>}
                <th className="num">{isTokens ? "Saved" : "Cost"}</th>
              </tr>
            </thead>
            <tbody>
              {one.worst.slice(0, 8).map((session) => (
                <tr key={session.session_id}>
                  <td className="wide">
                    <Link to="/sessions/$sessionId" params={{ sessionId: session.session_id }}>
                      {oneLine(session.name || session.session_id, 48)}
                    </Link>
                  </td>
                  <td className="num">{grouped(session.count)}</td>
                  {!isTokens && <td className="num">{duration(session.duration_ms)}</td>}
                  <td className="num">{usd(session.cost_usd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </section>
  );
}

/** The arithmetic of a row. */
function sum(call: WasteHeading["calls"][number]): string {
  if (call.saving_usd_per_million !== null && call.tokens !== null) {
    return `${grouped(call.tokens)} tokens × ${rate(Number(call.saving_usd_per_million.toFixed(4)))} a million`;
  }
  if (call.cost_usd === null) return `${plural(call.count, "call")}, ${duration(call.duration_ms)} in all`;
  return `${grouped(call.count)} × ${usd(call.cost_usd / call.count)} on average, ${duration(call.duration_ms)}`;
}
