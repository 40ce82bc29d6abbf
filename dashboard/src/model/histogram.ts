/** Sessions over time as bars: which width to ask the server for, and its buckets gathered into few enough bars. */

import { STATES, type State } from "./kinds";
import type { Millis } from "./units";

export type Interval = "minute" | "hour" | "day" | "week";

export const INTERVAL_MS: Record<Interval, Millis> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

const MOST_BARS = 170;

/** The finest interval that covers a range in a bearable number of buckets. */
export function intervalFor(range: Millis): Interval {
  if (range <= 6 * INTERVAL_MS.hour) return "minute";
  if (range <= 30 * INTERVAL_MS.day) return "hour";
  return range <= 3 * 365 * INTERVAL_MS.day ? "day" : "week";
}

export interface Bucket {
  /** Milliseconds since 1970 UTC at which the bucket begins. */
  readonly at: Millis;
  readonly counts: Readonly<Partial<Record<State, number | null>>>;
}

export interface Bar {
  readonly from: Millis;
  readonly to: Millis;
  readonly counts: Record<State, number>;
  readonly total: number;
}

/** Bars of one width from `from` to `to`, each holding whole buckets; empty ones included. */
export function bars(buckets: readonly Bucket[], from: Millis, to: Millis, interval: Interval): Bar[] {
  const step = INTERVAL_MS[interval];
  // As the server's, weeks begin on Monday; 1970 began on a Thursday.
  const first = interval === "week" ? 4 * INTERVAL_MS.day : 0;
  const start = Math.floor((from - first) / step) * step + first;
  const each = step * Math.max(1, Math.ceil((to - start) / step / MOST_BARS));
  const count = Math.max(1, Math.ceil((to - start) / each));
  const found = Array.from({ length: count }, (_, index) => ({
    from: start + index * each,
    to: start + (index + 1) * each,
    counts: { running: 0, success: 0, fail: 0, indeterminate: 0 } as Record<State, number>,
    total: 0,
  }));
  for (const { at, counts } of buckets) {
    const bar = found[Math.floor((at - start) / each)];
    if (!bar) continue;
    for (const state of STATES) {
      bar.counts[state] += counts[state] ?? 0;
      bar.total += counts[state] ?? 0;
    }
  }
  return found;
}

/** The bars that a drag from one share of the width to another covers, at least one. */
export function brushed(all: readonly Bar[], a: number, b: number): { from: Millis; to: Millis } {
  const index = (share: number) => Math.min(all.length - 1, Math.max(0, Math.floor(share * all.length)));
  const [left, right] = [index(Math.min(a, b)), index(Math.max(a, b))];
  return { from: all[left].from, to: all[right].to };
}
