/** Time to pixels and back: the window a timeline shows, how it zooms and pans, and where its ruler is marked. */

import type { Millis, Pixels } from "../model/units";

/** The part of the session on view, milliseconds after its start. Always `from < to`. */
export interface TimeWindow {
  readonly from: Millis;
  readonly to: Millis;
}

/** No zoom shows less than a microsecond: nothing recorded is finer. */
const NARROWEST: Millis = 0.001;

export interface Scale extends TimeWindow {
  readonly width: Pixels;
  /** Space left of `from` and right of `to`, so that first and last bars do not touch the edges. */
  readonly margin: Pixels;
}

export function toX(scale: Scale, at: Millis): Pixels {
  return scale.margin + ((at - scale.from) / (scale.to - scale.from)) * (scale.width - 2 * scale.margin);
}

export function toTime(scale: Scale, x: Pixels): Millis {
  return scale.from + ((x - scale.margin) / (scale.width - 2 * scale.margin)) * (scale.to - scale.from);
}

/** The window over everything: from the start to the end, never empty. */
export function whole(end: Millis): TimeWindow {
  return { from: 0, to: Math.max(end, 1) };
}

/** Zoom by `factor` (below 1 shows less) holding the moment `at` where it is, inside the bounds. */
export function zoomed(shown: TimeWindow, factor: number, at: Millis, bounds: TimeWindow): TimeWindow {
  const full = bounds.to - bounds.from;
  const length = Math.min(full, Math.max(NARROWEST, (shown.to - shown.from) * factor));
  const share = (at - shown.from) / (shown.to - shown.from);
  return within({ from: at - share * length, to: at - share * length + length }, bounds);
}

export function panned(shown: TimeWindow, by: Millis, bounds: TimeWindow): TimeWindow {
  return within({ from: shown.from + by, to: shown.to + by }, bounds);
}

/** Fingers closer than this zoom no further: a hair between them is no measure. */
const CLOSEST: Pixels = 24;

/** What one or two fingers leave of a window that they held: what was under them stays there, as far as the bounds let it. */
export function pinched(held: Scale, before: readonly Pixels[], now: readonly Pixels[], bounds: TimeWindow): TimeWindow {
  const apart = (at: readonly Pixels[]) => Math.max(CLOSEST, Math.abs((at[1] ?? at[0]) - at[0]));
  const middle = (at: readonly Pixels[]) => (at[0] + (at[1] ?? at[0])) / 2;
  const under = toTime(held, middle(before));
  const next = zoomed(held, apart(before) / apart(now), under, bounds);
  return panned(next, under - toTime({ ...held, ...next }, middle(now)), bounds);
}

/** Move a window inside the bounds, keeping its length when it fits. */
export function within(shown: TimeWindow, bounds: TimeWindow): TimeWindow {
  const length = Math.min(shown.to - shown.from, bounds.to - bounds.from);
  const from = Math.min(Math.max(shown.from, bounds.from), bounds.to - length);
  return { from, to: from + length };
}

/** Whether a window shows everything: such a view follows a session as it grows. */
export function isWhole(shown: TimeWindow, bounds: TimeWindow): boolean {
  return shown.from <= bounds.from && shown.to >= bounds.to;
}

/** Frame a stretch of time with some air around it. */
export function framing(from: Millis, to: Millis, bounds: TimeWindow): TimeWindow {
  const air = Math.max((to - from) * 0.15, NARROWEST * 10);
  return within({ from: from - air, to: to + air }, bounds);
}

/** Written `1200-3400` in a link, in milliseconds with at most three decimals. */
export function windowText(shown: TimeWindow): string {
  const [from, to] = [short(shown.from), short(shown.to)];
  // The narrowest may be rounded to one moment.
  return `${from}-${to > from ? to : short(from + NARROWEST)}`;
}

export function readWindow(text: string | undefined, bounds: TimeWindow): TimeWindow | null {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? "");
  if (!match) return null;
  const from = Number(match[1]);
  const to = Number(match[2]);
  // A microsecond late in a session is a little less in binary fractions.
  return to - from > NARROWEST / 2 ? within({ from, to }, bounds) : null;
}

function short(ms: Millis): Millis {
  return Number(ms.toFixed(3));
}

export interface Tick {
  readonly at: Millis;
  readonly x: Pixels;
}

/** Steps people count in: decades below a second, then the clock's. */
const STEPS: readonly Millis[] = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000,
  15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000,
  43_200_000, 86_400_000,
];

/** The step of a ruler whose marks stand at least `apart` pixels from each other. */
export function tickStep(scale: Scale, apart: Pixels): Millis {
  const least = ((scale.to - scale.from) / Math.max(1, scale.width - 2 * scale.margin)) * apart;
  const step = STEPS.find((candidate) => candidate >= least);
  if (step !== undefined) return step;
  const days = 86_400_000;
  return Math.ceil(least / days) * days;
}

/** The ruler's marks. `origin` aligns them to a clock (milliseconds of the day at the session's start). */
export function ticks(scale: Scale, apart: Pixels, origin: Millis = 0): Tick[] {
  const step = tickStep(scale, apart);
  const marks: Tick[] = [];
  const first = Math.ceil((toTime(scale, 0) + origin) / step) * step - origin;
  const last = toTime(scale, scale.width);
  for (let index = 0; index < 400; index++) {
    const at = first + index * step;
    if (at > last) break;
    marks.push({ at, x: toX(scale, at) });
  }
  return marks;
}
