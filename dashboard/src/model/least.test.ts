import { expect, test } from "vitest";
import { leastOf } from "./least";

test("a duration is told in seconds, whatever unit its address has", () => {
  const texts = ["10s", "500ms", "5m", "1h", "1.5h", "5000", "", undefined];
  expect(texts.map((text) => leastOf("min_duration", text))).toEqual(["10", "0.5", "300", "3600", "5400", "5", "", ""]);
});

test("a cost is told in dollars", () => {
  expect(["0.01", ".5", "1e-3", "10"].map((text) => leastOf("min_cost", text))).toEqual(["0.01", "0.5", "0.001", "10"]);
});
