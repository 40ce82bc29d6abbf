import { expect, test } from "vitest";
import { COUNTED, durationMark, MEASURED, percentMarks, rulerMark, TIMED } from "./marks";

test("steps are 1, 2, 5, and for durations those of a clock", () => {
  expect(COUNTED.slice(0, 5)).toEqual([1, 2, 5, 10, 20]);
  expect(MEASURED).toContain(0.002);
  expect(TIMED.filter((step) => step >= 200 && step < 3_600_000)).toEqual([
    200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000,
  ]);
  expect(TIMED.toSorted((a, b) => a - b)).toEqual(TIMED);
});

test("marks of durations say what they are and no more", () => {
  const marks = [0, 0.5, 20, 500, 1_000, 1_500, 30_000, 60_000, 90_000, 600_000, 3_600_000, 2 * 86_400_000];
  expect(marks.map(durationMark)).toEqual(["0", "0.5 ms", "20 ms", "500 ms", "1 s", "1.5 s", "30 s", "1 min", "1m 30s", "10 min", "1 h", "2 d"]);
});

test("marks of shares have the decimals of their step", () => {
  expect(percentMarks([0, 0.1, 0.2])).toEqual(["0%", "10%", "20%"]);
  expect(percentMarks([0, 0.005, 0.01])).toEqual(["0.0%", "0.5%", "1.0%"]);
  expect(percentMarks([0, 0.02])).toEqual(["0%", "2%"]);
  expect(percentMarks([0])).toEqual(["0%"]);
});

test("marks of a ruler are as exact as their step, however late they are", () => {
  const marks = (from: number, step: number) => [0, 1, 2].map((at) => rulerMark(from + at * step, step));
  expect(marks(0, 5_000)).toEqual(["0", "5 s", "10 s"]);
  expect(marks(0, 500)).toEqual(["0", "500 ms", "1000 ms"]);
  expect(marks(0.5, 0.05)).toEqual(["0.50 ms", "0.55 ms", "0.60 ms"]);
  expect(marks(19_868, 2)).toEqual(["19.868 s", "19.870 s", "19.872 s"]);
  expect(marks(0, 600_000)).toEqual(["0", "10m 00s", "20m 00s"]);
  expect(marks(3_300_000, 300_000)).toEqual(["55m 00s", "1h 00m", "1h 05m"]);
  expect(marks(3_995_000, 5_000)).toEqual(["1h 06m 35s", "1h 06m 40s", "1h 06m 45s"]);
  expect(marks(1_192_345.5, 0.5)).toEqual(["19m 52.3455s", "19m 52.3460s", "19m 52.3465s"]);
  expect(marks(2.5 * 86_400_000, 1_800_000)).toEqual(["2d 12h 00m", "2d 12h 30m", "2d 13h 00m"]);
  expect(rulerMark(59_999.7, 500)).toBe("1m 00.0s");
  expect(rulerMark(-5_000, 5_000)).toBe("-5 s");
});
