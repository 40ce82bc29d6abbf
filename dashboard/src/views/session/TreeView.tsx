/** Agents, operations and events as an outline; a closed part shows the sums of what it holds. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useRef } from "react";
import { count, duration, grouped, usd } from "../../model/format";
import { KINDS } from "../../model/kinds";
import { type Rows, positionOf } from "../../model/outline";
import { type EventTable, STATUS_ERROR, STATUS_INTERRUPTED, STATUS_RUNNING } from "../../model/table";
import { oneLine } from "../../model/visible";
import { KindMark } from "../../ui/marks";
import { ModelName } from "./ModelName";

const ROW = 28;

interface Props {
  table: EventTable;
  rows: Rows;
  marks: Uint8Array | null;
  selectedRow: number;
  closed: ReadonlySet<string>;
  isRunning: boolean;
  onSelect: (id: string) => void;
  onFold: (row: number, isClosed: boolean) => void;
}

export function TreeView({ table, rows, marks, selectedRow, closed, isRunning, onSelect, onFold }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 16,
    // The head stands above the first row: what is to be on view must be so above the foot all the same.
    scrollPaddingEnd: ROW,
  });
  const selectedId = selectedRow >= 0 ? table.ids.at(selectedRow) : undefined;
  useEffect(() => {
    const position = selectedRow < 0 ? -1 : positionOf(rows, selectedRow);
    if (position < 0) return;
    virtual.scrollToIndex(position, { align: "auto" });
    // Who walks by keys hears where they are.
    if (document.activeElement === document.body) scroller.current?.focus({ preventScroll: true });
    // Only when the selection moves: news must not scroll the reader.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [selectedId]);
  const items = virtual.getVirtualItems();
  const isOnView = items.some((item) => rows[item.index] === selectedRow);
  return (
    <div
      className="tree"
      ref={scroller}
      role="treegrid"
      aria-label="Events as a tree"
      aria-rowcount={rows.length + 1}
      aria-activedescendant={isOnView ? `row-${selectedId}` : undefined}
      tabIndex={0}
    >
      <div className="tree-row head" role="row">
        <span role="columnheader">Event</span>
        <span role="columnheader" className="num">
          Duration
        </span>
        <span role="columnheader" className="num">
          Tokens
        </span>
        <span role="columnheader" className="num">
          Cost
        </span>
        <span role="columnheader" className="num">
          Errors
        </span>
      </div>
      <div className="tree-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          return (
            <TreeRow
              key={table.ids.at(row)}
              table={table}
              row={row}
              top={item.start}
              index={item.index}
              isSelected={row === selectedRow}
              isClosed={closed.has(table.ids.at(row))}
              isDim={marks !== null && marks[row] === 0}
              onSelect={onSelect}
              onFold={onFold}
            />
          );
        })}
      </div>
      {rows.length === 0 && <p className="empty dim">{table.count > 0 ? "Nothing here matches." : isRunning ? "No events yet." : "This session recorded no events."}</p>}
    </div>
  );
}

/** The deepest stand below each other: a name keeps room beside the numbers. */
function indent(depth: number): string {
  return `max(4px, min(${4 + depth * 16}px, 100% - 150px))`;
}

interface RowProps {
  table: EventTable;
  row: number;
  top: number;
  index: number;
  isSelected: boolean;
  isClosed: boolean;
  isDim: boolean;
  onSelect: (id: string) => void;
  onFold: (row: number, isClosed: boolean) => void;
}

const TreeRow = memo(function TreeRow({ table, row, top, index, isSelected, isClosed, isDim, onSelect, onFold }: RowProps) {
  const id = table.ids.at(row);
  const hasChildren = table.sizes[row] > 1;
  const status = table.statuses[row];
  const kind = KINDS[table.kinds[row]];
  const failed = status === STATUS_ERROR;
  const cost = hasChildren ? table.sumCosts[row] : table.costs[row];
  const tokens = hasChildren ? table.sumTokens[row] : table.tokens[row];
  const inner = hasChildren ? "num dim" : "num";
  return (
    // Keys are bound for the whole page (j, k, arrows, Enter); the row answers the pointer.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div
      className={`tree-row${isSelected ? " selected" : ""}${isDim ? " faded" : ""}`}
      role="row"
      id={`row-${id}`}
      aria-rowindex={index + 2}
      aria-level={table.depths[row] + 1}
      aria-expanded={hasChildren ? !isClosed : undefined}
      aria-selected={isSelected}
      data-event={id}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onSelect(id)}
    >
      <span role="gridcell" className="tree-name" style={{ paddingLeft: indent(table.depths[row]) }}>
        {hasChildren ? (
          <button
            type="button"
            className="fold"
            tabIndex={-1}
            aria-label={isClosed ? "Open" : "Close"}
            aria-expanded={!isClosed}
            onClick={(event) => {
              event.stopPropagation();
              onFold(row, !isClosed);
            }}
          >
            <span className="chevron" aria-hidden="true" />
          </button>
        ) : (
          <span className="fold" />
        )}
        <KindMark kind={kind} />
        <span className={failed ? "label bad" : "label"}>
          <span className="sr-only">{kind} </span>
          {oneLine(table.names.at(row), 120) || kind}
        </span>
        <ModelName table={table} row={row} />
        {failed && table.errors.at(row) && <span className="bad aside">{oneLine(table.errors.at(row), 120)}</span>}
        {status === STATUS_RUNNING && <span className="running aside">running</span>}
        {status === STATUS_INTERRUPTED && <span className="warn aside">interrupted</span>}
        {isClosed && <span className="faint aside">{grouped(table.sizes[row] - 1)} inside</span>}
      </span>
      <span role="gridcell" className="num">
        {Number.isNaN(table.durations[row]) ? "" : duration(table.durations[row])}
      </span>
      <span role="gridcell" className={inner}>
        {Number.isNaN(tokens) ? "" : count(tokens)}
      </span>
      <span role="gridcell" className={inner}>
        {Number.isNaN(cost) ? "" : usd(cost)}
      </span>
      <span role="gridcell" className="num">
        {table.sumErrors[row] > 0 ? <span className="bad">{grouped(table.sumErrors[row])}</span> : ""}
      </span>
    </div>
  );
});
