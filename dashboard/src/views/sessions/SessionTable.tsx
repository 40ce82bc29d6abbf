/** The session list: rows of one height, only those on view in the document, one of them under the keyboard. */

import { FlexRender, useTable } from "@tanstack/react-table";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { Session } from "../../api/types";
import { useKeys } from "../../ui/keys";
import { COLUMNS, FACTS, features } from "./columns";
import type { Sort } from "./search";

export const ROW = 36;

interface Props {
  rows: readonly Session[];
  sort: Sort;
  order: "asc" | "desc";
  onSort: (sort: Sort) => void;
  visibility: Record<string, boolean>;
  scroller: RefObject<HTMLDivElement | null>;
  /** Where the reader was when the page was left. */
  initialOffset: number;
  onNearEnd: () => void;
  chosen: ReadonlySet<string>;
  onChoose: (id: string) => void;
  isStale: boolean;
}

export function SessionTable(props: Props) {
  const { rows, sort, order, onSort, visibility, scroller, initialOffset, onNearEnd, chosen, onChoose } = props;
  const navigate = useNavigate();
  const [cursor, setCursor] = useState<string | null>(null);
  const data = useMemo(() => rows.slice(), [rows]);
  const table = useTable({
    features,
    columns: COLUMNS,
    data,
    state: { columnVisibility: visibility },
    getRowId: (row) => row.session_id,
  });
  const columns = table.getVisibleLeafColumns();
  const model = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: model.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    getItemKey: (index) => model[index].id,
    overscan: 12,
    initialOffset,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const nearEnd = useRef(onNearEnd);
  useEffect(() => {
    nearEnd.current = onNearEnd;
  });
  useEffect(() => {
    if (model.length > 0 && last >= model.length - 30) nearEnd.current();
  }, [last, model.length]);

  const move = (by: number) => {
    if (model.length === 0) return;
    const at = cursor === null ? (by > 0 ? -1 : model.length) : rows.findIndex((row) => row.session_id === cursor);
    const to = Math.max(0, Math.min(model.length - 1, at + by));
    setCursor(rows[to].session_id);
    virtual.scrollToIndex(to, { align: "auto" });
  };
  const open = () => {
    if (cursor) void navigate({ to: "/sessions/$sessionId", params: { sessionId: cursor } });
  };
  useKeys("Sessions", [
    { keys: "j", does: "Next session", run: () => move(1) },
    { keys: "k", does: "Previous session", run: () => move(-1) },
    { keys: "ArrowDown", does: "", run: () => move(1) },
    { keys: "ArrowUp", does: "", run: () => move(-1) },
    { keys: "Enter", does: "Open the session", run: open },
    { keys: "o", does: "", run: open },
    { keys: "x", does: "Choose the session", run: () => cursor && onChoose(cursor) },
    { keys: "Home", does: "", run: () => move(-model.length) },
    { keys: "Escape", does: "Let go of the row", run: () => setCursor(null) },
  ]);

  const tracks = columns.map((column) => FACTS[column.id].track).join(" ");
  return (
    <div className={props.isStale ? "table stale" : "table"} ref={scroller} role="table" aria-label="Sessions" aria-rowcount={model.length + 1} tabIndex={-1}>
      <div className="table-row head" role="row" style={{ gridTemplateColumns: tracks }}>
        {columns.map(({ id }) => {
          const facts = FACTS[id];
          const sorted = facts.sort === sort;
          return (
            <div
              key={id}
              role="columnheader"
              className={facts.numeric ? "num" : undefined}
              aria-sort={sorted ? (order === "asc" ? "ascending" : "descending") : undefined}
            >
              {facts.sort ? (
                <button type="button" onClick={() => onSort(facts.sort!)}>
                  {facts.title}
                  {sorted && <span aria-hidden="true">{order === "asc" ? " ↑" : " ↓"}</span>}
                </button>
              ) : (
                <span className={id === "state" ? "sr-only" : undefined}>{facts.title}</span>
              )}
            </div>
          );
        })}
      </div>
      <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = model[item.index];
          const id = row.id;
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              aria-selected={chosen.has(id)}
              data-session={id}
              data-state={row.original.state}
              className={`table-row${cursor === id ? " cursor" : ""}${chosen.has(id) ? " chosen" : ""}`}
              style={{ gridTemplateColumns: tracks, transform: `translateY(${item.start}px)` }}
            >
              {row.getVisibleCells().map((cell) => (
                <div key={cell.id} role="cell" className={cellClass(cell.column.id)}>
                  <FlexRender cell={cell} />
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function cellClass(id: string): string {
  return `cell ${id}${FACTS[id].numeric ? " num" : ""}`;
}
