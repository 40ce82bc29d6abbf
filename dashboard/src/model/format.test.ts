import { expect, test } from "vitest";
import { bytes, compact, count, duration, stopwatch, usd, usdMarks } from "./format";

test.each([
  [null, "–"],
  [0, "0 ms"],
  [0.000001, "<1 µs"],
  [0.004, "4 µs"],
  [0.4, "0.4 ms"],
  [5, "5 ms"],
  [184.4, "184 ms"],
  [999.6, "1.00 s"],
  [2314, "2.31 s"],
  [9_996, "10.0 s"],
  [48_200, "48.2 s"],
  [59_960, "1m 00s"],
  [447_000, "7m 27s"],
  [3_599_600, "1h 00m"],
  [7_500_000, "2h 05m"],
  [200 * 3_600_000, "8d 8h"],
])("duration %s is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [null, "–"],
  [0, "$0.00"],
  [0.0384, "$0.0384"],
  [0.000348, "$0.000348"],
  [1.5, "$1.50"],
  [0.99996, "$1.00"],
  [99.999, "$100"],
  [0.0009999999, "$0.0010"],
  [178.2, "$178"],
  [1e-9, "<$0.000001"],
])("cost %s is %s: unknown is never zero", (value, text) => {
  expect(usd(value)).toBe(text);
});

test("costs beside an axis have the decimals of their step", () => {
  expect(usdMarks([0, 0.25, 0.5])).toEqual(["$0.00", "$0.25", "$0.50"]);
  expect(usdMarks([0, 0.0025])).toEqual(["$0.0000", "$0.0025"]);
  expect(usdMarks([0, 0.2, 0.4])).toEqual(["$0.00", "$0.20", "$0.40"]);
  expect(usdMarks([0, 500, 1000])).toEqual(["$0", "$500", "$1,000"]);
});

test("counts, sizes and stopwatches", () => {
  expect([count(null), count(8891), count(41_234), count(53_420_000), count(1_010_810_000)]).toEqual(["–", "8,891", "41.2k", "53.42M", "1.01B"]);
  expect([compact(912), compact(2591), compact(23_279), compact(2_500_000)]).toEqual(["912", "2.6k", "23k", "2.5M"]);
  expect([bytes(512), bytes(14_000), bytes(5_000_000)]).toEqual(["512 B", "14 kB", "5.0 MB"]);
  expect([stopwatch(57_400), stopwatch(723_000), stopwatch(3_723_000)]).toEqual(["0:57", "12:03", "1:02:03"]);
});
