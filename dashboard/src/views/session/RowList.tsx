/** What the canvas shows, as a list for those who read with their ears or their keyboard. */

import { memo } from "react";
import { visibleSpan } from "../../layout/bars";
import { duration, usd } from "../../model/format";
import { KINDS } from "../../model/kinds";
import type { Rows } from "../../model/outline";
import { type EventTable, statusName } from "../../model/table";
import { oneLine } from "../../model/visible";

interface Props {
  table: EventTable;
  rows: Rows;
  selectedRow: number;
  scrollTop: number;
  height: number;
  onSelect: (id: string) => void;
}

export const RowList = memo(function RowList({ table, rows, selectedRow, scrollTop, height, onSelect }: Props) {
  const { first, last } = visibleSpan(rows.length, scrollTop, height);
  return (
    <ul className="sr-only" aria-label="Events on view">
      {Array.from(rows.subarray(first, last), (row) => (
        <li key={table.ids[row]} data-event={table.ids[row]}>
          <button type="button" tabIndex={-1} aria-current={row === selectedRow} onClick={() => onSelect(table.ids[row])}>
            {describe(table, row)}
          </button>
        </li>
      ))}
    </ul>
  );
});

function describe(table: EventTable, row: number): string {
  const status = statusName(table.statuses[row]);
  return [
    `${KINDS[table.kinds[row]]} ${oneLine(table.names[row], 80)}`,
    `level ${table.depths[row] + 1}`,
    Number.isNaN(table.durations[row]) ? "" : duration(table.durations[row]),
    Number.isNaN(table.costs[row]) ? "" : usd(table.costs[row]),
    status === "ok" ? "" : status,
    oneLine(table.errors[row], 120),
  ]
    .filter(Boolean)
    .join(", ");
}
