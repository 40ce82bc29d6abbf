/** What the canvas shows, as a list for those who read with their ears or their keyboard. */

import { memo } from "react";
import { visibleSpan } from "../../layout/bars";
import { duration, usd } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { modelOf } from "../../model/naming";
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
        <li key={table.ids.at(row)} data-event={table.ids.at(row)}>
          <button type="button" tabIndex={-1} aria-current={row === selectedRow} onClick={() => onSelect(table.ids.at(row))}>
            {describe(table, row)}
          </button>
        </li>
      ))}
    </ul>
  );
});

export function describe(table: EventTable, row: number): string {
  const status = statusName(table.statuses[row]);
  return [
    `${KINDS[table.kinds[row]]} ${oneLine(table.names.at(row), 80)}`,
    oneLine(modelOf(table, row), 40),
    `level ${table.depths[row] + 1}`,
    Number.isNaN(table.durations[row]) ? "" : duration(table.durations[row]),
    Number.isNaN(table.costs[row]) ? "" : usd(table.costs[row]),
    status === "ok" ? "" : status,
    oneLine(table.errors.at(row), 120),
  ]
    .filter(Boolean)
    .join(", ");
}
