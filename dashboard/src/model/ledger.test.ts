import { expect, test } from "vitest";
import { losses, ranges } from "./ledger";

test("missing numbers read as ranges", () => {
  expect(ranges([[3, 3], [7, 9], [1200, 1200]])).toBe("3, 7–9, 1,200");
  expect(ranges(Array.from({ length: 22 }, (_, index) => [index * 2, index * 2]), 5)).toMatch(/^0, 2, .*38 and 7 more$/);
});

test("losses say how many and why", () => {
  expect(losses({ disk_full: 4, too_large: 1_000, never: 0 })).toBe("4 lost: disk full, 1,000 lost: too large");
  expect(losses({})).toBe("");
});
