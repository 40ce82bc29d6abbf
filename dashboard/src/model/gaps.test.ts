import { expect, test } from "vitest";
import { gaps } from "./gaps";
import { SMALL, tableOf } from "./tables.fixture";

const table = tableOf(SMALL);

test("idle stretches lie between work, not inside it", () => {
  expect(gaps(table, 4, 100)).toEqual([{ from: 56, to: 62 }]);
  expect(gaps(table, 7, 100)).toEqual([]);
});
