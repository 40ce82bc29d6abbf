/** The session at a glance, while no event is selected: why it failed, where time and money went, where it ran. */

import { useMemo } from "react";
import type { SessionDetail } from "../../api/types";
import { duration, grouped, usd } from "../../model/format";
import { isContainer, KINDS } from "../../model/kinds";
import { type EventTable, STATUS_ERROR } from "../../model/table";
import { oneLine } from "../../model/visible";
import { KindMark } from "../../ui/marks";
import { Long } from "../../ui/text";
import { Attributes, More } from "./Attributes";
import { Value } from "./Chat";

interface Props {
  session: SessionDetail;
  table: EventTable;
  onSelect: (id: string) => void;
}

const SHOWN = 5;

export function Summary({ session, table, onSelect }: Props) {
  const { errors, slowest, dearest } = useMemo(() => notable(table), [table]);
  return (
    <div className="summary">
      {session.state_reason && session.state !== "success" && (
        <section className={session.state === "fail" ? "error-box" : "note-box"} aria-label="Why it ended">
          <Long text={session.state_reason} />
        </section>
      )}
      <Ranking title="Errors" rows={errors} table={table} onSelect={onSelect} value={(row) => duration(table.starts[row])} />
      <Ranking title="Where the time went" rows={slowest} table={table} onSelect={onSelect} value={(row) => duration(table.durations[row])} share={(row) => table.durations[row] / Math.max(table.end, 1)} />
      <Ranking title="Where the money went" rows={dearest} table={table} onSelect={onSelect} value={(row) => usd(table.costs[row])} share={(row) => table.costs[row] / Math.max(session.cost_usd ?? 0, 1e-12)} />
      <dl className="facts">
        <Names name="Models" values={session.models} />
        <Names name="Agents" values={session.agents} />
        <Names name="Tools" values={session.tools} />
        <Names name="User" values={session.user_id ? [session.user_id] : []} />
        <Names name="Service" values={session.service ? [session.service] : []} />
      </dl>
      {session.host_env != null && (
        <More title="Machine" count={Object.keys(session.host_env as object).length}>
          <Value value={session.host_env} />
        </More>
      )}
      <More title="Process" count={Object.keys(session.resource).length}>
        <Attributes values={session.resource} />
      </More>
      <p className="faint">Select an event to see what went in and what came out.</p>
    </div>
  );
}

/** Rows worth a look, the most notable first. Containers repeat what they hold, so they are left out. */
function notable(table: EventTable) {
  const leaves: number[] = [];
  const errors: number[] = [];
  for (let row = 0; row < table.count; row++) {
    if (!isContainer(KINDS[table.kinds[row]])) leaves.push(row);
    if (table.statuses[row] === STATUS_ERROR && errors.length < SHOWN) errors.push(row);
  }
  const top = (by: Float64Array) =>
    leaves
      .filter((row) => by[row] > 0)
      .toSorted((a, b) => by[b] - by[a])
      .slice(0, SHOWN);
  return { errors, slowest: top(table.durations), dearest: top(table.costs) };
}

function Ranking({
  title,
  rows,
  table,
  value,
  share,
  onSelect,
}: {
  title: string;
  rows: number[];
  table: EventTable;
  value: (row: number) => string;
  share?: (row: number) => number;
  onSelect: (id: string) => void;
}) {
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ol className="ranking">
        {rows.map((row) => (
          <li key={table.ids[row]}>
            <button type="button" onClick={() => onSelect(table.ids[row])}>
              <KindMark kind={KINDS[table.kinds[row]]} />
              <span className="rank-name">
                {oneLine(table.names[row], 80)}
                {table.statuses[row] === STATUS_ERROR && table.errors[row] && <small className="bad">{oneLine(table.errors[row], 120)}</small>}
              </span>
              <span className="num">{value(row)}</span>
              {share && <span className="num faint">{grouped(Math.min(1, share(row)) * 100)}%</span>}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Names({ name, values }: { name: string; values: string[] }) {
  if (values.length === 0) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{values.map((value) => oneLine(value, 80)).join(", ")}</dd>
    </div>
  );
}
