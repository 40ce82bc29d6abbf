/** The essentials of the event under the pointer, beside it and never under it. */

import { count, duration, usd } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { endOf, type EventTable, STATUS_RUNNING, statusName } from "../../model/table";
import { clock } from "../../model/time";
import type { EpochMicros } from "../../model/units";
import { oneLine } from "../../model/visible";
import { KindMark } from "../../ui/marks";
import { usePreference } from "../../ui/preferences";
import { ModelName } from "./ModelName";

interface Props {
  table: EventTable;
  row: number;
  base: EpochMicros;
  now: number;
  x: number;
  y: number;
  width: number;
  height: number;
  idle: string;
}

const WIDTH = 300;

export function HoverCard({ table, row, base, now, x, y, width, height, idle }: Props) {
  const zone = usePreference("zone");
  const left = x + 16 + WIDTH > width ? Math.max(4, x - WIDTH - 16) : x + 16;
  const status = table.statuses[row];
  const above = y > height - 150;
  const facts = [
    status === STATUS_RUNNING ? `running for ${duration(endOf(table, row, now) - table.starts[row])}` : duration(table.durations[row]),
    Number.isNaN(table.tokens[row]) ? "" : `${count(table.tokens[row])} ${table.tokens[row] === 1 ? "token" : "tokens"}`,
    Number.isNaN(table.costs[row]) ? "" : usd(table.costs[row]),
  ].filter(Boolean);
  return (
    <div
      className="hover-card"
      aria-hidden="true"
      style={{ transform: `translate(${left}px, ${above ? y - 12 : y + 14}px)${above ? " translateY(-100%)" : ""}`, width: WIDTH }}
    >
      <b>
        <KindMark kind={KINDS[table.kinds[row]]} /> {oneLine(table.names.at(row), 80)} <ModelName table={table} row={row} />
      </b>
      <span>{facts.join(" · ")}</span>
      <span className="dim">
        {[KINDS[table.kinds[row]], table.agents.at(row) && `by ${oneLine(table.agents.at(row), 40)}`, status === 0 ? "" : statusName(status)]
          .filter(Boolean)
          .join(" · ")}
      </span>
      <span className="dim">
        {clock(base + table.starts[row] * 1000, zone)} · at {duration(table.starts[row])}
        {idle && ` · ${idle}`}
      </span>
      {table.errors.at(row) && <span className="bad">{oneLine(table.errors.at(row), 160)}</span>}
    </div>
  );
}
