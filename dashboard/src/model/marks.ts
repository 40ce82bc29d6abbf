/** What stands beside the axis of a chart: which steps it is divided by, and how its marks are told. */

import { duration } from "./format";
import type { Millis } from "./units";

/** 1, 2, 5 and what follows them from one power of ten to another. */
function decades(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, power) => [1, 2, 5].map((step) => Number(`${step}e${from + power}`))).flat();
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps of counts: nothing stands between two of them. */
export const COUNTED = decades(0, 15);
/** Steps of amounts and shares. */
export const MEASURED = decades(-9, 15);
/** Steps of durations, as a clock is divided. */
export const TIMED: readonly Millis[] = [
  ...decades(-4, 3),
  ...[1, 2, 5, 10, 20, 30].map((step) => step * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((step) => step * MINUTE),
  ...[1, 2, 6, 12].map((step) => step * HOUR),
  ...decades(0, 5).map((step) => step * DAY),
];

/** `0`, `500 ms`, `1 s`, `1.5 s`, `2 min`, `1 h`: never more than a mark needs, minutes and hours that are no whole ones as ever. */
export function durationMark(ms: Millis): string {
  if (ms === 0) return "0";
  if (ms >= DAY && ms % DAY === 0) return `${ms / DAY} d`;
  if (ms >= HOUR && ms % HOUR === 0) return `${ms / HOUR} h`;
  if (ms >= MINUTE && ms % MINUTE === 0) return `${ms / MINUTE} min`;
  if (ms >= SECOND && ms < MINUTE) return `${Number((ms / SECOND).toFixed(3))} s`;
  if (ms >= 0.1 && ms < SECOND) return `${Number(ms.toFixed(1))} ms`;
  return duration(ms);
}

/** `0%`, `2.5%`, `12%`: with the decimals that the step between them needs. */
export function percentMarks(shares: readonly number[]): string[] {
  const step = Math.abs((shares[1] ?? 0) - (shares[0] ?? 0)) * 100;
  const decimals = step === 0 ? 0 : Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return shares.map((share) => `${(share * 100).toFixed(decimals)}%`);
}

/** A mark of a ruler, `step` after the one before: `2 s`, `7m 27s`, `1h 05m 27.5s`, as exact as the step, so that no two are alike. */
export function rulerMark(ms: Millis, step: Millis): string {
  if (Math.abs(ms) < step / 1000) return "0";
  const sign = ms < 0 ? "-" : "";
  const decimals = step >= SECOND ? 0 : Math.ceil(3 - Math.log10(step) - 1e-9);
  if (step < SECOND && Math.abs(ms) < 10 * SECOND) return `${ms.toFixed(Math.max(0, decimals - 3))} ms`;
  const parts = 10 ** decimals;
  const all = Math.round((Math.abs(ms) / SECOND) * parts);
  if (all < 60 * parts) return `${sign}${(all / parts).toFixed(decimals)} s`;
  const minutes = Math.floor(all / (60 * parts));
  const seconds = ((all % (60 * parts)) / parts).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, "0");
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const told = [days > 0 ? `${days}d` : "", minutes >= 60 ? `${hours}h` : "", `${two(minutes % 60, minutes >= 60)}m`];
  if (step < MINUTE || minutes < 60) told.push(`${seconds}s`);
  return sign + told.filter(Boolean).join(" ");
}

function two(value: number, isPadded: boolean): string {
  return isPadded ? String(value).padStart(2, "0") : String(value);
}
