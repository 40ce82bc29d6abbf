import { expect, test } from "vitest";
import { shownRows } from "../model/outline";
import { SMALL, tableOf } from "../model/tables.fixture";
import { barOf, guides, indentOf, placeLabel, positionAt, positionInside, scrollFor, visibleSpan } from "./bars";
import type { Scale } from "./scale";

const table = tableOf(SMALL);
const rows = shownRows(table, { closed: new Set(), hidden: new Set() });
const scale = (from: number, to: number): Scale => ({ from, to, width: 1028, margin: 14 });
const row = (id: string) => table.ids.rowOf(id);

test("a bar spans its event", () => {
  expect(barOf(table, row("call1"), scale(0, 100), 0)).toEqual({ x: 34, width: 200, visible: true });
});

test("a bar is never thinner than two pixels, nor wider than the view when zoomed far in", () => {
  const thin = barOf(table, row("tool"), scale(0, 1e6), 0);
  expect(thin.width).toBeCloseTo(2);
  const wide = barOf(table, row("work"), scale(50, 50.001), 0);
  expect(wide).toEqual({ x: -8, width: 1044, visible: true });
});

test("a bar outside the window is not visible", () => {
  expect(barOf(table, row("call1"), scale(50, 100), 0).visible).toBe(false);
});

test("only rows on view are touched", () => {
  expect(visibleSpan(50_000, 22_000, 440)).toEqual({ first: 1000, last: 1020 });
  expect(visibleSpan(3, 0, 440)).toEqual({ first: 0, last: 3 });
  expect(visibleSpan(0, 0, 440)).toEqual({ first: 0, last: 0 });
  expect(visibleSpan(10, 99_999, 440)).toEqual({ first: 10, last: 10 });
});

test("what lies under a point", () => {
  expect(positionAt(6, 22, 5)).toBe(1);
  expect(positionAt(6, 0, 131)).toBe(5);
  expect(positionAt(6, 0, 133)).toBe(-1);
});

test("scrolling to a row moves no more than needed", () => {
  expect(scrollFor(10, 100, 440)).toBe(100);
  expect(scrollFor(2, 100, 440)).toBe(22);
  expect(scrollFor(40, 100, 440)).toBe(484);
});

test("labels stand inside, after, or before their bar", () => {
  expect(placeLabel({ x: 100, width: 200, visible: true }, 80, 1000)).toEqual({ place: "inside", x: 108 });
  expect(placeLabel({ x: 100, width: 20, visible: true }, 80, 1000)).toEqual({ place: "right", x: 126 });
  expect(placeLabel({ x: 14, width: 2, visible: true }, 80, 1000, indentOf(3, 14))).toEqual({ place: "right", x: 50 });
  expect(placeLabel({ x: 14, width: 900, visible: true }, 80, 1000, indentOf(3, 14))).toEqual({ place: "inside", x: 50 });
  expect(placeLabel({ x: 100, width: 20, visible: true }, 80, 1000, indentOf(3, 14))).toEqual({ place: "right", x: 126 });
  expect(placeLabel({ x: 950, width: 20, visible: true }, 80, 1000)).toEqual({ place: "left", x: 864 });
  expect(placeLabel({ x: 40, width: 20, visible: true }, 80, 100)).toEqual({ place: "none", x: 0 });
});

test("a label inside a bar that begins before the view starts at the view's edge", () => {
  expect(placeLabel({ x: -8, width: 900, visible: true }, 80, 1000)).toEqual({ place: "inside", x: 8 });
});

test("nesting lines end at the last child", () => {
  const found = guides(table, rows, 0, rows.length, scale(0, 100));
  expect(found.map((guide) => [table.ids.at(guide.row), guide.fromPosition, guide.toPosition, guide.children])).toEqual([
    ["work", 1, 5, [1, 5]],
    ["plan", 2, 4, [2, 3, 4]],
  ]);
});

test("zooming away from the rows on view leads to the rows in the window", () => {
  const long = tableOf(Array.from({ length: 1000 }, (_, index) => ({ id: `e${index}`, kind: "llm", start: index * 10 })));
  const all = shownRows(long, { closed: new Set(), hidden: new Set() });
  expect(positionInside(long, all, { from: 5000, to: 5100 }, 0, 220, 0)).toBe(500);
  expect(positionInside(long, all, { from: 0, to: 50 }, 0, 220, 0)).toBe(-1);
});
