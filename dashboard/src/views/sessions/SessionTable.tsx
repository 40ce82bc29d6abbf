/** The session list: rows of one height, only those on view in the document, one of them under the keyboard. */

import { FlexRender, type Row, useTable } from "@tanstack/react-table";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, memo, type RefObject, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";
import type { Session } from "../../api/types";
import { Gradual } from "../../model/gradual";
import { dearCost } from "../../model/sessionList";
import { oneLine } from "../../model/visible";
import { useLasting, useNarrow, useSize } from "../../ui/hooks";
import { isTyping, useKeys } from "../../ui/keys";
import { COLUMNS, FACTS, features } from "./columns";
import type { Sort } from "./search";
import { TagsWidth } from "./TagsCell";

export const ROW = 36;
const HEAD = 30;
/** What stands over the list's foot while rows are chosen. */
const BULK = 72;
/** On a narrow screen a row has two lines. */
const ROW_NARROW = 58;
/** Between the columns, and beside them (sessions.css). */
const GAP = 12;
const MARGIN = 20;
/** So many rows before the end of what is loaded, more is asked for: at once of who scrolls or sees the end, else when the page rests. */
const AHEAD = 150;
const OVERSCAN = 6;
const REST_MS = 1_000;
/** The list has slowed down when it was not scrolled for so long; from then on each frame completes some rows. */
const SLOWED_MS = 100;
const FRAME_MS = 16;
/** Rows of the list before are dimmed when the next ones take longer. */
const DIMMED_AFTER_MS = 150;

/** The row that the keyboard held in each list, by its address: who comes back goes on from there. */
const cursors = new Map<string, string>();

interface Props {
  /** Which list it is. */
  place: string;
  rows: readonly Session[];
  sort: Sort;
  order: "asc" | "desc";
  onSort: (sort: Sort) => void;
  visibility: Record<string, boolean>;
  scroller: RefObject<HTMLDivElement | null>;
  /** Where the reader was when the list was left. */
  initialOffset: number;
  onNearEnd: () => void;
  chosen: ReadonlySet<string>;
  /** With `reaches` everything between the row chosen before and this one. */
  onChoose: (id: string, reaches: boolean) => void;
  onChooseAll: (isChosen: boolean) => void;
  isStale: boolean;
}

export function SessionTable(props: Props) {
  const { place, rows, sort, order, onSort, visibility, scroller, initialOffset, onNearEnd, chosen, onChoose, onChooseAll } = props;
  const navigate = useNavigate();
  const [cursor, setCursor] = useState<string | null>(() => cursors.get(place) ?? null);
  const isStale = useLasting(props.isStale, DIMMED_AFTER_MS);
  const rowHeight = useNarrow() ? ROW_NARROW : ROW;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index].session_id,
    overscan: OVERSCAN,
    initialOffset,
    // The head stands above the first row: a row that is moved to must not be below the foot by as much.
    scrollPaddingEnd: HEAD + (chosen.size > 0 ? BULK : 0),
  });
  useLayoutEffect(() => virtual.measure(), [virtual, rowHeight]);
  const [gradual, setGradual] = useState(() => new Gradual());
  const [drawn, setDrawn] = useState(place);
  if (drawn !== place) {
    setDrawn(place);
    setCursor(cursors.get(place) ?? null);
    setGradual(new Gradual());
  }
  // Another list in the same table opens where it was left.
  const opensAt = useRef(initialOffset);
  useLayoutEffect(() => {
    opensAt.current = initialOffset;
  });
  useLayoutEffect(() => {
    // Scrolling measures the page, which has just changed: 20 ms that a list at its top need not wait for.
    if (virtual.scrollOffset !== opensAt.current) virtual.scrollToOffset(opensAt.current);
  }, [virtual, place]);
  const items = virtual.getVirtualItems();
  const first = items.at(0)?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { startIndex = 0, endIndex = last } = virtual.range ?? {};
  const whole = gradual.next(
    items.map((item) => String(item.key)),
    virtual.isScrolling,
    items.filter(({ index }) => index >= startIndex && index <= endIndex).map((item) => String(item.key)),
  );
  const [, complete] = useReducer((turn: number) => turn + 1, 0);
  useEffect(() => {
    if (whole.size === items.length) return;
    const timer = setTimeout(complete, gradual.isFast ? SLOWED_MS : FRAME_MS);
    return () => clearTimeout(timer);
  }, [gradual, whole, items.length]);
  // The table's model is made of the whole rows on view alone: its cost does not grow with the list.
  const data = useMemo(() => rows.slice(first, last + 1).filter((row) => whole.has(row.session_id)), [rows, first, last, whole]);
  const table = useTable({
    features,
    columns: COLUMNS,
    data,
    state: { columnVisibility: visibility },
    getRowId: (row) => row.session_id,
  });
  const columns = table.getVisibleLeafColumns();
  const model = table.getRowModel().rowsById;
  const nearEnd = useRef(onNearEnd);
  const choose = useRef(onChoose);
  useEffect(() => {
    nearEnd.current = onNearEnd;
    choose.current = onChoose;
  });
  useEffect(() => {
    if (rows.length === 0 || last < rows.length - AHEAD) return;
    const isWaitedFor = last >= rows.length - OVERSCAN || (virtual.scrollOffset ?? 0) > 0;
    const asking = setTimeout(() => nearEnd.current(), isWaitedFor ? 0 : REST_MS);
    return () => clearTimeout(asking);
  }, [last, rows.length, virtual, place]);

  /** Where the keyboard comes from when it holds no row: above what is on view, or below it. */
  const beside = (by: number) => {
    const { scrollTop = 0, clientHeight = 0 } = scroller.current ?? {};
    return by > 0 ? Math.ceil(scrollTop / rowHeight) - 1 : Math.floor((scrollTop + clientHeight - HEAD) / rowHeight);
  };
  const isMoved = useRef(false);
  const hold = (id: string | null) => {
    if (id === null) cursors.delete(place);
    else cursors.set(place, id);
    isMoved.current = true;
    setCursor(id);
  };
  const move = (by: number) => {
    if (rows.length === 0) return;
    const known = rows.findIndex((row) => row.session_id === cursor);
    const to = Math.max(0, Math.min(rows.length - 1, (known < 0 ? beside(by) : known) + by));
    hold(rows[to].session_id);
    virtual.scrollToIndex(to, { align: "auto" });
  };
  // The focus goes with the keys, so that who does not see the row hears it. A row far away is drawn later.
  useLayoutEffect(() => {
    if (!isMoved.current) return;
    const held = scroller.current?.querySelector<HTMLElement>(".table-row.cursor");
    if (cursor === null) scroller.current?.focus({ preventScroll: true });
    else held?.focus({ preventScroll: true });
    isMoved.current = cursor !== null && !held;
  });
  const open = () => {
    if (cursor && rows.some((row) => row.session_id === cursor)) void navigate({ to: "/sessions/$sessionId", params: { sessionId: cursor } });
  };
  useKeys("Sessions", [
    { keys: "j", does: "Next session", run: () => move(1) },
    { keys: "k", does: "Previous session", run: () => move(-1) },
    { keys: "ArrowDown", does: "", run: () => move(1) },
    { keys: "ArrowUp", does: "", run: () => move(-1) },
    { keys: "Enter", does: "Open the session", run: open },
    { keys: "o", does: "", run: open },
    { keys: "x", does: "Choose the session", run: () => cursor && onChoose(cursor, false) },
    { keys: "X", does: "Choose all up to the session", run: () => cursor && onChoose(cursor, true) },
    { keys: "Home", does: "", run: () => move(-rows.length) },
    {
      keys: "Escape",
      does: "Leave the search, let go of the row, then of the chosen",
      run: () => {
        if (cursor === null || isTyping(document.activeElement)) return false;
        hold(null);
        return true;
      },
    },
  ]);

  const [tagsHead, { width: tagsWidth }] = useSize<HTMLDivElement>();
  const shown = columns.map((column) => FACTS[column.id]);
  const tracks = ["18px", ...shown.map(({ least, most }) => `minmax(${least}px, ${most})`)].join(" ");
  const least = shown.reduce((sum, one) => sum + one.least + GAP, 18) + 2 * MARGIN;
  const dear = useMemo(() => dearCost(rows), [rows]);
  const allChosen = rows.length > 0 && chosen.size >= rows.length && rows.every((row) => chosen.has(row.session_id));
  return (
    <TagsWidth value={tagsWidth}>
      <div className={isStale ? "table stale" : "table"} ref={scroller} role="table" aria-label="Sessions" aria-rowcount={rows.length + 1} tabIndex={-1} style={{ "--least": `${least}px` } as CSSProperties}>
        <div className="table-row head" role="row" style={{ gridTemplateColumns: tracks }}>
          <div role="columnheader" className="choose">
            <input
              type="checkbox"
              aria-label="Choose all that are loaded"
              checked={allChosen}
              ref={(box) => {
                if (box) box.indeterminate = chosen.size > 0 && !allChosen;
              }}
              onChange={() => onChooseAll(!allChosen)}
            />
          </div>
          {columns.map(({ id }) => {
            const facts = FACTS[id];
            const sorted = facts.sort === sort;
            return (
              <div
                key={id}
                role="columnheader"
                ref={id === "tags" ? tagsHead : undefined}
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
        <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize(), "--dear": dear } as CSSProperties}>
          {items.map((item) => {
            const session = rows[item.index];
            const { session_id: id } = session;
            return (
              <TableRow
                key={item.key}
                row={whole.has(id) ? model[id] : null}
                session={session}
                index={item.index}
                start={item.start}
                tracks={tracks}
                isCursor={cursor === id}
                isChosen={chosen.has(id)}
                choose={choose}
              />
            );
          })}
        </div>
      </div>
    </TagsWidth>
  );
}

interface RowProps {
  /** None for a row that is flown past: it is drawn by its name alone. */
  row: Row<typeof features, Session> | null;
  session: Session;
  index: number;
  start: number;
  /** The grid's columns: they change with the columns shown. */
  tracks: string;
  isCursor: boolean;
  isChosen: boolean;
  choose: RefObject<Props["onChoose"]>;
}

/** A row is drawn again when what it shows is another, not when the list is scrolled: then only the table's row is. */
const TableRow = memo(
  function TableRow({ row, session, index, start, tracks, isCursor, isChosen, choose }: RowProps) {
    const { session_id: id } = session;
    return (
      <div
        role="row"
        aria-rowindex={index + 2}
        aria-selected={isChosen}
        aria-current={isCursor || undefined}
        tabIndex={isCursor ? -1 : undefined}
        data-session={id}
        data-state={session.state}
        className={`table-row${row ? "" : " passing"}${isCursor ? " cursor" : ""}${isChosen ? " chosen" : ""}`}
        style={row ? { gridTemplateColumns: tracks, top: start } : { top: start }}
      >
        {row ? (
          <>
            <div role="cell" className="cell choose">
              <input
                type="checkbox"
                aria-label={`Choose ${oneLine(session.name, 60) || "the session"}`}
                checked={isChosen}
                onClick={(event) => choose.current(id, event.shiftKey)}
                onChange={noop}
              />
            </div>
            {row.getVisibleCells().map((cell) => (
              <div key={cell.id} role="cell" className={cellClass(cell.column.id)}>
                <FlexRender cell={cell} />
              </div>
            ))}
          </>
        ) : (
          <div role="cell" className="cell">
            {oneLine(session.name, 60)}
          </div>
        )}
      </div>
    );
  },
  (before, now) => (Object.keys(now) as (keyof RowProps)[]).every((name) => (name === "row" ? !before.row === !now.row : before[name] === now[name])),
);

/** The click has said it already, and whether Shift was held. */
function noop(): void {}

function cellClass(id: string): string {
  return `cell ${id}${FACTS[id].numeric ? " num" : ""}`;
}
