/** The session at a glance, while no event is selected: why it failed, where time and money went, where it ran. */

import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { SessionDetail } from "../../api/types";
import { duration, grouped, usd } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { type Share, shares } from "../../model/shares";
import { type EventTable, STATUS_ERROR } from "../../model/table";
import { unfinished } from "../../model/unfinished";
import { epochMicros } from "../../model/units";
import { isolated, oneLine } from "../../model/visible";
import { KindMark } from "../../ui/marks";
import { Long } from "../../ui/text";
import { Duration, useTold } from "../../ui/time";
import { Attributes, More } from "./Attributes";
import { Value } from "./Chat";
import { ModelName } from "./ModelName";
import { Note } from "./Note";
import type { SessionSearch } from "./search";

interface Props {
  session: SessionDetail;
  /** Whether it goes on while it is looked at. */
  isRunning: boolean;
  table: EventTable;
  onSelect: (id: string) => void;
}

const SHOWN = 5;

export function Summary({ session, isRunning, table, onSelect }: Props) {
  const reason = useTold(session.state === "success" ? null : session.state_reason);
  const { errors, failed, open, underWay, time, money } = useMemo(() => notable(table), [table]);
  return (
    <div className="summary">
      {reason && (
        <section className={session.state === "fail" ? "error-box" : "note-box"} aria-label="Why it ended">
          <Long text={reason} />
        </section>
      )}
      <Note sessionId={session.session_id} note={session.note ?? ""} />
      <Ranking
        title="What failed"
        rows={errors.map((row) => ({ row, value: duration(table.starts[row]) }))}
        table={table}
        onSelect={onSelect}
      >
        {failed > errors.length && (
          <Link
            from="/sessions/$sessionId"
            to="/sessions/$sessionId"
            search={(old: SessionSearch) => ({ ...old, view: "logs" as const })}
            className="more"
          >
            and {grouped(failed - errors.length)} more
          </Link>
        )}
      </Ranking>
      <Ranking
        title={session.state === "running" ? "Under way" : "What was under way when it stopped"}
        rows={open.map((row) => ({ row, value: <Lasted session={session} isRunning={isRunning} from={table.starts[row]} /> }))}
        table={table}
        onSelect={onSelect}
      >
        {underWay > open.length && <p className="faint">and {grouped(underWay - open.length)} more</p>}
      </Ranking>
      <Ranking title="Where the time went" rows={groups(time, duration)} table={table} onSelect={onSelect} />
      <Ranking title="Where the money went" rows={groups(money, usd)} table={table} onSelect={onSelect} />
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
      {table.count > 0 && <p className="faint">Select an event to see what went in and what came out.</p>}
    </div>
  );
}

/** How long an event has been under way, or had been when the session stopped. */
function Lasted({ session, isRunning, from }: { session: SessionDetail; isRunning: boolean; from: number }) {
  const lasted = session.duration_ms === null ? null : Math.max(0, session.duration_ms - from);
  return (
    <>
      for <Duration ms={lasted} from={epochMicros(session.started_at) + from * 1000} running={isRunning} />
    </>
  );
}

/** The first errors and how many there are, the same of what has not ended, and what took most, by name: "chat gpt-4o ×14". */
function notable(table: EventTable) {
  const errors: number[] = [];
  let failed = 0;
  for (let row = 0; row < table.count; row++) {
    if (table.statuses[row] === STATUS_ERROR && ++failed <= SHOWN) errors.push(row);
  }
  const open = unfinished(table);
  return {
    errors,
    failed,
    open: open.slice(0, SHOWN),
    underWay: open.length,
    time: shares(table, table.durations),
    money: shares(table, table.costs),
  };
}

function groups(from: readonly Share[], format: (value: number) => string): Ranked[] {
  return from.slice(0, SHOWN).map(({ row, count, sum, share }) => ({
    row,
    count,
    value: format(sum),
    share: share < 0.005 ? "<1%" : share >= 0.995 && share < 1 - 1e-9 ? ">99%" : `${Math.round(share * 100)}%`,
  }));
}

interface Ranked {
  row: number;
  value: ReactNode;
  count?: number;
  share?: string;
}

function Ranking({
  title,
  rows,
  table,
  onSelect,
  children,
}: {
  title: string;
  rows: readonly Ranked[];
  table: EventTable;
  onSelect: (id: string) => void;
  /** What the list leaves out. */
  children?: ReactNode;
}) {
  if (rows.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ol className="ranking">
        {rows.map(({ row, value, count, share }) => (
          <li key={table.ids.at(row)}>
            <button type="button" title={count !== undefined && count > 1 ? `Opens the largest of ${grouped(count)}` : undefined} onClick={() => onSelect(table.ids.at(row))}>
              <KindMark kind={KINDS[table.kinds[row]]} />
              <span className="rank-name">
                {oneLine(table.names.at(row), 80)} <ModelName table={table} row={row} />
                {count !== undefined && count > 1 && <span className="faint"> ×{grouped(count)}</span>}
                {count === undefined && table.errors.at(row) && <small className="bad">{oneLine(table.errors.at(row), 120)}</small>}
              </span>
              <span className="num">{value}</span>
              {share !== undefined && <span className="num faint">{share}</span>}
            </button>
          </li>
        ))}
      </ol>
      {children}
    </section>
  );
}

/** A session of a thousand agents is not told by their names. */
const NAMES_SHOWN = 24;

function Names({ name, values }: { name: string; values: string[] }) {
  if (values.length === 0) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {values.slice(0, NAMES_SHOWN).map((value) => isolated(oneLine(value, 80))).join(", ")}
        {values.length > NAMES_SHOWN && <span className="faint"> and more</span>}
      </dd>
    </div>
  );
}
