import { expect, test } from "vitest";
import { framing, isWhole, panned, pinched, readWindow, type Scale, ticks, toTime, toX, whole, windowText, zoomed } from "./scale";

const ALL = whole(1000);
const scale = (from: number, to: number, width = 1028): Scale => ({ from, to, width, margin: 14 });

test("time and pixels are each other's inverse", () => {
  const at = scale(200, 700);
  expect(toX(at, 200)).toBe(14);
  expect(toX(at, 700)).toBe(1014);
  expect(toTime(at, toX(at, 333))).toBeCloseTo(333, 9);
});

test("zooming holds the moment under the pointer", () => {
  const before = scale(0, 1000);
  const window = zoomed(before, 0.5, 600, ALL);
  expect(window).toEqual({ from: 300, to: 800 });
  expect(toX({ ...before, ...window }, 600)).toBeCloseTo(toX(before, 600), 6);
});

test("what fingers hold stays under them", () => {
  const held = scale(200, 700);
  expect(pinched(held, [500], [400], ALL)).toEqual({ from: 250, to: 750 });
  expect(pinched(held, [500], [2000], ALL)).toEqual({ from: 0, to: 500 });
  const apart = { ...held, ...pinched(held, [414, 614], [314, 714], ALL) };
  expect(apart.to - apart.from).toBeCloseTo(250, 9);
  for (const [before, after] of [[414, 314], [614, 714]]) expect(toTime(apart, after)).toBeCloseTo(toTime(held, before), 9);
  // Fingers that meet zoom no further, and the whole is the most.
  expect(pinched(held, [414, 614], [500, 500], ALL)).toEqual(ALL);
});

test("zooming out ends at the whole, zooming in at a microsecond", () => {
  expect(zoomed({ from: 300, to: 800 }, 100, 600, ALL)).toEqual(ALL);
  const narrow = zoomed({ from: 500, to: 500.002 }, 1e-9, 500.001, ALL);
  expect(narrow.to - narrow.from).toBeCloseTo(0.001, 9);
});

test("panning stays inside and keeps the length", () => {
  expect(panned({ from: 300, to: 800 }, 10_000, ALL)).toEqual({ from: 500, to: 1000 });
  expect(panned({ from: 300, to: 800 }, -10_000, ALL)).toEqual({ from: 0, to: 500 });
});

test("a window is written to a link and read back; nonsense is none", () => {
  const window = { from: 12.3456, to: 800 };
  expect(windowText(window)).toBe("12.346-800");
  expect(readWindow("12.346-800", ALL)).toEqual({ from: 12.346, to: 800 });
  for (const text of [undefined, "", "5", "9-3", "a-b", "1e3-2e3"]) expect(readWindow(text, ALL)).toBeNull();
  expect(readWindow("900-5000", ALL)).toEqual({ from: 0, to: 1000 });
});

test("framing leaves air around an event", () => {
  const window = framing(400, 500, ALL);
  expect(window.from).toBeCloseTo(385);
  expect(window.to).toBeCloseTo(515);
});

test("a session without length still has a window", () => {
  expect(whole(0)).toEqual({ from: 0, to: 1 });
  expect(isWhole({ from: 0, to: 1000 }, ALL)).toBe(true);
  expect(isWhole({ from: 0, to: 999 }, ALL)).toBe(false);
});

test("marks stand on round numbers, at least so far apart, on view", () => {
  const marks = ticks(scale(0, 48_200), 90);
  expect(marks.map((mark) => mark.at)).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000]);
  for (const span of [0.01, 3, 70, 9_999, 1e6, 1e9, 1e11]) {
    const found = ticks(scale(0, span), 90);
    expect(found.length).toBeGreaterThan(0);
    for (let index = 1; index < found.length; index++) expect(found[index].x - found[index - 1].x).toBeGreaterThanOrEqual(89.9);
  }
});

test("clock marks stand on the clock's round numbers", () => {
  const origin = ((14 * 60 + 2) * 60 + 11.482) * 1000;
  const [first] = ticks(scale(0, 48_200), 90, origin);
  expect((first.at + origin) % 5000).toBeCloseTo(0, 6);
});

test("a link to the narrowest zoom is one wherever it is", () => {
  for (const from of [0, 0.0004, 0.0005, 999.9995, 1000, 1000.0005, 2_591_999_000.0005]) {
    const all = whole(2_592_000_000);
    const window = readWindow(windowText(zoomed({ from, to: from + 1 }, 1e-9, from, all)), all);
    expect(window && window.to - window.from).toBeCloseTo(0.001, 5);
  }
});
