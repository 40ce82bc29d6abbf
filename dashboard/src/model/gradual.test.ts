import { expect, test } from "vitest";
import { AT_ONCE, Gradual } from "./gradual";

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `row ${from + at}`);

test("what does not scroll is drawn whole at once", () => {
  const rows = new Gradual();
  expect([...rows.next(ids(0, 30), false)]).toEqual(ids(0, 30));
  expect([...rows.next(ids(500, 530), false)]).toEqual(ids(500, 530));
});

test("a few newcomers are drawn whole; a screenful waits, and is completed in turns once it stays", () => {
  const rows = new Gradual();
  rows.next(ids(0, 30), false);
  expect(rows.next(ids(3, 33), true).size).toBe(30);
  expect([...rows.next(ids(28, 58), true)]).toEqual(ids(28, 33));
  expect(rows.isFast).toBe(true);
  expect(rows.next(ids(90, 120), true).size).toBe(0);
  for (let turn = 1; turn <= 8; turn++) {
    expect(rows.next(ids(90, 120), turn < 3).size).toBe(Math.min(30, turn * AT_ONCE));
    expect(rows.isFast).toBe(false);
  }
});

test("of a new list what can be seen is drawn first, and what lies beyond its edge a moment later", () => {
  const gradual = new Gradual();
  const rows = ["a", "b", "c", "d", "e", "f", "g"];
  expect([...gradual.next(rows, false, ["a", "b"])]).toEqual(["a", "b"]);
  expect([...gradual.next(rows, false, ["a", "b"])]).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect([...gradual.next(rows, false, ["a", "b"])]).toEqual(rows);
});
