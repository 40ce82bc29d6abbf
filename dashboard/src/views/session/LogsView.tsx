/** Every error with its stack, and what the program logged, each leading to its event. */

import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { type RefObject, useMemo, useState } from "react";
import { eventQuery, logsQuery } from "../../api/queries";
import { grouped } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { type EventTable, STATUS_ERROR } from "../../model/table";
import { epochMicros, type EpochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Choice, Failure } from "../../ui/controls";
import { useLasting, useSettled } from "../../ui/hooks";
import { KindMark } from "../../ui/marks";
import { SearchField } from "../../ui/SearchField";
import { Moment } from "../../ui/time";
import { Value } from "./Chat";
import { ErrorBox } from "./EventPanel";
import { ModelName } from "./ModelName";
import type { SessionSearch } from "./search";

interface Props {
  sessionId: string;
  table: EventTable;
  base: EpochMicros;
  selectedRow: number;
  level: SessionSearch["level"];
  find: string;
  input: RefObject<HTMLInputElement | null>;
  onChange: (change: Partial<SessionSearch>) => void;
  onSelect: (id: string) => void;
}

const PAGE = 25;
/** Stacks that take longer come where their errors stand already. */
const LATE_MS = 3_000;

export function LogsView({ sessionId, table, base, selectedRow, ...logs }: Props) {
  const { onSelect } = logs;
  const failed = useMemo(() => {
    const rows: number[] = [];
    for (let row = 0; row < table.count; row++) if (table.statuses[row] === STATUS_ERROR) rows.push(row);
    return rows.sort((a, b) => table.starts[a] - table.starts[b]);
  }, [table]);
  const [limit, setLimit] = useState(PAGE);
  const rows = failed.slice(0, limit);
  const answers = useQueries({ queries: rows.map((row) => eventQuery(sessionId, table.ids.at(row))) });
  // In turn, each with its stack: one that grew would push down what is being read.
  const awaited = answers.findIndex(({ isPending }) => isPending);
  const [isTold, setTold] = useState(false);
  const isLate = useLasting(!isTold, LATE_MS);
  if (!isTold && (awaited < 0 || isLate)) setTold(true);
  return (
    <div className="logs">
      <section aria-label="Errors">
        <h2>
          Errors <span className="faint">{grouped(failed.length)}</span>
        </h2>
        {failed.length === 0 && <p className="faint">No event of this session failed.</p>}
        {(isTold ? rows : rows.slice(0, awaited)).map((row, index) => (
          <article key={table.ids.at(row)} className={row === selectedRow ? "log-card selected" : "log-card"} data-event={table.ids.at(row)}>
            <header>
              <Moment at={base + table.starts[row] * 1000} />
              <button type="button" className="link" onClick={() => onSelect(table.ids.at(row))}>
                <KindMark kind={KINDS[table.kinds[row]]} /> {oneLine(table.names.at(row), 100)} <ModelName table={table} row={row} />
              </button>
              {table.agents.at(row) && <span className="faint">{oneLine(table.agents.at(row), 60)}</span>}
            </header>
            <ErrorBox error={answers[index].data?.error ?? told(table.errors.at(row))} />
          </article>
        ))}
        {isTold && failed.length > limit && (
          <button type="button" className="more" onClick={() => setLimit(limit + PAGE)}>
            Show more ({grouped(failed.length - limit)} left)
          </button>
        )}
      </section>
      <Logs isShown={isTold} sessionId={sessionId} table={table} {...logs} />
    </div>
  );
}

/** What the timeline tells of an error, until all of it has come: `TimeoutError: the bank is slow`. */
function told(summary: string) {
  const [, type = null, message = summary] = /^([\w.]+): (.*)$/s.exec(summary) ?? [];
  return { type, message: message || "No message was recorded.", stack: null };
}

const LEVELS = [
  ["all", "All"],
  ["9", "Info"],
  ["13", "Warnings"],
  ["17", "Errors"],
] as const;

type LogsProps = Omit<Props, "base" | "selectedRow"> & { isShown: boolean };

function Logs({ isShown, sessionId, table, level, find, input, onChange, onSelect }: LogsProps) {
  const settled = useSettled(find.trim(), 200);
  const logs = useInfiniteQuery(logsQuery(sessionId, Number(level ?? 0), settled));
  const lines = logs.data?.pages.flatMap((page) => page.logs) ?? [];
  const isNarrowed = level !== undefined || settled !== "";
  return (
    <section aria-label="Logs" hidden={!isShown}>
      <header className="logs-head">
        <h2>
          Logs{" "}
          {logs.data && (
            <span className="faint">
              {grouped(lines.length)}
              {logs.hasNextPage ? "+" : ""}
            </span>
          )}
        </h2>
        <span className="grow" />
        <Choice
          label="Least severity"
          value={level ?? "all"}
          options={LEVELS}
          onChange={(value) => onChange({ level: value === "all" ? undefined : value })}
        />
        <SearchField
          className="search small"
          name="Find in the logs"
          value={find}
          input={input}
          onChange={(text) => onChange({ find: text || undefined })}
        />
      </header>
      {logs.error && <Failure error={logs.error} retry={() => void logs.refetch()} />}
      {logs.data && lines.length === 0 && (
        <p className="faint">
          {isNarrowed ? "No log record fits." : "Nothing was logged. Records of Python's logging from WARNING up are kept with their session."}
        </p>
      )}
      {lines.length > 0 && (
        <table className="log-lines">
          <tbody>
            {lines.map((line) => (
              <tr key={line.log_id}>
                <td>{line.at && <Moment at={epochMicros(line.at)} />}</td>
                <td className={line.severity >= 17 ? "bad" : line.severity >= 13 ? "warn" : "dim"}>{oneLine(line.severity_text ?? "", 12)}</td>
                <td className="faint">{oneLine(line.logger ?? "", 40)}</td>
                <td className="mono">
                  <Value value={line.body} />
                </td>
                <td>
                  {line.event_id && table.ids.rowOf(line.event_id) >= 0 && (
                    <button type="button" className="link" onClick={() => onSelect(line.event_id!)}>
                      {oneLine(table.names.at(table.ids.rowOf(line.event_id)), 30)}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {logs.hasNextPage && (
        <button type="button" className="more" disabled={logs.isFetchingNextPage} onClick={() => void logs.fetchNextPage()}>
          Show more
        </button>
      )}
    </section>
  );
}
