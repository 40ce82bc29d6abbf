/** Every error with its stack, and what the program logged, each leading to its event. */

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { eventQuery, logsQuery } from "../../api/queries";
import { grouped } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { type EventTable, STATUS_ERROR } from "../../model/table";
import { epochMicros, type EpochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { KindMark } from "../../ui/marks";
import { Moment } from "../../ui/time";
import { Value } from "./Chat";
import { ErrorBox } from "./EventPanel";
import { ModelName } from "./ModelName";

interface Props {
  sessionId: string;
  table: EventTable;
  base: EpochMicros;
  selectedRow: number;
  onSelect: (id: string) => void;
}

const PAGE = 25;

export function LogsView({ sessionId, table, base, selectedRow, onSelect }: Props) {
  const failed = useMemo(() => {
    const rows: number[] = [];
    for (let row = 0; row < table.count; row++) if (table.statuses[row] === STATUS_ERROR) rows.push(row);
    return rows.sort((a, b) => table.starts[a] - table.starts[b]);
  }, [table]);
  const [limit, setLimit] = useState(PAGE);
  const logs = useQuery(logsQuery(sessionId));
  return (
    <div className="logs">
      <section aria-label="Errors">
        <h2>
          Errors <span className="faint">{grouped(failed.length)}</span>
        </h2>
        {failed.length === 0 && <p className="faint">No event of this session failed.</p>}
        {failed.slice(0, limit).map((row) => (
          <article key={table.ids.at(row)} className={row === selectedRow ? "log-card selected" : "log-card"} data-event={table.ids.at(row)}>
            <header>
              <Moment at={base + table.starts[row] * 1000} />
              <button type="button" className="link" onClick={() => onSelect(table.ids.at(row))}>
                <KindMark kind={KINDS[table.kinds[row]]} /> {oneLine(table.names.at(row), 100)} <ModelName table={table} row={row} />
              </button>
              {table.agents.at(row) && <span className="faint">{oneLine(table.agents.at(row), 60)}</span>}
            </header>
            <Cause sessionId={sessionId} id={table.ids.at(row)} summary={table.errors.at(row)} />
          </article>
        ))}
        {failed.length > limit && (
          <button type="button" className="more" onClick={() => setLimit(limit + PAGE)}>
            Show more ({grouped(failed.length - limit)} left)
          </button>
        )}
      </section>
      <section aria-label="Logs">
        <h2>
          Logs {logs.data && <span className="faint">{grouped(logs.data.logs.length)}{logs.data.next_cursor ? "+" : ""}</span>}
        </h2>
        {logs.error && <Failure error={logs.error} retry={() => void logs.refetch()} />}
        {logs.data?.logs.length === 0 && (
          <p className="faint">Nothing was logged. Records of Python's logging from WARNING up are kept with their session.</p>
        )}
        {logs.data && logs.data.logs.length > 0 && (
          <table className="log-lines">
            <tbody>
              {logs.data.logs.map((line) => (
                <tr key={line.log_id}>
                  <td>{line.at && <Moment at={epochMicros(line.at)} />}</td>
                  <td className={line.severity >= 17 ? "bad" : line.severity >= 13 ? "warn" : "dim"}>{line.severity_text ?? ""}</td>
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
      </section>
    </div>
  );
}

function Cause({ sessionId, id, summary }: { sessionId: string; id: string; summary: string }) {
  const { data } = useQuery(eventQuery(sessionId, id));
  return <ErrorBox error={data?.error ?? { type: null, message: summary || "No message was recorded.", stack: null }} />;
}
