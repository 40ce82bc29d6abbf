import { expect, test } from "vitest";
import { KINDS } from "./kinds";
import { closedBelow, closedButErrors, closedOfKind, type Fold, holdingKinds, positionOf, search, shownRows } from "./outline";
import { SMALL, tableOf } from "./tables.fixture";

const table = tableOf(SMALL);
const names = (fold: Partial<Fold>) =>
  Array.from(shownRows(table, { closed: new Set(), hidden: new Set(), ...fold }), (row) => table.ids.at(row));

test("everything is shown at first", () => {
  expect(names({})).toEqual(["work", "plan", "call1", "tool", "call2", "act"]);
});

test("a closed event hides what it holds", () => {
  expect(names({ closed: new Set(["plan"]) })).toEqual(["work", "plan", "act"]);
  expect(names({ closed: new Set(["work"]) })).toEqual(["work"]);
});

test("a hidden kind leaves its children", () => {
  expect(names({ hidden: new Set(["agent"]) })).toEqual(["work", "call1", "tool", "call2"]);
});

test("a search in the tree keeps the ancestors of matches, and opens closed parts", () => {
  const only = search(table, "lookup");
  expect(names({ only })).toEqual(["work", "plan", "tool"]);
  expect(names({ only, closed: new Set(["plan"]) })).toEqual(["work", "plan", "tool"]);
});

test("search matches every word in name, agent, model or error, in any letter case", () => {
  const found = (query: string) => Array.from(search(table, query) ?? []).flatMap((mark, row) => (mark ? [table.ids.at(row)] : []));
  expect(found("GPT-4O")).toEqual(["call1", "call2"]);
  expect(found("planner timeout")).toEqual(["tool"]);
  expect(found("nothing like it")).toEqual([]);
  expect(search(table, "  ")).toBeNull();
});

test("matches in bodies, which the server finds, join in", () => {
  const marks = search(table, "parcel", new Set(["call2"]));
  expect(Array.from(marks!)).toEqual([0, 0, 0, 0, 1, 0]);
});

test("folding by depth and around errors", () => {
  expect(closedBelow(table, 1)).toEqual(new Set(["plan"]));
  expect(closedButErrors(table)).toEqual(new Set());
  expect(closedButErrors(tableOf(SMALL.map((event) => ({ ...event, status: "ok" }))))).toEqual(new Set(["work", "plan"]));
});

test("folding by kind", () => {
  expect(holdingKinds(table).map((code) => KINDS[code])).toEqual(["operation", "agent"]);
  expect(closedOfKind(table, "agent")).toEqual(new Set(["plan"]));
  expect(closedOfKind(table, "tool")).toEqual(new Set());
});

test("a row's position among the shown", () => {
  const rows = shownRows(table, { closed: new Set(["plan"]), hidden: new Set() });
  expect(positionOf(rows, 5)).toBe(2);
  expect(positionOf(rows, 3)).toBe(-1);
});
