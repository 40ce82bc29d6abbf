import { expect, test } from "vitest";
import { kindCode } from "../model/kinds";
import { SMALL, tableOf } from "../model/tables.fixture";
import { ERROR_CELL, overview } from "./overview";

const cell = (raster: { width: number; cells: Uint8Array }, x: number, y: number) => raster.cells[y * raster.width + x];

test("few events step down the strip, each at its time", () => {
  const raster = overview(tableOf(SMALL), 100, 100, 100, 36);
  expect(cell(raster, 50, 0)).toBe(kindCode("operation") + 1);
  expect(cell(raster, 25, 6)).toBe(ERROR_CELL);
  expect(cell(raster, 99, 30)).toBe(0);
});

test("many are laid in lanes by depth, errors on top, idle time empty", () => {
  const events = Array.from({ length: 400 }, (_, index) => ({
    id: `e${index}`,
    kind: "llm",
    start: index < 200 ? index : index + 600,
    duration: 1,
    status: index === 100 ? "error" : "ok",
  }));
  const raster = overview(tableOf(events), 1000, 1000, 100, 36);
  expect(cell(raster, 10, 0)).toBe(ERROR_CELL);
  expect(cell(raster, 5, 10)).toBe(kindCode("llm") + 1);
  expect(cell(raster, 10, 10)).toBe(kindCode("llm") + 1);
  expect(cell(raster, 50, 10)).toBe(0);

  const all = events.map((event) => ({ ...event, parent: "all" }));
  const failed = overview(tableOf([{ id: "all", start: 0, duration: 1000, status: "error" }, ...all]), 1000, 1000, 100, 36);
  expect([10, 50, 99].map((x) => cell(failed, x, 0))).toEqual([ERROR_CELL, 0, ERROR_CELL]);
});

test("work is bounded by the raster, not by the length of events", () => {
  const long = Array.from({ length: 20_000 }, (_, index) => ({ id: `e${index}`, start: 0, duration: 1e6 }));
  const from = performance.now();
  overview(tableOf(long), 1e6, 1e6, 800, 36);
  expect(performance.now() - from).toBeLessThan(2500);
});
