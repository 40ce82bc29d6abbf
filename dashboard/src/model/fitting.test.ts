import { expect, test } from "vitest";
import { fitting } from "./fitting";

test("what does not fit whole is left to the count after it", () => {
  expect(fitting([50, 50, 50], 158, 4, 30)).toBe(3);
  expect(fitting([50, 50, 50], 157, 4, 30)).toBe(2);
  expect(fitting([50, 50, 50], 137, 4, 30)).toBe(1);
  expect(fitting([500], 100, 4, 30)).toBe(1);
  expect(fitting([], 100, 4, 30)).toBe(0);
});
