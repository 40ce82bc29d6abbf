/** A range of time as an address names it, the intervals in it, and what a measure changed by. */

import { grouped } from "./format";
import { INTERVAL_MS, type Interval } from "./histogram";
import { dated, type Zone } from "./time";
import type { Millis } from "./units";

const AGO = /^(\d+(?:\.\d+)?)([smhdw])$/;
const UNIT_MS: Record<string, Millis> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export interface Span {
  /** Milliseconds since 1970 UTC; null where the range has no beginning. */
  readonly from: Millis | null;
  readonly to: Millis;
}

/** The range between `since` (ISO 8601, or back from now as `24h`; none for all time) and `until`. */
export function spanOf(since: string | undefined, until: string | undefined, now: Millis): Span {
  return { from: since ? moment(since, now) : null, to: (until ? moment(until, now) : null) ?? now };
}

/** As much of some intervals as the range holds: its first one may have begun before it, its last one end after it. */
export function within(range: { since?: string; until?: string }, now: Millis, from: Millis, to: Millis): { since: string; until: string } {
  const { from: first, to: last } = spanOf(range.since, range.until, now);
  const iso = (at: Millis, text: string | undefined) => (text && !AGO.test(text.toLowerCase()) ? text : new Date(at).toISOString());
  return {
    since: first !== null && from <= first ? iso(first, range.since) : new Date(from).toISOString(),
    until: range.until && to >= last ? iso(last, range.until) : new Date(to).toISOString(),
  };
}

const UNIT_NAMES: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

/** The beginning of a range as people say it: `Last 90 minutes`, `Since 20 Nov 2026 14:02`. */
export function sinceText(since: string, zone: Zone): string {
  const [, count, unit] = AGO.exec(since.toLowerCase()) ?? [];
  if (count) return `Last ${count} ${UNIT_NAMES[unit]}${count === "1" ? "" : "s"}`;
  const at = Date.parse(since);
  return `Since ${Number.isNaN(at) ? since : dated(at * 1000, zone)}`;
}

function moment(text: string, now: Millis): Millis | null {
  const ago = AGO.exec(text.toLowerCase());
  if (ago) return now - Number(ago[1]) * UNIT_MS[ago[2]];
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** Intervals that a chart of this width of time reads well in: a few dozen to a few hundred. */
export function fittingInterval(length: Millis): Interval {
  if (length <= 3 * INTERVAL_MS.hour) return "minute";
  if (length <= 8 * INTERVAL_MS.day) return "hour";
  return length <= 200 * INTERVAL_MS.day ? "day" : "week";
}

/** Intervals that a range has too many of to draw are not offered. */
export function isDrawable(interval: Interval, length: Millis): boolean {
  return length / INTERVAL_MS[interval] <= 3_000;
}

/** The start of the interval that holds a moment, by the clock of the zone; weeks begin on Monday. */
export function startOf(at: Millis, interval: Interval, zone: Zone): Millis {
  const date = new Date(at);
  if (zone === "utc") {
    if (interval === "minute" || interval === "hour") return Math.floor(at / INTERVAL_MS[interval]) * INTERVAL_MS[interval];
    date.setUTCHours(0, 0, 0, 0);
    if (interval === "week") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return date.getTime();
  }
  if (interval === "minute") return Math.floor(at / 60_000) * 60_000;
  if (interval === "hour") {
    // An hour that the clock repeats in autumn is two hours: it is counted back, not set. Where the clock moves by half
    // an hour, the hour in which it does is a shorter or a longer one.
    const back = at - ((date.getMinutes() * 60 + date.getSeconds()) * 1000 + date.getMilliseconds());
    const moved = new Date(back).getTimezoneOffset() - date.getTimezoneOffset();
    return moved % 60 === 0 ? back : back + moved * 60_000;
  }
  if (interval === "week") date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  // After the day is chosen: of one whose midnight the clock leaves out, the hour would go along.
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** The start of the interval after the one that starts here. */
export function nextStart(start: Millis, interval: Interval, zone: Zone): Millis {
  const length = INTERVAL_MS[interval];
  if (interval === "minute" || zone === "utc") return start + length;
  if (interval === "hour") {
    const next = startOf(start + length, interval, zone);
    return next > start ? next : startOf(start + 2 * length, interval, zone);
  }
  const date = new Date(start);
  date.setDate(date.getDate() + (interval === "week" ? 7 : 1));
  // A day whose midnight the clock leaves out begins later; the next one does not.
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** The starts of all intervals of a range, empty ones included: at most 5,000. */
export function starts(from: Millis, to: Millis, interval: Interval, zone: Zone): Millis[] {
  const found: Millis[] = [];
  for (let at = startOf(from, interval, zone); at < to && found.length < 5_000; at = nextStart(at, interval, zone)) found.push(at);
  return found;
}

/** The values of a series at these starts; where it says nothing, `missing`. */
export function placed<T>(
  at: readonly Millis[],
  series: readonly { readonly at: string | null }[],
  value: (index: number) => T,
  missing: T,
): T[] {
  const places = new Map(series.map((one, index) => [one.at === null ? Number.NaN : Date.parse(one.at), index]));
  return at.map((start) => {
    const index = places.get(start);
    return index === undefined ? missing : value(index);
  });
}

/** How much a measure changed, as a share of what it was: null where that says nothing. */
export function change(now: number | null | undefined, before: number | null | undefined): number | null {
  if (now == null || before == null || before === 0) return null;
  return (now - before) / before;
}

/** `+12%`, `−4%`, `×3.4`, `×12,345` where it more than trebled; "" for no change that could be told. */
export function changed(share: number | null): string {
  if (share === null) return "";
  if (share >= 8.95) return `×${grouped(share + 1)}`;
  if (share >= 2) return `×${(share + 1).toFixed(1)}`;
  // What is left of it is not nothing.
  const points = share > -1 ? Math.max(-99, Math.round(share * 100)) : -100;
  if (points === 0) return "±0%";
  return points > 0 ? `+${points}%` : `−${-points}%`;
}

/** A share of a whole: `12%`, `1.3%`, `<0.1%`, `99.7%`; all of it is `100%`, and nothing less is. */
export function percent(share: number | null | undefined): string {
  if (share == null || !Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value === 0) return "0%";
  if (value < 0.1) return "<0.1%";
  if (value > 100 - 1e-9) return "100%";
  if (value >= 99.95) return ">99.9%";
  return `${value.toFixed(value < 9.95 || value >= 99.5 ? 1 : 0)}%`;
}
