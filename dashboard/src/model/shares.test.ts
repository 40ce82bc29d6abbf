import { expect, test } from "vitest";
import { shares } from "./shares";
import { SMALL, tableOf } from "./tables.fixture";

test("time is summed by name over what does work, largest first", () => {
  const table = tableOf(SMALL);
  expect(shares(table, table.durations)).toEqual([
    { row: table.ids.rowOf("call2"), count: 2, sum: 45, share: 45 / 52 },
    { row: table.ids.rowOf("tool"), count: 1, sum: 7, share: 7 / 52 },
  ]);
});

test("nothing known is no share", () => {
  const table = tableOf([{ id: "a", kind: "llm", cost: null }]);
  expect(shares(table, table.costs)).toEqual([]);
});
