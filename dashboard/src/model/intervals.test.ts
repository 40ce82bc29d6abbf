import { expect, test } from "vitest";
import { intervalAt } from "./intervals";

test("a moment lies in the interval that began last, to its very end", () => {
  const begins = [10, 20, 40];
  expect([10, 19.9, 20, 39, 40, 1000].map((moment) => intervalAt(begins, moment))).toEqual([0, 0, 1, 1, 2, 2]);
  // Before all there is the first, which may have no beginning on view.
  expect([intervalAt(begins, 0), intervalAt([5], 7)]).toEqual([0, 0]);
});
