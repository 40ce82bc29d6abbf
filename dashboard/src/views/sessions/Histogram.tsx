/** Sessions over time by state; a drag selects a range (Esc lets go of it), a double click gives it up. */

import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { serverNow } from "../../api/client";
import { live } from "../../api/live";
import { type SessionFilters, volumeQuery } from "../../api/queries";
import type { Analytics } from "../../api/types";
import { grouped, plural } from "../../model/format";
import { type Bar, bars, brushed, INTERVAL_MS, intervalFor } from "../../model/histogram";
import { STATES } from "../../model/kinds";
import { spanOf, within } from "../../model/span";
import { clock, day } from "../../model/time";
import { Pace } from "../../model/pace";
import { useEscape } from "../../ui/hooks";
import { usePreference } from "../../ui/preferences";

const HEIGHT = 58;
const REST_MS = 10_000;
/** From the ground up: what went well carries what did not. */
const STACK = ["success", "indeterminate", "fail", "running"] as const satisfies readonly (typeof STATES)[number][];

const TOLD = [
  ["fail", "failed"],
  ["indeterminate", "indeterminate"],
  ["running", "running"],
] as const;

interface Props {
  filters: SessionFilters;
  /** False while what matters more is being asked for. */
  isReady: boolean;
  onRange: (since: string | undefined, until: string | undefined) => void;
}

export function Histogram({ filters, isReady, onRange }: Props) {
  const zone = usePreference("zone");
  const range = rangeOf(filters);
  const interval = intervalFor(range.to - (range.from ?? range.to - 29 * INTERVAL_MS.day));
  const coarse = useQuery({ ...volumeQuery(filters, interval), enabled: isReady });
  // What was recorded over a day or two deserves more than a few wide bars.
  const isShort = range.isOpen && coarse.data !== undefined && extent(coarse.data) <= 48 * INTERVAL_MS.hour;
  const fine = useQuery({ ...volumeQuery(filters, "minute"), enabled: isShort });
  const { data, error, refetch } = isShort ? fine : coarse;
  const hasData = data !== undefined;
  const [brush, setBrush] = useState<{ from: number; to: number } | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useEscape(brush !== null, () => setBrush(null));
  useEffect(() => {
    const pace = new Pace(() => refetch(), REST_MS);
    const stop = live.subscribe((changed) => {
      if (changed !== null || hasData) pace.ask();
    });
    return () => {
      stop();
      pace.stop();
    };
  }, [refetch, hasData]);

  const shown = useMemo(() => {
    if (!data) return [];
    const buckets = data.series.flatMap(({ at, sessions }) => (at ? [{ at: Date.parse(at), counts: sessions }] : []));
    const first = buckets[0]?.at ?? range.to - INTERVAL_MS.hour;
    const last = (buckets.at(-1)?.at ?? first) + INTERVAL_MS[data.interval];
    // Without a lower end the bars begin with the first session, some way back at least, so that one is not a wall.
    const least = data.interval === "minute" ? INTERVAL_MS.hour : 24 * INTERVAL_MS[data.interval];
    const from = range.from ?? Math.min(first, last - least);
    return bars(buckets, from, range.isOpen ? last : range.to, data.interval);
    // The range's end moves with the clock; new bars come with new data.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [data, filters.since, filters.until]);

  const most = shown.reduce((high, bar) => Math.max(high, bar.total), 1);
  const share = (event: PointerEvent) => {
    const { left, width } = box.current!.getBoundingClientRect();
    return Math.min(0.9999, Math.max(0, (event.clientX - left) / width));
  };
  const finish = () => {
    setBrush(null);
    if (!brush || shown.length === 0) return;
    if (Math.abs(brush.to - brush.from) < 0.004) return;
    const { from, to } = brushed(shown, brush.from, brush.to);
    const chosen = within(filters, serverNow(), from, to);
    onRange(chosen.since, chosen.until);
  };
  const bar = hover === null ? undefined : shown[hover];
  return (
    <div className="histogram">
      {/* The same ranges are in the menu beside the search, for those who use no pointer. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={box}
        className="histogram-box"
        role="img"
        aria-label={`Sessions over time: ${plural(shown.reduce((sum, one) => sum + one.total, 0), "session")}`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setBrush({ from: share(event), to: share(event) });
        }}
        onPointerMove={(event) => {
          setHover(Math.floor(share(event) * shown.length));
          if (brush) setBrush({ ...brush, to: share(event) });
        }}
        onPointerUp={finish}
        onPointerCancel={() => setBrush(null)}
        onPointerLeave={() => setHover(null)}
        onDoubleClick={() => onRange(undefined, undefined)}
      >
        <svg width="100%" height={HEIGHT} viewBox={`0 0 ${Math.max(1, shown.length)} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {shown.map((one, index) => (
            <Stack key={one.from} bar={one} index={index} most={most} />
          ))}
        </svg>
        {brush && (
          <span
            className="brush"
            style={{ left: `${Math.min(brush.from, brush.to) * 100}%`, width: `${Math.abs(brush.to - brush.from) * 100}%` }}
          />
        )}
      </div>
      {error && !data && (
        <p className="histogram-failed" role="alert">
          {error.message}{" "}
          <button type="button" className="link" onClick={() => void refetch()}>
            Try again
          </button>
        </p>
      )}
      {bar && (
        <span className="histogram-tip" style={{ left: `${((hover! + 0.5) / shown.length) * 100}%` }} data-side={hover! > shown.length / 2 ? "right" : "left"}>
          {day(bar.from * 1000, zone)} {clock(bar.from * 1000, zone, 0).slice(0, 5)} · {plural(bar.total, "session")}
          {TOLD.map(([state, said]) =>
            bar.counts[state] > 0 ? (
              <span key={state} className={`said-${state}`}>
                {" "}
                · {grouped(bar.counts[state])} {said}
              </span>
            ) : null,
          )}
        </span>
      )}
    </div>
  );
}

function Stack({ bar, index, most }: { bar: Bar; index: number; most: number }) {
  let top = HEIGHT;
  return STACK.map((state) => {
    const count = bar.counts[state];
    if (count === 0) return null;
    const height = Math.max(1.5, (count / most) * (HEIGHT - 6));
    top -= height;
    return <rect key={state} className={`fill-${state}`} x={index + 0.08} width={0.84} y={top} height={height} />;
  });
}

/** From the first bucket to the last. */
function extent({ series }: Analytics): number {
  return Date.parse(series.at(-1)?.at ?? "") - Date.parse(series[0]?.at ?? "");
}

function rangeOf({ since, until }: SessionFilters): { from: number | null; to: number; isOpen: boolean } {
  return { ...spanOf(since, until, serverNow()), isOpen: !since && !until };
}
