import { expect, test } from "vitest";
import { bars, brushed, intervalFor } from "./histogram";

const HOUR = 3_600_000;
const bucket = (hour: number, success: number, fail = 0) => ({
  at: hour * HOUR,
  counts: { running: 0, success, fail, indeterminate: 0 },
});

test("the interval fits the range", () => {
  expect([HOUR, 24 * HOUR, 40 * 24 * HOUR, 2000 * 24 * HOUR].map(intervalFor)).toEqual(["minute", "hour", "day", "week"]);
});

test("every bucket lands in one bar, gaps stay empty", () => {
  const found = bars([bucket(10, 3, 1), bucket(12, 2)], 10 * HOUR, 13 * HOUR, "hour");
  expect(found.map((bar) => [bar.from / HOUR, bar.counts.success, bar.counts.fail, bar.total])).toEqual([
    [10, 3, 1, 4],
    [11, 0, 0, 0],
    [12, 2, 0, 2],
  ]);
});

test("many buckets are gathered into bars without losing a session", () => {
  const buckets = Array.from({ length: 1000 }, (_, hour) => bucket(hour, 1));
  const found = bars(buckets, 0, 1000 * HOUR, "hour");
  expect(found.length).toBeLessThanOrEqual(170);
  expect(found.reduce((sum, bar) => sum + bar.total, 0)).toBe(1000);
});

test("a week's bar holds what its bucket does", () => {
  const monday = Date.UTC(2026, 10, 16);
  const [bar] = bars([{ at: monday, counts: { success: 3 } }], Date.UTC(2026, 10, 20), Date.UTC(2026, 10, 22), "week");
  expect([bar.from, bar.to, bar.total]).toEqual([monday, Date.UTC(2026, 10, 23), 3]);
});

test("a drag covers whole bars, in either direction", () => {
  const all = bars([], 0, 10 * HOUR, "hour");
  expect(brushed(all, 0.25, 0.55)).toEqual({ from: 2 * HOUR, to: 6 * HOUR });
  expect(brushed(all, 0.55, 0.25)).toEqual({ from: 2 * HOUR, to: 6 * HOUR });
  expect(brushed(all, 0.99, 5)).toEqual({ from: 9 * HOUR, to: 10 * HOUR });
});
