/**
 * The waterfall. Two canvases: a strip (the whole in small, the ruler) and the rows, which scroll under it.
 * What changes with every frame (window, hover, scroll) lives in refs and is painted, not rendered.
 */

import { type MouseEvent, type PointerEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { serverNow } from "../../api/client";
import { forgetWidths, sharpContext } from "../../draw/canvas";
import { type Palette, readPalette } from "../../draw/palette";
import { paintRows } from "../../draw/rows";
import { gapText, OVERVIEW_HEIGHT, overviewBitmap, paintStrip, STRIP_HEIGHT } from "../../draw/strip";
import { positionAt, positionInside, ROW_HEIGHT, scrollFor } from "../../layout/bars";
import { overview } from "../../layout/overview";
import {
  framing,
  isWhole,
  panned,
  readWindow,
  type Scale,
  toTime,
  toX,
  whole,
  type TimeWindow,
  windowText,
  zoomed,
} from "../../layout/scale";
import { duration, plural } from "../../model/format";
import { rulerMark } from "../../model/marks";
import type { Gap } from "../../model/gaps";
import { type Rows, positionOf } from "../../model/outline";
import { endOf, type EventTable, STATUS_RUNNING } from "../../model/table";
import { clock } from "../../model/time";
import type { EpochMicros, Millis } from "../../model/units";
import { useSize } from "../../ui/hooks";
import { useKeys } from "../../ui/keys";
import { isOnPaper, usePreference, useShownTheme } from "../../ui/preferences";
import { useFingers } from "./fingers";
import { HoverCard } from "./HoverCard";
import { RowList } from "./RowList";

interface Props {
  table: EventTable;
  base: EpochMicros;
  rows: Rows;
  marks: Uint8Array | null;
  gaps: readonly Gap[];
  selectedRow: number;
  onSelect: (id: string | undefined) => void;
  isRunning: boolean;
  sessionEnd: Millis | null;
  zoom: string | undefined;
  ruler: "clock" | undefined;
  onZoom: (zoom: string | undefined) => void;
}

const MARGIN = 14;
const DRAG_FROM = 4;
const ADDRESS_REST_MS = 250;

export function Timeline(props: Props) {
  const { table, base, rows, marks, gaps: found, selectedRow, onSelect, isRunning, sessionEnd, ruler } = props;
  const zone = usePreference("zone");
  const wheel = usePreference("wheel");
  const theme = useShownTheme();
  const [frame, size] = useSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const strip = useRef<HTMLCanvasElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ row: number; x: number; y: number } | null>(null);
  const [announced, setAnnounced] = useState({ scrollTop: 0 });
  const width = size.width;
  const height = Math.max(0, size.height - STRIP_HEIGHT);

  const now = useCallback(
    () => (isRunning ? Math.max(table.end, (serverNow() * 1000 - base) / 1000) : Math.max(table.end, sessionEnd ?? 0)),
    [isRunning, table, base, sessionEnd],
  );
  const bounds = useCallback((): TimeWindow => whole(now()), [now]);

  // The window on view; null follows the whole session as it grows.
  const view = useRef<TimeWindow | null>(readWindow(props.zoom, bounds()));
  const palette = useRef<Palette | null>(null);
  const bitmap = useRef<HTMLCanvasElement | null>(null);
  const bitmapEnd = useRef(0);
  const hovered = useRef(-1);
  const pending = useRef(0);

  const scaleNow = useCallback((): Scale => ({ ...(view.current ?? bounds()), width, margin: MARGIN }), [bounds, width]);

  const paint = useCallback(() => {
    pending.current = 0;
    if (width === 0 || !canvas.current || !strip.current) return;
    palette.current ??= readPalette();
    const scale = scaleNow();
    const step = { tickOrigin: 0 };
    if (ruler === "clock") {
      const at = new Date(base / 1000);
      step.tickOrigin =
        zone === "utc"
          ? at.getUTCHours() * 3.6e6 + at.getUTCMinutes() * 6e4 + at.getUTCSeconds() * 1e3 + (base / 1000) % 1e3
          : at.getHours() * 3.6e6 + at.getMinutes() * 6e4 + at.getSeconds() * 1e3 + (base / 1000) % 1e3;
    }
    const top = sharpContext(strip.current, width, STRIP_HEIGHT);
    if (top) {
      paintStrip(top, {
        scale,
        bounds: bounds(),
        bitmap: bitmap.current,
        bitmapEnd: bitmapEnd.current,
        palette: palette.current,
        gaps: found,
        ...step,
        tickText: (at, every) =>
          ruler === "clock"
            ? clock(base + at * 1000, zone, every >= 1000 ? 0 : every >= 1 ? 3 : 6)
            : rulerMark(at, every),
      });
    }
    const main = sharpContext(canvas.current, width, height);
    if (main) {
      paintRows(main, {
        table,
        rows,
        scale,
        height,
        scrollTop: scroller.current?.scrollTop ?? 0,
        now: now(),
        palette: palette.current,
        selected: selectedRow,
        hovered: hovered.current,
        marks,
        gaps: found,
        ...step,
      });
      if (rows.length > 0 && frame.current) frame.current.dataset.painted = "";
    }
  }, [table, rows, marks, selectedRow, base, ruler, zone, width, height, bounds, now, scaleNow, found, frame]);

  const latest = useRef(paint);
  const request = useCallback(() => {
    if (isOnPaper()) latest.current();
    else if (pending.current === 0) pending.current = requestAnimationFrame(() => latest.current());
  }, []);
  useLayoutEffect(() => {
    latest.current = paint;
    request();
  }, [paint, request]);
  useEffect(() => () => cancelAnimationFrame(pending.current), []);

  useLayoutEffect(() => {
    palette.current = null;
    bitmap.current = null;
    request();
  }, [theme, request]);
  useEffect(() => {
    void document.fonts?.ready.then(() => {
      forgetWidths();
      request();
    });
  }, [request]);

  // The overview is drawn anew when events arrive, and while they grow now and then, not with every frame.
  const drawOverview = useCallback(() => {
    if (width === 0) return;
    palette.current ??= readPalette();
    const end = bounds().to;
    const raster = overview(table, end, now(), Math.max(1, Math.round(width - 2 * MARGIN)), OVERVIEW_HEIGHT - 8);
    bitmap.current = overviewBitmap(raster, palette.current);
    bitmapEnd.current = end;
    request();
  }, [table, width, bounds, now, request]);
  useEffect(drawOverview, [drawOverview, theme]);

  // Running events grow.
  const hasRunning = useMemo(() => isRunning && table.statuses.includes(STATUS_RUNNING), [isRunning, table]);
  useEffect(() => {
    if (!hasRunning) return;
    const frames = setInterval(request, 100);
    const overviews = setInterval(drawOverview, 1000);
    return () => {
      clearInterval(frames);
      clearInterval(overviews);
    };
  }, [hasRunning, request, drawOverview]);

  // The address follows the window once it rests; a window from the address (back, a link) is taken over.
  const written = useRef(props.zoom);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const { onZoom } = props;
  const follow = useCallback(
    (shown: TimeWindow) => {
      const element = scroller.current;
      if (!element) return;
      const position = positionInside(table, rows, shown, element.scrollTop, element.clientHeight, now());
      if (position >= 0) element.scrollTop = Math.max(0, (position - 2) * ROW_HEIGHT);
    },
    [table, rows, now],
  );
  const show = useCallback(
    (next: TimeWindow, isFollowed = true) => {
      const all = bounds();
      view.current = isWhole(next, all) ? null : next;
      if (isFollowed && view.current) follow(next);
      request();
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        written.current = view.current ? windowText(view.current) : undefined;
        onZoom(written.current);
      }, ADDRESS_REST_MS);
    },
    [bounds, request, onZoom, follow],
  );
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (props.zoom === written.current) return;
    written.current = props.zoom;
    view.current = readWindow(props.zoom, bounds());
    if (view.current) follow(view.current);
    request();
  }, [props.zoom, bounds, request, follow]);
  // A link into the middle shows what is there, once there is room to.
  const isOpen = useRef(false);
  useEffect(() => {
    if (isOpen.current || height === 0 || rows.length === 0) return;
    isOpen.current = true;
    if (view.current && selectedRow < 0) follow(view.current);
  }, [height, rows, selectedRow, follow]);

  // The selection is brought on view when it moves, not when the reader scrolls away from it or news arrives.
  const selectedId = selectedRow >= 0 ? table.ids.at(selectedRow) : undefined;
  const shownFor = useRef<string | undefined>(undefined);
  useEffect(() => {
    const element = scroller.current;
    if (!element || height === 0 || selectedId === shownFor.current) return;
    shownFor.current = selectedId;
    const position = selectedRow < 0 ? -1 : positionOf(rows, selectedRow);
    if (position < 0) return;
    element.scrollTop = scrollFor(position, element.scrollTop, height);
    const window = view.current;
    const start = table.starts[selectedRow];
    if (window && (start > window.to || endOf(table, selectedRow, now()) < window.from)) {
      const length = window.to - window.from;
      show(panned({ from: start - length / 4, to: start + (length * 3) / 4 }, 0, bounds()), false);
    }
  }, [selectedId, selectedRow, rows, height, table, now, show, bounds]);

  const zoomBy = useCallback(
    (factor: number, x: number) => {
      const scale = scaleNow();
      show(zoomed(scale, factor, toTime(scale, x), bounds()));
    },
    [scaleNow, show, bounds],
  );
  const panBy = useCallback(
    (share: number) => {
      const scale = scaleNow();
      show(panned(scale, (scale.to - scale.from) * share, bounds()));
    },
    [scaleNow, show, bounds],
  );

  // React listens passively to wheels; zooming must keep the page still.
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      const unit = event.deltaMode === 1 ? 16 : 1;
      const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
      const zooms = event.ctrlKey || event.metaKey || (wheel === "zoom" && !event.shiftKey);
      event.preventDefault();
      const area = canvas.current!.clientWidth - 2 * MARGIN;
      if (Math.abs(dx) > Math.abs(dy) && !event.shiftKey) panBy(dx / area);
      else if (zooms) zoomBy(Math.exp(dy * (event.ctrlKey ? 0.01 : 0.0022)), event.clientX - element.getBoundingClientRect().left);
      else if (scroller.current) scroller.current.scrollTop += dy || dx;
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [frame, panBy, zoomBy, wheel]);

  const frameRow = (row: number) => {
    if (row >= 0) show(framing(table.starts[row], endOf(table, row, now()), bounds()));
  };
  const pointerX = useRef<number | null>(null);
  /** What the keys zoom towards: the pointer, else the selected event, else the middle. */
  const centre = () => {
    if (pointerX.current !== null) return pointerX.current;
    if (selectedRow < 0) return width / 2;
    const scale = scaleNow();
    const middle = toX(scale, (table.starts[selectedRow] + endOf(table, selectedRow, now())) / 2);
    return middle >= 0 && middle <= width ? middle : width / 2;
  };
  useKeys("Timeline", [
    { keys: "w", does: "Zoom in", run: () => zoomBy(1 / 1.4, centre()) },
    { keys: "s", does: "Zoom out", run: () => zoomBy(1.4, centre()) },
    { keys: "a", does: "Earlier", run: () => panBy(-0.15) },
    { keys: "d", does: "Later", run: () => panBy(0.15) },
    { keys: "f", does: "Fill the view with the selected event", run: () => frameRow(selectedRow) },
    { keys: "0", does: "Show the whole session", run: () => show(bounds()) },
  ]);

  const drag = useRef<{ x: number; y: number; top: number; window: TimeWindow; moved: boolean } | null>(null);
  const at = (event: PointerEvent | MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const rowAt = (y: number) => {
    const position = positionAt(rows.length, scroller.current?.scrollTop ?? 0, y);
    return position < 0 ? -1 : rows[position];
  };
  const onMove = (event: PointerEvent) => {
    const { x, y } = at(event);
    pointerX.current = x;
    const from = drag.current;
    if (from && event.buttons === 1) {
      const dx = event.clientX - from.x;
      const dy = event.clientY - from.y;
      if (!from.moved && Math.hypot(dx, dy) < DRAG_FROM) return;
      if (!from.moved) event.currentTarget.setPointerCapture(event.pointerId);
      from.moved = true;
      const length = from.window.to - from.window.from;
      show(panned(from.window, (-dx / (width - 2 * MARGIN)) * length, bounds()), false);
      if (scroller.current) scroller.current.scrollTop = from.top - dy;
      setHover(null);
      return;
    }
    const row = rowAt(y);
    if (row !== hovered.current) {
      hovered.current = row;
      request();
    }
    setHover(row < 0 || event.pointerType === "touch" ? null : { row, x, y });
  };
  const fingers = useFingers(scaleNow, bounds, (next) => show(next, false));
  const leave = () => {
    pointerX.current = null;
    hovered.current = -1;
    setHover(null);
    request();
  };

  return (
    <div className="timeline" ref={frame} data-window={props.zoom ?? "whole"} data-rows={rows.length}>
      <canvas
        ref={strip}
        className="strip"
        style={{ height: STRIP_HEIGHT }}
        aria-hidden="true"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          stripTo(event, width, scaleNow(), bounds(), show);
        }}
        onPointerMove={(event) => event.buttons === 1 && stripTo(event, width, scaleNow(), bounds(), show)}
        onDoubleClick={() => show(bounds())}
      />
      {/* It scrolls: who has no pointer comes here by Tab, and walks with the arrows. */}
      <div
        className="timeline-rows"
        role="group"
        aria-label="Timeline"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        ref={scroller}
        onScroll={() => {
          request();
          setHover(null);
          setAnnounced({ scrollTop: scroller.current?.scrollTop ?? 0 });
        }}
      >
        <div style={{ height: Math.max(rows.length * ROW_HEIGHT + ROW_HEIGHT, 1) }}>
          <canvas
            ref={canvas}
            className="timeline-canvas"
            style={{ height }}
            aria-hidden="true"
            onPointerDown={(event) => {
              if (event.button !== 0 || event.pointerType === "touch") return;
              drag.current = {
                x: event.clientX,
                y: event.clientY,
                top: scroller.current?.scrollTop ?? 0,
                window: scaleNow(),
                moved: false,
              };
            }}
            {...fingers}
            onPointerMove={onMove}
            onPointerLeave={leave}
            onClick={(event) => {
              const moved = drag.current?.moved;
              drag.current = null;
              if (moved) return;
              const row = rowAt(at(event).y);
              onSelect(row < 0 ? undefined : table.ids.at(row));
            }}
            onDoubleClick={(event) => frameRow(rowAt(at(event).y))}
          />
        </div>
      </div>
      {hover && hover.row < table.count && (
        <HoverCard
          table={table}
          row={hover.row}
          base={base}
          now={now()}
          x={hover.x}
          y={hover.y + STRIP_HEIGHT}
          width={width}
          height={size.height}
          idle={gapText(found, toTime(scaleNow(), hover.x))}
        />
      )}
      <RowList table={table} rows={rows} selectedRow={selectedRow} scrollTop={announced.scrollTop} height={height} onSelect={onSelect} />
      {rows.length === 0 && (
        <p className="empty dim timeline-empty">
          {table.count > 0 ? "Every kind is hidden." : isRunning ? "No events yet." : "This session recorded no events."}
        </p>
      )}
      <p className="sr-only" role="status">
        {plural(rows.length, "event")} over {duration(bounds().to)}
      </p>
    </div>
  );
}

/** A press on the strip centres the window there; with everything on view it shows the tenth around it. */
function stripTo(event: PointerEvent, width: number, view: Scale, all: TimeWindow, show: (window: TimeWindow) => void): void {
  const box = event.currentTarget.getBoundingClientRect();
  if (event.clientY - box.top > OVERVIEW_HEIGHT && event.type === "pointerdown") return;
  const at = toTime({ ...all, width, margin: MARGIN }, event.clientX - box.left);
  const full = all.to - all.from;
  const length = isWhole(view, all) ? full / 10 : view.to - view.from;
  show(panned({ from: at - length / 2, to: at + length / 2 }, 0, all));
}
