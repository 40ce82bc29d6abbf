import { expect, test } from "vitest";
import { EMPTY_TABLE, endOf, type EventTable } from "./table";
import { SMALL, tableOf } from "./tables.fixture";

const idsIn = (table: EventTable) => Array.from({ length: table.count }, (_, row) => table.ids.at(row));
const round = (numbers: Float64Array) => Array.from(numbers, (value) => (Number.isNaN(value) ? null : Number(value.toFixed(6))));

test("rows follow the tree, siblings by start, whatever the order of arrival", () => {
  const expected = ["work", "plan", "call1", "tool", "call2", "act"];
  expect(idsIn(tableOf(SMALL))).toEqual(expected);
  expect(idsIn(tableOf(SMALL.toReversed()))).toEqual(expected);
});

test("depth, parent, last child and subtree of every row", () => {
  const table = tableOf(SMALL);
  expect(Array.from(table.depths)).toEqual([0, 1, 2, 2, 2, 1]);
  expect(Array.from(table.parents)).toEqual([-1, 0, 1, 1, 1, 0]);
  expect(Array.from(table.lastChildren)).toEqual([5, 4, -1, -1, -1, -1]);
  expect(Array.from(table.sizes)).toEqual([6, 4, 1, 1, 1, 1]);
  expect(table.end).toBe(100);
});

test("sums count leaf calls and errors once", () => {
  const table = tableOf(SMALL);
  expect(round(table.sumCosts)).toEqual([0.005, 0.005, 0.002, null, 0.003, null]);
  expect(round(table.sumTokens)).toEqual([250, 250, 100, null, 150, null]);
  expect(Array.from(table.sumErrors)).toEqual([1, 1, 0, 1, 0, 0]);
});

test("a call that holds a call repeats it and does not count again; an agent's own sum neither", () => {
  const table = tableOf([
    { id: "agent", kind: "agent", cost: 9, tokens: 900 },
    { id: "outer", parent: "agent", kind: "llm", cost: 1, tokens: 10 },
    { id: "inner", parent: "outer", kind: "llm", cost: 1, tokens: 10 },
    { id: "paid", parent: "agent", kind: "tool", cost: 0.5 },
  ]);
  expect(round(table.sumCosts)).toEqual([1.5, 1, 1, 0.5]);
  expect(round(table.sumTokens)).toEqual([10, 10, 10, null]);
});

test("unknown parents and circles end at the top, and no event is lost", () => {
  const table = tableOf([
    { id: "orphan", parent: "never-arrived", start: 5 },
    { id: "a", parent: "b", start: 1 },
    { id: "b", parent: "a", start: 2 },
    { id: "self", parent: "self", start: 3 },
    { id: "under", parent: "b", start: 4 },
  ]);
  expect(table.count).toBe(5);
  expect(new Set(idsIn(table))).toEqual(new Set(["orphan", "a", "b", "self", "under"]));
  expect(table.parents[table.ids.rowOf("orphan")]).toBe(-1);
  expect(table.parents[table.ids.rowOf("self")]).toBe(-1);
});

test("an event that has not ended reaches to now, never before its own start", () => {
  const table = tableOf([{ id: "open", start: 50, duration: null, status: "running" }]);
  expect(endOf(table, 0, 80)).toBe(80);
  expect(endOf(table, 0, 20)).toBe(50);
});

test("an empty session is a table too", () => {
  expect(EMPTY_TABLE.count).toBe(0);
  expect(EMPTY_TABLE.end).toBe(0);
});

test("50,000 events are arranged well within a second", () => {
  const events = Array.from({ length: 50_000 }, (_, index) => ({
    id: `e${index}`,
    parent: index % 50 === 0 ? null : `e${index - (index % 50)}`,
    start: index,
  }));
  const from = process.cpuUsage();
  const table = tableOf(events);
  // Of the processor, not of the clock: the machine may have other things to do.
    expect(process.cpuUsage(from).user / 1000).toBeLessThan(1000);
  expect(table.sizes[0]).toBe(50);
});

test("a chain deeper than any stack is arranged", () => {
  const table = tableOf(Array.from({ length: 30_000 }, (_, index) => ({ id: `e${index}`, parent: index ? `e${index - 1}` : null, start: index })));
  expect(table.depths[29_999]).toBe(29_999);
  expect(table.sizes[0]).toBe(30_000);
});
